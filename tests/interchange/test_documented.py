"""What the documentation tells people to do, done: a table and a policy in Python, one daemon under another name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable

import pytest

from tests.kit.instance import Instance
from tests.kit.programs import CHECKOUT, everyones_interpreter

pytestmark = pytest.mark.root

EXAMPLES = CHECKOUT / "docs/examples"
Make = Callable[..., Instance]
LINES = ("EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>")


def test_a_table(new_instance: Make) -> None:
    """docs/extending.md: a function, and an exception in it."""
    mta = new_instance(
        main={
            "pyfix_python_tables": "vacation_table:lookup",
            "smtpd_recipient_restrictions": "check_recipient_access python:vacation_table:lookup",
        }
    )
    away = mta.directory / "away"
    away.mkdir(mode=0o755)
    text = (EXAMPLES / "vacation_table.py").read_text().replace("/var/lib/away", str(away))
    (mta.config_directory / "vacation_table.py").write_text(text)
    (away / "user@ours.example").write_text("550 is away until Monday\n")
    mta.start()
    assert mta.dialogue(*LINES)[-1] == "550 5.7.1 <user@ours.example>: Recipient address rejected: is away until Monday"
    found = mta.run("postmap", "-q", "user@ours.example", "python:vacation_table:lookup")
    assert found.stdout == b"550 is away until Monday\n"
    (away / "user@ours.example").unlink()
    assert mta.dialogue(*LINES)[-1] == "250 2.1.5 Ok"
    (away / "user@ours.example").mkdir()
    assert mta.dialogue(*LINES)[-1].startswith("451 4.3.5 <user@ours.example>: Recipient address rejected: Server")
    mta.wait_for_log("IsADirectoryError")


def test_a_policy(new_instance: Make) -> None:
    """docs/extending.md: by spawn(8), one process of it for one smtpd(8)."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as program:
        program.write((EXAMPLES / "policy.py").read_text().replace("MOST = 100", "MOST = 2"))
        program.flush()
        os.chmod(program.name, 0o755)
        spawn = f"policy unix - n n - 0 spawn user=nobody argv={everyones_interpreter()} {program.name}"
        mta = new_instance(
            main={"smtpd_end_of_data_restrictions": "check_policy_service unix:private/policy", "smtpd_client_restrictions": ""},
            master={"policy": spawn},
        )
        mta.start()
        for expected in ("250", "250", "450 4.7.1 <END-OF-MESSAGE>: End-of-data rejected: Too many messages, try again later"):
            replies = mta.dialogue(*LINES, "DATA", b"Subject: x\r\n\r\nx\r\n.\r\n")
            assert replies[-1].startswith(expected), replies


@pytest.mark.reference
def test_one_daemon_under_another_name(new_instance: Make) -> None:
    """docs/adopting.md: a link in the reference's daemon_directory, and a service that has the link's name."""
    ours, theirs = new_instance("pyfix"), new_instance("reference", replace={"nbdb_reindexd": "pyfix"})
    (theirs.daemon_directory / "smtpd-pyfix").symlink_to(ours.daemon_directory / "smtpd")
    theirs.start()
    assert theirs.run("postconf", "-F", f"{theirs.host}:{theirs.port}/inet/command=smtpd-pyfix").returncode == 0
    theirs.reload()
    assert theirs.dialogue(*LINES, "QUIT")[-2] == "250 2.1.5 Ok"
    theirs.wait_for_log(r"postfix/smtpd\[\d+\]: disconnect from")
    assert len(theirs.pids_of("smtpd-pyfix")) == 1
