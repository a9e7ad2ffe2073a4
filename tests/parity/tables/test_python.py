"""A site's own lookup in a running system.  Nothing to compare: Postfix has no such tables."""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.root]

LOOKUPS = '''\
import time

def access(key):
    """Ten lines are enough."""
    if key.startswith("boom"):
        raise ValueError("out of order")
    if key.startswith("slow"):
        time.sleep(1.0)
    if key == "user@ours.example":
        return "REJECT no user today"
    return None
'''


def test_in_a_mail_system() -> None:
    """Answers, errors as temporary failures with a traceback, postmap -q, and a file that changes.  Source: python_table(5)."""
    main = {
        "smtpd_recipient_restrictions": "check_recipient_access python:lookups:access, permit_mynetworks, reject_unauth_destination",
        "pyfix_python_tables": "lookups:access",
    }
    with Instance("pyfix", main=main, files={"lookups.py": LOOKUPS}) as mta:
        mta.start()

        def recipient(name: str) -> str:
            return mta.dialogue("EHLO client.example", "MAIL FROM:<sender@client.example>", f"RCPT TO:<{name}@ours.example>", "QUIT")[2]

        assert "554 5.7.1 <user@ours.example>: Recipient address rejected: no user today" in recipient("user")
        assert recipient("boom").startswith("451 4.3.5 ")
        mta.wait_for_log(r"warning: python:lookups:access: lookup of \"boom@ours.example\" failed: ValueError: out of order")
        mta.wait_for_log(r'warning:   File ".*/etc/lookups.py", line 6, in access')
        assert recipient("second").startswith("250 ")

        done = mta.run("postmap", "-q", "user@ours.example", "python:lookups:access")
        assert (done.returncode, done.stdout) == (0, b"REJECT no user today\n")
        assert mta.run("postmap", "-q", "boom", "python:lookups:access").returncode == 1

        mta.write("lookups.py", LOOKUPS.replace("today", "tomorrow"))
        assert wait_until(lambda: "tomorrow" in recipient("user"), 10)
        mta.wait_for_log(r"table python:lookups:access\(0,lock\|fold_fix\|utf8_request\) has changed -- restarting")
