from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtp.encryption import Encryption, Unusable
from pyfix.daemons.smtp.server import Server
from pyfix.protocols.smtp.client_reply import Reply
from pyfix.runtime.log import log
from pyfix.runtime.task import run_now
from pyfix.tls.facts import TlsFacts
from pyfix.tls.policy import ClientPolicy

SERVER = Server("dest.example", "mx.dest.example", "192.0.2.1", 25)


def encryption(level: str = "may", *, dnssec: bool = False, opened: bool = True, **main: str) -> Encryption:
    settings = SmtpClientSettings(Snapshot({"compatibility_level": "3.11", "tls_append_default_CA": "no", **main}))
    found = Encryption(settings, prefix="smtp", level=level, dnssec=dnssec, service="smtp")
    if opened:
        found.open()
    return found


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(log, "info", found.append)
    monkeypatch.setattr(log, "warning", lambda text: found.append(f"warning: {text}"))
    return found


def level_for(found: Encryption, server: Server = SERVER) -> str:
    policy = run_now(found.policy(server))
    return policy.tls if isinstance(policy, Unusable) else policy.level


def test_levels() -> None:
    assert [level_for(encryption(level)) for level in ("none", "may", "encrypt", "verify", "secure")] == [
        "none",
        "may",
        "encrypt",
        "verify",
        "secure",
    ]
    optional, must = (
        run_now(encryption("may", smtp_tls_ciphers="high").policy(SERVER)),
        run_now(encryption("encrypt").policy(SERVER)),
    )
    assert isinstance(optional, ClientPolicy) and isinstance(must, ClientPolicy)
    assert (optional.grade, must.grade) == ("high", "medium")


def test_policy_tables(lines: list[str]) -> None:
    table = "inline:{{dest.example = encrypt}, {.parent.example = none match=x}, {[mx.example]:25 = secure}, {bad.example = x}}"
    found = encryption(smtp_tls_policy_maps=table)
    for destination, level in (
        ("dest.example", "encrypt"), ("a.b.parent.example", "none"), ("parent.example", "may"), ("[mx.example]:25", "secure"),
        ("[a.parent.example]", "may"), ("bad.example", "unknown?"),
    ):  # fmt: skip
        assert level_for(found, SERVER._replace(destination=destination)) == level, destination
    assert lines == [
        'warning: smtp_tls_policy_maps, next-hop destination ".parent.example": ignoring attribute "match=x" with TLS disabled',
        'warning: smtp_tls_policy_maps, next-hop destination "bad.example": invalid security level "x"',
        "warning: TLS policy lookup for bad.example/mx.dest.example: client TLS configuration problem",
    ]


def test_a_table_that_fails(lines: list[str]) -> None:
    assert level_for(encryption(smtp_tls_policy_maps="fail:x")) == "unknown?"
    assert lines[-2] == 'warning: smtp_tls_policy_maps, next-hop destination "dest.example": policy table lookup error'
    assert level_for(encryption(smtp_tls_per_site="fail:x")) == "unknown?"


def test_sites(lines: list[str]) -> None:
    assert level_for(encryption("none", smtp_tls_per_site="inline:{mx.dest.example=MUST}")) == "verify"
    assert level_for(encryption("encrypt", smtp_tls_per_site="inline:{x=MUST}")) == "encrypt"
    assert level_for(encryption("none", smtp_tls_per_site="inline:{mx.dest.example=x}")) == "unknown?"
    assert lines[0] == "warning: smtp_tls_per_site: unknown TLS policy 'x' for server hostname mx.dest.example"


def test_what_can_not_be_followed(lines: list[str]) -> None:
    assert level_for(encryption("fingerprint")) == "unknown?"
    assert lines[0].endswith("configured at fingerprint security level, but with no fingerprints to match.")
    assert level_for(encryption("may", smtp_tls_wrappermode="yes")) == "may?"
    assert lines[-1] == 'warning: smtp_tls_wrappermode requires "smtp_tls_security_level = encrypt" (or stronger)'


def test_dane_without_a_resolver(lines: list[str]) -> None:
    for dnssec in (False, True):
        assert level_for(encryption("dane", dnssec=dnssec)) == "may" and level_for(encryption("dane-only", dnssec=dnssec)) == "unknown?"
    assert lines[-1] == "warning: TLS policy lookup for dest.example/mx.dest.example: client TLS configuration problem"


class FakeTls:
    def __init__(self, facts: TlsFacts | None) -> None:
        self._facts = facts

    async def connect(self, *_: object) -> TlsFacts | None:
        return self._facts


class FakeSession(SimpleNamespace):
    """A session whose server offers STARTTLS and answers it."""

    def __init__(self, answer: str = "220 2.0.0 go", offer: tuple[str, ...] = ("STARTTLS",)) -> None:
        super().__init__(
            server=SERVER,
            offer=offer,
            tls="",
            lost=False,
            encrypted=None,
            said=[],
            stream=None,
            level="may",
            forgotten=False,
        )
        self._answer = answer

    def say(self, text: str) -> None:
        self.said.append(text)

    async def reply(self, _timeout: float) -> Reply:
        code, status, _ = self._answer.split(" ", 2)
        return Reply(int(code), status, self._answer)

    def forget_input(self) -> None:
        self.forgotten = True


GOOD = TlsFacts("TLSv1.3", "X", 256, 256)
PROVEN = TlsFacts("TLSv1.3", "X", 256, 256, trusted=True, matched=True)
NO_OFFER: dict[str, Any] = {"offer": ()}
REFUSED = {"answer": "454 4.7.0 not now"}


@pytest.mark.parametrize(
    ("level", "session", "facts", "failure", "tls"),
    [
        ("none", {}, GOOD, "", "none"),
        ("may", {}, GOOD, "", "may"),
        ("encrypt", {}, GOOD, "", "encrypt"),
        ("may", NO_OFFER, GOOD, "", "may:none"),
        ("encrypt", NO_OFFER, GOOD, "4.7.4 TLS is required, but was not offered by host mx.dest.example[192.0.2.1]", "!encrypt"),
        ("may", REFUSED, GOOD, "", "may:none"),
        ("encrypt", REFUSED, GOOD, "4.7.0 TLS is required, but host mx.dest.example[192.0.2.1] refused to start TLS: 454 4.7.0 not now", "!encrypt"),
        ("may", {}, None, "4.7.5 Cannot start TLS: handshake failure", "may?"),
        ("secure", {}, GOOD, "4.7.5 Server certificate not verified", "!secure"),
        ("secure", {}, PROVEN, "", "secure"),
    ],
)  # fmt: skip
def test_starts(level: str, session: dict[str, Any], facts: TlsFacts | None, failure: str, tls: str) -> None:
    found, talk = encryption(level), FakeSession(**session)
    found._tls = FakeTls(facts)  # type: ignore[assignment]  # it does what is needed
    result = run_now(found.start(talk, ClientPolicy(level)))  # type: ignore[arg-type]  # as above
    assert (f"{result.status} {result.reason}" if result else "", talk.tls) == (failure, tls)
    assert talk.forgotten is (talk.said == ["STARTTLS"] and not session)  # what was said ahead of TLS does not count


def test_no_engine(lines: list[str]) -> None:
    for level, failure, tls in (
        ("may", None, "may:none"),
        ("encrypt", "TLS is required, but our TLS engine is unavailable", "encrypt?"),
    ):
        found, talk = encryption(level, smtp_tls_CAfile="/nonexistent"), FakeSession()
        result = run_now(found.start(talk, ClientPolicy(level)))  # type: ignore[arg-type]  # it does what is needed
        assert (result.reason if result else None, talk.tls) == (failure, tls)


def test_offers_that_are_noted(lines: list[str]) -> None:
    run_now(encryption("none", smtp_tls_note_starttls_offer="yes").start(FakeSession(), ClientPolicy("none")))  # type: ignore[arg-type]  # as above
    assert lines == ["Host offered STARTTLS: [mx.dest.example]"]


def test_sessions_that_are_kept() -> None:
    session: Any = FakeSession()
    assert run_now(encryption("may").fits(session)) and not run_now(encryption("encrypt").fits(session))
    assert run_now(encryption("none", opened=False).fits(session))
