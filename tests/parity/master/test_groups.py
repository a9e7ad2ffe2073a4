"""Daemons have the groups that mail_owner is a member of: how they come at the sockets of saslauthd or of milters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit import requirements, smtp
from tests.kit.instance import TRUSTED
from tests.kit.processes import program_name
from tests.kit.site import Site

pytestmark = [pytest.mark.reference, pytest.mark.root]

GROUPS = (47111, 47112)


def _groups(kind: str) -> dict[str, set[str]]:
    """Return the groups of each daemon of a system whose owner is a member of two more."""
    with Site(kind) as site:
        owner = site.run("postconf", "-h", "mail_owner").stdout.decode().strip()
        with (site.etc / "group").open("a") as stream:
            stream.writelines(f"more{number}:x:{number}:{owner},other\n" for number in GROUPS)
        site.start()
        smtp.dialogue("127.0.0.1", site.port, ["EHLO x", "MAIL FROM:<a@x.example>", "RCPT TO:<user@ours.example>", "QUIT"], TRUSTED)
        found: dict[str, set[str]] = {}
        for pid in site.pids():
            status = Path(f"/proc/{pid}/status").read_text()
            (line,) = (line for line in status.splitlines() if line.startswith("Groups:"))
            found[program_name(pid)] = set(line.split()[1:])
        site.stop()
        return found


def test_groups_of_the_daemons() -> None:
    requirements.need_reference()
    theirs, ours = _groups("reference"), _groups("pyfix")
    common = theirs.keys() & ours.keys()
    assert {"smtpd", "qmgr", "cleanup", "trivial-rewrite", "master"} <= common
    assert {name: ours[name] for name in common} == {name: theirs[name] for name in common}
    assert set(map(str, GROUPS)) <= ours["smtpd"]
