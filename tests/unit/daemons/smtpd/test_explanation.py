"""Sessions that are only imagined; that they agree with smtpd(8): tests/interchange/test_explain.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.unit.daemons.running import System

MASTER = """\
smtp inet n - n - - smtpd
  -o smtpd_recipient_restrictions=check_sender_access,inline:{b.example=REJECT}
submission inet n - n - - smtpd
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
other inet n - n - - qmqpd
rewrite unix - - n - - trivial-rewrite
cleanup unix n - n - 0 cleanup
"""
COMMANDS = [
    "EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", "RSET", "MAIL FROM:<>", "RCPT TO:<x@ours.example>", "DATA",
]  # fmt: skip


@pytest.fixture
def mail(system: System) -> System:
    system.write_main(
        virtual_mailbox_domains="ours.example", virtual_mailbox_maps="inline:{user@ours.example=x}", mynetworks="127.0.0.1",
        virtual_alias_maps="inline:{x@ours.example=user@relay.example}", relay_domains="relay.example",
        transport_maps="inline:{relay.example=smtp:[192.0.2.4]}",
    )  # fmt: skip
    (system.folder / "master.cf").write_text(MASTER)
    return system


def ask(system: System, service: str, **asked: Any) -> tuple[int, dict[str, Any]]:
    session = {"client": {"address": "198.51.100.7", "name": "c.example"}, "commands": COMMANDS, **asked}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from pyfix.daemons.smtpd.explanation import main; sys.exit(main())"],
        input=json.dumps({"service": service, "sessions": [session]}), capture_output=True, text=True, check=False,
        env={**os.environ, "MAIL_CONFIG": str(system.folder)}, timeout=60,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_steps_and_routes(mail: System) -> None:
    status, answer = ask(mail, "")
    (session,) = answer["sessions"]
    steps = {step["command"]: step for step in session["steps"]}
    refused = steps["RCPT TO:<user@ours.example>"]
    assert refused["reply"].startswith("554 5.7.1 <a@b.example>: Sender address rejected")
    assert [(one["place"], one["position"], one["final"]) for one in refused["decisions"]][-1] == (
        "smtpd_recipient_restrictions", 1, True,
    )  # fmt: skip
    assert {"table": "inline:{b.example=REJECT}", "key": "b.example", "value": "REJECT"} in refused["decisions"][-1]["lookups"]
    assert any("NOQUEUE: reject: RCPT from c.example[198.51.100.7]" in line for line in refused["log"])
    assert steps["DATA"]["reply"] == "250 2.0.0 Ok: queued as NOQUEUE"
    assert session["routes"] == [
        {
            "recipient": "x@ours.example", "becomes": "user@relay.example", "transport": "smtp", "nexthop": "[192.0.2.4]",
            "servers": ["192.0.2.4[192.0.2.4]"],
        }
    ]  # fmt: skip
    assert status == 0


def test_login_and_service(mail: System) -> None:
    for login, reply in (("", "554"), ("joe", "250")):
        _, answer = ask(mail, "submission", login=login, tls="TLSv1.3", commands=COMMANDS[:3])
        assert answer["sessions"][0]["steps"][-1]["reply"].startswith(reply)


@pytest.mark.parametrize("service", ["other", "nosuch"])
def test_no_such_service(mail: System, service: str) -> None:
    assert ask(mail, service) == (1, {"problem": f"master.cf has no service {service}"})


def test_smtpd_would_not_start(mail: System) -> None:
    mail.write_main(smtpd_relay_restrictions="permit", smtpd_recipient_restrictions="")
    (mail.folder / "master.cf").write_text("smtp inet n - n - - smtpd\n")
    status, answer = ask(mail, "")
    assert status == 1
    assert "specify at least one working instance of" in answer["problem"]
