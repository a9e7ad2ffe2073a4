"""Commands as mailboxes, other transports, and mailboxes that somebody has locked or that are full.

Source: local(8), MAILBOX DELIVERY, EXTERNAL COMMAND DELIVERY; postconf(5) mailbox_command, mailbox_command_maps,
mailbox_transport, fallback_transport, command_expansion_filter, local_command_shell, command_time_limit,
command_execution_directory, mailbox_size_limit; sysexits(3); the texts of the reference.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Mapping

import pytest

from tests.kit.accounts import FIRST_ID
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.parity.delivery.localmail import ACCOUNTS, MAIN, OURS, Written, clean, compare, deliver, send, write

pytestmark = [pytest.mark.reference, pytest.mark.root]

_SHOW = "env | sort >&2; id >&2; pwd >&2; exit 1"
_STATUSES = (0, 1, 2, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 126, 127, 255)
_SAID = {
    "said": "echo no way; exit 67",
    "code": "echo 5.7.9 hello; exit 1",
    "code, later": "echo 4.7.9 hello; exit 1",
    "code of success": "echo 2.0.0 hello; exit 1",
    "code and success": "echo 5.7.9 hello",
    "code, second line": "echo x; echo 5.7.9 hello; exit 70",
    "odd bytes": "printf 'a\\\\tb\\\\rc\\\\vd\\\\fe\\\\001f\\\\377g\\\\303\\\\244\\\\n\\\\nh'; exit 1",
    "on both": "echo out; echo err >&2; exit 1",
    "signal": "kill -9 $$",
    "no program": "/bin/nosuch x",
    "no such word": "nosuch",
    "not in the shell": "exec /bin/nosuch",
    "no right": "/etc/passwd",
    "reads nothing": "true",
    "closes": "exec <&- >&- 2>&-; exit 1",
    "blanks": "  echo   a  ; exit 1",
}
ALIASES = "".join(f's{status} "|exit {status}"\n' for status in _STATUSES)
ALIASES += "".join(f'c{number} "|{command}"\n' for number, command in enumerate(_SAID.values()))
_OUTCOMES = """\
/^5\\.1\\.1 user unknown/ 4.7.1 not yet
/^4\\.3\\.0/ 5.9.9 never
/^5\\.1\\.2/ 2.0.0 fine
/^2\\.0\\.0 (delivered.*)/ 2.1.9 was $1
/^5\\.1\\.1 unknown/ nonsense
/^5\\.3\\.0 (.*)/ 5.3.9 $1
"""
FILES: dict[str, str | bytes] = {"aliases": ALIASES, "outcomes": _OUTCOMES}


@pytest.mark.parametrize("name", [f"s{status}" for status in _STATUSES] + [f"c{number}" for number in range(len(_SAID))])
def test_what_a_command_says(exchanged: Parity, name: str) -> None:
    def case(mta: Instance) -> None:
        deliver(mta, f"{name}@localhost", {})

    exchanged(case, main=MAIN, files=FILES, accounts=ACCOUNTS, replace=OURS)


_SETTINGS: dict[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "command": ({"mailbox_command": _SHOW}, ("alice", "alice+a$b#c", "nosuch", "s67")),
    "plain command": ({"mailbox_command": "/bin/cat"}, ("alice",)),
    "maps": (
        {"mailbox_command_maps": "inline:{{alice=exit 69}, {bob+x=exit 68}, {carol@localhost=exit 67}}",
         "mailbox_command": "exit 66"},
        ("alice", "alice+x", "bob+x", "carol"),
    ),
    "directory": ({"mailbox_command": "pwd; exit 1", "command_execution_directory": "$home/$extension"}, ("alice", "alice+x")),
    "malformed directory": ({"mailbox_command": "pwd; exit 1", "command_execution_directory": "${home"}, ("alice",)),
    "directory, filter": (
        {"mailbox_command": "pwd; exit 1", "command_execution_directory": "/$extension", "execution_directory_expansion_filter": "/mpt"},
        ("alice+tmp", "alice+tmpX"),
    ),
    "filter": ({"mailbox_command": "echo $EXTENSION $SENDER $USER $SHELL $RECIPIENT; exit 1", "command_expansion_filter": "abcdefghij"}, ("alice+xyz",)),
    "shell": ({"mailbox_command": "exit 69", "local_command_shell": "/bin/sh -c 'exit 68'"}, ("alice",)),
    "another shell": ({"mailbox_command": "a b; c", "local_command_shell": "/bin/echo x"}, ("alice",)),
    "time limit": ({"mailbox_command": "sleep 30", "command_time_limit": "1s"}, ("alice",)),
    "exported": ({"mailbox_command": _SHOW, "export_environment": "TZ MAIL_CONFIG LANG FOO=bar"}, ("alice",)),
    "no header": ({"mailbox_command": "cat; exit 1", "prepend_delivered_header": "file"}, ("alice",)),
    "transport": ({"mailbox_transport": "discard:mt"}, ("alice", "nosuch", "s67")),
    "transport maps": (
        {"mailbox_transport_maps": "inline:{{alice=discard:x},{nosuch=error:5.7.0 no},{bob+x=discard:z},{carol@localhost=discard:c}}"},
        ("alice", "alice+x", "bob+x", "bob", "carol", "nosuch"),
    ),
    "fallback": ({"fallback_transport": "discard:ft", "luser_relay": "bob"}, ("alice", "nosuch", "postmaster")),
    "fallback maps": (
        {"fallback_transport_maps": "inline:{{nobody1=discard:f},{nobody2@localhost=discard:g}}", "luser_relay": "bob"},
        ("alice", "nobody1", "nobody1+x", "nobody2", "nobody3"),
    ),
    "maps that fail": ({"mailbox_command_maps": "fail:x"}, ("alice", "nosuch")),
    "transports that fail": ({"mailbox_transport_maps": "fail:x"}, ("alice",)),
    "fallbacks that fail": ({"fallback_transport_maps": "fail:x"}, ("nosuch", "alice")),
    "status filter": (
        {"default_delivery_status_filter": "pcre:{dir}/etc/outcomes"}, ("alice", "s67", "s75", "s68", "nosuch", "c6"),
    ),
    "status filter of local": (
        {"local_delivery_status_filter": "pcre:{dir}/etc/outcomes", "default_delivery_status_filter": "fail:x"}, ("alice", "s67"),
    ),
    "another user": ({"default_privs": "games"}, ("c15", "s67")),
}  # fmt: skip


@pytest.mark.parametrize("name", _SETTINGS)
def test_settings(exchanged: Parity, name: str) -> None:
    settings, recipients = _SETTINGS[name]

    def case(mta: Instance) -> None:
        for recipient in recipients:
            deliver(mta, f"{recipient}@localhost", {})

    exchanged(case, main={**MAIN, **settings}, files=FILES, accounts=ACCOUNTS, replace=OURS)


@pytest.mark.parametrize("lock", ["dotlock", "fcntl", "flock", "old dotlock"])
def test_a_file_that_is_locked(exchanged: Parity, lock: str) -> None:
    """For the mailbox, and for a file that an alias names."""

    def case(mta: Instance) -> None:
        clean(mta)
        write(mta, "out/f", Written("", mode=0o666))
        box = mta.directory / "localmail/alice"
        box.write_text("x\n")
        os.chown(box, FIRST_ID, FIRST_ID)
        held = []
        for path in (box, mta.directory / "out/f"):
            held.append(path.open("r+"))
            if lock == "fcntl":
                fcntl.lockf(held[-1], fcntl.LOCK_EX)
            elif lock == "flock":
                fcntl.flock(held[-1], fcntl.LOCK_EX)
            else:
                dotlock = path.with_name(path.name + ".lock")
                dotlock.touch()
                while lock.startswith("old") and time.time() - dotlock.stat().st_ctime < 2.0:
                    time.sleep(0.1)
        send(mta, "alice@localhost")
        send(mta, "f@localhost")
        for file in held:
            file.close()
        compare(mta)

    main = {
        **MAIN, "mailbox_delivery_lock": "fcntl, flock, dotlock", "deliver_lock_attempts": "1",
        "stale_lock_time": "1s" if lock.startswith("old") else "500s",
    }  # fmt: skip
    if lock.startswith("old"):
        main["deliver_lock_attempts"] = "4"
    exchanged(case, main=main, files={"aliases": "f {dir}/out/f\n"}, accounts=ACCOUNTS, replace=OURS)


def test_files_that_are_full(exchanged: Parity) -> None:
    """postconf(5) mailbox_size_limit is for each file that is written."""

    def case(mta: Instance) -> None:
        clean(mta)
        write(mta, "out/f", Written("x" * 8990 + "\n", mode=0o666))
        box = mta.directory / "localmail/alice"
        box.write_text("x" * 8990 + "\n")
        os.chown(box, FIRST_ID, FIRST_ID)
        send(mta, "alice@localhost")
        send(mta, "f@localhost")
        send(mta, "d@localhost")
        compare(mta)

    main = {**MAIN, "mailbox_size_limit": "9000", "message_size_limit": "9000"}
    exchanged(case, main=main, files={"aliases": "f {dir}/out/f\nd {dir}/out/d/\n"}, accounts=ACCOUNTS, replace=OURS)
