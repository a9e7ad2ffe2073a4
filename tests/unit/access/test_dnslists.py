from __future__ import annotations

from typing import Any

import pytest

from pyfix.access import dnslists
from pyfix.access.evaluate import MISCONFIGURED, Check
from pyfix.access.restrictions import RESTRICTIONS
from pyfix.access.stage import RECIPIENT
from pyfix.access.transaction import LookupFailed
from pyfix.access.verdict import DUNNO, PERMIT, DeferIfReject, Reject
from pyfix.runtime.dns import Status
from pyfix.runtime.task import run_now

from .fakedns import FakeDns, give_dns
from .fakes import transaction

REVERSED = "7.100.51.198"
KNOWN: dict[str, str | Status] = {
    f"{REVERSED}.bl.example/A": "127.0.0.2; 127.0.0.10",
    f"{REVERSED}.bl.example/TXT": "one; two",
    f"{REVERSED}.down.example/A": Status.RETRY,
    f"{REVERSED}.quiet.example/A": "127.0.0.2",
    f"{REVERSED}.quiet.example/TXT": Status.POLICY,
    "client.example.dbl.example/A": "127.0.1.2",
    "h.example.dbl.example/A": "127.0.1.2",
    "s.example.dbl.example/A": "127.0.1.2",
    "ours.example.dbl.example/A": "127.0.1.2",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example/A": "127.0.0.2",
}


def ask(monkeypatch: Any, restriction: str, argument: str, lines: list[str] | None = None, **more: Any) -> Any:
    recipient = more.pop("recipient", "user@ours.example")
    found = transaction(monkeypatch, lines, recipient=recipient, **{"helo": "h.example", "sender": "a@s.example", **more})
    give_dns(found, KNOWN)
    check = Check(restriction, RESTRICTIONS[restriction], argument)
    dnslists.open_dns_list(found.policy, check)
    return run_now(check.function(found, RECIPIENT, check))  # type: ignore[arg-type]  # a fake with what it needs


def blocked(what: str, where: str, domain: str = "dbl.example") -> str:
    return f"554 5.7.1 Service unavailable; {where} [{what}] blocked using {domain}"


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("bl.example", blocked("198.51.100.7", "Client host", "bl.example") + "; one / two"),
        ("bl.example=127.0.0.[9..11]", blocked("198.51.100.7", "Client host", "bl.example") + "; one / two"),
        ("bl.example=127.0.0.3", ""), ("none.example", ""), ("down.example", ""),
        ("quiet.example", blocked("198.51.100.7", "Client host", "quiet.example")),
    ],
)  # fmt: skip
def test_addresses(monkeypatch: Any, argument: str, reply: str) -> None:
    verdict = ask(monkeypatch, "reject_rbl_client", argument)
    assert (verdict.reply if isinstance(verdict, Reject) else "") == reply


def test_ipv6(monkeypatch: Any) -> None:
    assert isinstance(ask(monkeypatch, "reject_rbl_client", "bl.example", address="2001:db8::1"), Reject)
    assert ask(monkeypatch, "reject_rbl_client", "bl.example", address="unknown") is DUNNO


@pytest.mark.parametrize(
    ("name", "reply"),
    [
        ("reject_rhsbl_client", blocked("client.example", "Client host")),
        ("reject_rhsbl_reverse_client", blocked("client.example", "Unverified Client host")),
        ("reject_rhsbl_helo", blocked("h.example", "Helo command")),
        ("reject_rhsbl_sender", blocked("a@s.example", "Sender address")),
        ("reject_rhsbl_recipient", blocked("user@ours.example", "Recipient address")),
    ],
)
def test_domains(monkeypatch: Any, name: str, reply: str) -> None:
    assert ask(monkeypatch, name, "dbl.example").reply == reply
    nobody = {"name": "unknown", "helo": None, "sender": "", "recipient": None}
    assert ask(monkeypatch, name, "dbl.example", **nobody) is DUNNO


@pytest.mark.parametrize("helo", ["[192.0.2.1]", "192.0.2.1", "a.7", ""])
def test_what_is_no_domain(monkeypatch: Any, helo: str) -> None:
    assert ask(monkeypatch, "reject_rhsbl_helo", "dbl.example", helo=helo) is DUNNO


def test_permitted(monkeypatch: Any) -> None:
    assert ask(monkeypatch, "permit_dnswl_client", "bl.example") is PERMIT
    assert ask(monkeypatch, "permit_rhswl_client", "dbl.example") is PERMIT
    assert ask(monkeypatch, "permit_dnswl_client", "bl.example", recipient="u@elsewhere.example") is DUNNO
    assert ask(monkeypatch, "permit_dnswl_client", "none.example") is DUNNO
    verdict = ask(monkeypatch, "permit_dnswl_client", "down.example")
    assert isinstance(verdict, DeferIfReject)
    assert verdict.reject.reply == "450 4.7.1 <198.51.100.7>: Client host rejected: Service unavailable"


def test_no_list(monkeypatch: Any) -> None:
    lines: list[str] = []
    assert ask(monkeypatch, "reject_rbl_client", "", lines) is DUNNO
    assert lines == ["warning: restriction reject_rbl_client requires domain name argument"]


def test_what_the_log_is_told(monkeypatch: Any) -> None:
    lines: list[str] = []
    ask(monkeypatch, "reject_rbl_client", "down.example", lines)
    ask(monkeypatch, "reject_rbl_client", "quiet.example", lines)
    assert lines == [
        f"warning: {REVERSED}.down.example: RBL lookup error: no {REVERSED}.down.example",
        f"warning: {REVERSED}.quiet.example: TXT lookup error: no {REVERSED}.quiet.example",
    ]


def test_answers_are_remembered() -> None:
    dns = FakeDns(KNOWN)
    lists = dnslists.DnsLists(dns)
    for _ in range(3):
        assert run_now(lists.ask(f"{REVERSED}.bl.example")).addresses == ("127.0.0.2", "127.0.0.10")
    assert len(dns.asked) == 2


def test_a_bad_pattern(monkeypatch: Any) -> None:
    lines: list[str] = []
    with pytest.raises(LookupFailed) as raised:
        ask(monkeypatch, "reject_rbl_client", "bl.example=127.0", lines)
    assert raised.value.reject is MISCONFIGURED
    assert lines == ['warning: RBL reply error: need "." at "127.0><"']


@pytest.mark.parametrize(
    ("template", "reply", "warning"),
    [
        ("450 $rbl_what$rbl_class$rbl_domain$rbl_code", "450 4.7.1 198.51.100.7Client hostbl.example554", ""),
        ("521 5.7.9 no", "521 5.7.9 no", ""),
        ("200 no", "450 4.7.1 Service unavailable", "rbl response code configuration error: 200 no"),
        ("554 ", "450 4.7.1 Service unavailable", "rbl response code configuration error: 554"),
        ("554 ${x", blocked("198.51.100.7", "Client host", "bl.example") + "; one / two", "rbl_reject_reply: bad rbl reply template for domain bl.example: 554 ${x"),
    ],
)  # fmt: skip
def test_replies(monkeypatch: Any, tmp_path: Any, template: str, reply: str, warning: str) -> None:
    (tmp_path / "replies").write_text(f"bl.example {template}\n")
    lines: list[str] = []
    verdict = ask(monkeypatch, "reject_rbl_client", "bl.example", lines, rbl_reply_maps=f"texthash:{tmp_path}/replies")
    assert verdict.reply == reply
    assert (lines[-1:] or ["warning: "])[0] == f"warning: {warning}"


def test_replies_that_fail(monkeypatch: Any) -> None:
    verdict = ask(monkeypatch, "reject_rbl_client", "bl.example", rbl_reply_maps="hash:/nowhere")
    assert verdict.reply == "451 4.3.5 Server configuration error"
    lines: list[str] = []
    verdict = ask(monkeypatch, "reject_rbl_client", "bl.example", lines, default_rbl_reply="${rbl")
    assert verdict is MISCONFIGURED
    assert lines == ["warning: default_rbl_reply: bad default rbl reply template: ${rbl"]
