"""What a policy service is told; the conversation is in clients/test_policy_service.py, parity in tests/parity/policy."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.judge import judge_recipient
from pyfix.access.policy_service import _attributes
from pyfix.access.verdict import Reject
from pyfix.clients.policy_service import PolicyService
from pyfix.config.errors import ConfigError
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.task import run_now

from .fakes import transaction

NAMES = [
    "request", "protocol_state", "protocol_name", "client_address", "client_name", "client_port", "reverse_client_name",
    "server_address", "server_port", "helo_name", "sender", "recipient", "recipient_count", "queue_id", "instance", "size",
    "etrn_domain", "stress", "sasl_method", "sasl_username", "sasl_sender", "ccert_subject", "ccert_issuer", "ccert_fingerprint",
    "ccert_pubkey_fingerprint", "encryption_protocol", "encryption_cipher", "encryption_keysize", "policy_context",
    "compatibility_level", "mail_version",
]  # fmt: skip


def judged(monkeypatch: Any, lines: list[str], argument: str, action: str | None, **main: str) -> tuple[str, list[bytes]]:
    requests: list[bytes] = []

    async def ask(_self: PolicyService, request: bytes) -> str:
        requests.append(request)
        if action is None:
            raise ServiceError("down")
        return action

    monkeypatch.setattr(PolicyService, "ask", ask)
    found = transaction(
        monkeypatch, lines, sender="a@b", recipient="user@ours.example",
        smtpd_recipient_restrictions=f"check_policy_service {argument}", **main,
    )  # fmt: skip
    refusal = run_now(judge_recipient(found))
    return refusal.reply if isinstance(refusal, Reject) else "", requests


def test_attributes_in_order(monkeypatch: Any) -> None:
    _, (request,) = judged(monkeypatch, [], "{ inet:127.0.0.1:9, { policy_context = a b } }", "dunno")
    pairs = [line.split("=", 1) for line in request.decode().split("\n")[:-2]]
    assert [name for name, _ in pairs] == NAMES
    said = dict(pairs)
    assert (said["sender"], said["recipient"], said["policy_context"]) == ("a@b", "user@ours.example", "a b")
    assert (said["compatibility_level"], said["recipient_count"], said["encryption_keysize"]) == ("3.11", "0", "0")


def test_instance_is_of_one_message(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, sender="a@b", recipient="user@ours.example")

    def instance() -> str:
        return str(dict(_attributes(found))["instance"])

    assert instance() == ""
    found.began = 1000.25
    first = instance()
    assert first and instance() == first and first.split(".")[1:3] == ["3e8", "3d090"]
    found.forget_mail()
    assert instance() == ""
    found.began = 1000.25
    assert instance() != first


@pytest.mark.parametrize(
    ("argument", "action", "reply"),
    [
        ("inet:127.0.0.1:9", "REJECT no", "554 5.7.1 <user@ours.example>: Recipient address rejected: no"),
        ("inet:127.0.0.1:9", "DUNNO", ""),
        ("inet:127.0.0.1:9", None, "451 4.3.5 <user@ours.example>: Recipient address rejected: Server configuration problem"),
        ("{ inet:127.0.0.1:9, default_action=DUNNO }", None, ""),
        ("inet:127.0.0.1:9", "REJECT caf\udce9", "451 4.3.5 <user@ours.example>: Recipient address rejected: Server configuration problem"),
        ("inet:127.0.0.1:9", "", ""),
        ("", "OK", "451 4.3.5 Server configuration error"),
    ],
)  # fmt: skip
def test_actions(monkeypatch: Any, argument: str, action: str | None, reply: str) -> None:
    lines: list[str] = []
    assert judged(monkeypatch, lines, argument, action)[0] == reply
    if action == "":
        assert "warning: access table inet:127.0.0.1:9 entry  has empty value" in lines


@pytest.mark.parametrize(
    ("argument", "complaint"),
    [
        ("{ }", 'empty policy service: "{ }"'), ("{ inet:h:1", "policy service syntax error:  inet:h:1"),
        ("{ inet:h:1, colour=red }", 'unknown option: "colour = red"'), ("{ inet:h:1, timeout }", "malformed option: missing"),
        ("{ inet:h:1, timeout=x }", "^timeout: bad time value"), ("{ inet:h:1, timeout=0 }", "^invalid timeout: 0"),
        ("foo:bar", "invalid transport name: foo"),
    ],
)  # fmt: skip
def test_faults(monkeypatch: Any, argument: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        judged(monkeypatch, [], argument, "OK")
