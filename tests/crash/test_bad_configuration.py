"""Lines of main.cf and master.cf that are wrong: what master says and how it ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit.instance import Instance
from tests.kit.syslog import SystemLog

pytestmark = [pytest.mark.root, pytest.mark.reference]

BAD_SERVICES = [
    "nonsense", "x inet", "x unix - - n - -", "x foo - - n - - smtpd", "x unix q - n - - smtpd", "x unix - q n - - smtpd",
    "x unix - - q - - smtpd", "x unix - - n q - smtpd", "x unix - - n ? - smtpd", "x unix - - n -5 - smtpd",
    "x unix - - n - q smtpd", "x unix - - n - -1 smtpd", "x unix - - n - 999999999999 smtpd",
    "x unix - - n - - smtpd -o { a = b", "x unix - - n - - smtpd -o {a = b}c", "nosuchservice inet n - n - - smtpd",
    "127.0.0.1:x inet n - n - - smtpd", "127.0.0.1:25x inet n - n - - smtpd", "[::1 inet n - n - - smtpd",
    "[127.0.0.1]2525 inet n - n - - smtpd", "[]:2525 inet n - n - - smtpd", "[::1]:{port} inet n - n - - smtpd",
    "no.such.host.example:25 inet n - n - - smtpd", "99999999999999999999 inet n - n - - smtpd",
    "4294967295 inet n - n - - smtpd", "2147483648 inet n - n - - smtpd", "a/b unix - - n - - smtpd", "../x unix - - n - - smtpd",
]  # fmt: skip
ODD_SERVICES = [
    " x unix - - n - - smtpd", "cleanup unix n - n - 0 cleanup", "x unix - - n - - nosuchprogram", "x unix - - n 60x - smtpd",
    "x unix - - n - - smtpd -o", "127.0.0.1:65536 inet n - n - - smtpd", "4294967296 inet n - n - - smtpd",
]  # fmt: skip
BAD_PARAMETERS = [
    "nonsense", "= value", "a b = c", "message_size_limit = x", "default_process_limit = 0", "service_throttle_time = 5q",
    "inet_interfaces = no.such.host.example", "inet_protocols = x", "queue_directory = /nonexistent/x",
    "data_directory = /nonexistent/x", "mail_owner = nosuch", "setgid_group = nosuch", "myhostname = $x$", "myhostname = ${",
    "myorigin = $(", "x = $y\ny = $x\nmyhostname = $x", "compatibility_level = x", "maillog_file = /nonexistent/x",
    "ipc_timeout = 0", "debug_peer_level = x",
]  # fmt: skip
ODD_PARAMETERS = [" x = y", "inet_interfaces =", "command_directory = relative", "virtual_mailbox_maps = nosuch:x"]


def start_master(mta: Instance) -> tuple[int, list[str]]:
    """Start master, and end it if it runs; return its status and all that it logged, to syslog or to the log file."""
    mark = mta.log_mark()
    with SystemLog(mta) as log:
        done = log.run(mta.daemon_directory / "master", "-c", mta.config_directory, "-w")
    if mta.is_running():
        mta.stop()
    lines = [line for text in (*log.datagrams, *mta.log_lines(mark)) for line in text.splitlines()]
    texts = [text for line in lines for text in re.findall(r"master\[\d+\]: (.*)", line)]
    return done.returncode, [stable(mta, text) for text in texts if not _UNIMPORTANT.search(text)]


_UNIMPORTANT = re.compile(
    r"^daemon started|^terminating on signal|daemon initialization failure -- see logs for details"
)
"""The last: what the reference's process in the foreground logs; pyfix's says on the terminal what is wrong."""


def stable(mta: Instance, text: str) -> str:
    for path, token in (
        (mta.daemon_directory, "<DAEMONS>"),
        (mta.command_directory, "<COMMANDS>"),
        (mta.directory, "<DIR>"),
    ):
        text = text.replace(str(path), token)
    return re.sub(r"\bline \d+", "line <N>", text.replace(str(mta.port), "<PORT>"))


def said_with(mta: Instance, name: str, lines: list[str]) -> dict[str, tuple[int, list[str]]]:
    """Return what happens when each of *lines* is in the configuration file *name*."""
    good = (mta.config_directory / name).read_text()
    said = {}
    for line in lines:
        text = line.replace("{port}", str(mta.port))
        mta.write(name, f"{text}\n{good}" if line.startswith(" ") else f"{good}{text}\n")
        said[line] = start_master(mta)
    return said


AT_ONCE = 4
"""Instances of each side: whoever ends with a fatal error waits for a second before."""


@pytest.mark.parametrize(
    ("name", "bad", "odd"),
    [("master.cf", BAD_SERVICES, ODD_SERVICES), ("main.cf", BAD_PARAMETERS, ODD_PARAMETERS)],
    ids=["master.cf", "main.cf"],
)
def test_bad_lines(new_instance: Callable[..., Instance], name: str, bad: list[str], odd: list[str]) -> None:
    """Status and log lines of a start with a line that is wrong, or that only gives rise to a warning."""
    lines = bad + odd
    with ThreadPoolExecutor(2 * AT_ONCE) as threads:
        theirs, ours = [
            [threads.submit(said_with, new_instance(kind), name, lines[part::AT_ONCE]) for part in range(AT_ONCE)]
            for kind in ("reference", "pyfix")
        ]
    expected, seen = [
        {line: said for part in parts for line, said in part.result().items()} for parts in (theirs, ours)
    ]
    assert seen == expected
    assert {line for line, (status, _) in seen.items() if status} == set(bad)
    assert not [line for line in bad if not any(text.startswith("fatal: ") for text in seen[line][1])]
