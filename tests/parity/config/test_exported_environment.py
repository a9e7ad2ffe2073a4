"""What commands find in their environment: import_environment of master and export_environment of what runs them.

Source: postconf(5) export_environment, import_environment; pipe(8), spawn(8), local(8).
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

SHOW = "#!/bin/sh\n/usr/bin/env | /bin/grep -v '^_=' | /usr/bin/sort > $(/usr/bin/dirname $0)/seen/$1\n"
MASTER: dict[str, str | None] = {
    "spawned": "spawned unix - n n - - spawn user=nobody argv={dir}/show spawned",
    "own": "own unix - n n - - spawn -o export_environment=OWN=1,SET -o import_environment=SET=own user=nobody argv={dir}/show own",
    "piped": "piped unix - n n - - pipe user=nobody argv={dir}/show piped",
    "badspawn": "badspawn unix - n n - - spawn -o export_environment={A=1}2 user=nobody argv={dir}/show badspawn",
    "badpipe": "badpipe unix - n n - - pipe -o export_environment={A=1}2 user=nobody argv={dir}/show badpipe",
}
SETTINGS: dict[str, dict[str, str]] = {
    "as shipped": {},
    "forms": {
        "import_environment": "MAIL_CONFIG TZ, LC_ALL SET=1 {SP=a b} { X = y } EMPTY= LANG=C TWICE=1 TWICE=2",
        "export_environment": "TZ, LC_ALL SET { SP = c d } X NOSUCH EMPTY NEW=$mail_name PATH=/nowhere {} A=b=c",
    },
    "nothing": {"import_environment": "MAIL_CONFIG", "export_environment": ""},
    "all that is special": {
        "import_environment": "MAIL_CONFIG MAIL_LOGTAG POSTLOG_SERVICE POSTLOG_HOSTNAME TZ MAIL_DEBUG PATH=/usr/local/bin:/bin IFS=x",
        "export_environment": "MAIL_CONFIG MAIL_LOGTAG POSTLOG_SERVICE POSTLOG_HOSTNAME PATH IFS USER HOME=/elsewhere SENDER=forged DOMAIN",
    },
}  # fmt: skip


def _shown(place: Path) -> dict[str, list[str]]:
    return {path.name: path.read_text().splitlines() for path in sorted((place / "seen").iterdir())}


@pytest.mark.parametrize("name", SETTINGS)
def test_what_commands_see(parity: Parity, name: str) -> None:
    """Commands of spawn, pipe, and of local: mailbox_command and an alias."""

    def case(mta: Instance) -> str:
        show = mta.write("show", SHOW)
        show = show.rename(mta.directory / "show")
        show.chmod(0o755)
        (mta.directory / "seen").mkdir()
        os.chmod(mta.directory / "seen", 0o777)
        for service in ("spawned", "own", "badspawn"):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(20)
                client.connect(str(mta.queue_directory / "private" / service))
                if service == "badspawn":  # nobody accepts
                    mta.wait_for_log(r"spawn\[\d+\]: fatal: .*export_environment")
                else:
                    client.recv(1)
        for recipient in ("u@piped.example", "u@badpipe.example", "nobody@localhost", "aliased@localhost"):
            mta.send_message(recipient)
        mta.wait_for_log(r"fatal: .*export_environment", count=2)
        mta.wait_for_log(r" status=sent \(delivered to command", count=2)
        mta.wait_for_log(r" status=sent \(delivered via piped service")
        fatal = sorted({line.partition("fatal: ")[2] for line in mta.log_lines() if "export_environment" in line})
        return "\n".join([f"{key}: {value}" for key, values in _shown(mta.directory).items() for value in values] + fatal)

    main = {
        **SETTINGS[name],
        "relay_domains": "piped.example, badpipe.example",
        "transport_maps": "inline:{piped.example=piped:, badpipe.example=badpipe:}",
        "alias_maps": 'inline:{ { aliased = "|{dir}/show aliased" } }',
        "mailbox_command": "{dir}/show mailbox",
    }
    seen = parity(case, main=main, master=MASTER, fresh=True).result
    assert isinstance(seen, str)
    assert {line.partition(":")[0] for line in seen.splitlines()} >= {"aliased", "mailbox", "own", "piped", "spawned"}
