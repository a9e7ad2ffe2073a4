from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtp.dane import Dane
from pyfix.daemons.smtp.failure import Failure
from pyfix.daemons.smtp.server import Server, Vouched
from pyfix.formats.dnsrecord import TlsaRecord
from pyfix.runtime.dns import Answer, Status
from pyfix.tls.policy import BadPolicy, ClientPolicy

NAME = "_25._tcp.mx.example"
GOOD = TlsaRecord("TLSA", NAME, NAME, 300, 3, 1, 1, bytes(32))
SIGNED = Vouched(host=True, names=("mx.example", "mx.example"), exchange=True, domains=("dest.example",))


class Resolver:
    """Knows one answer."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.asked: list[tuple[str, str]] = []

    async def query(self, name: str, kind: str, *, dnssec: bool = False) -> Answer:
        assert dnssec
        self.asked.append((name, kind))
        return self._answer


def resolved(level: str, vouched: Vouched, answer: Answer, *, port: int = 25, main: Mapping[str, str] | None = None) -> tuple[ClientPolicy | Failure, list[tuple[str, str]]]:
    settings = SmtpClientSettings(Snapshot({"compatibility_level": "3.11", **(main or {})}, process_name="smtp"))
    dane = Dane(settings, lambda level: ClientPolicy(level, grade=f"of {level}"), prefix="smtp", dnssec=True)
    resolver: Any = Resolver(answer)
    dane.ask(resolver)
    server = Server("dest.example", "mx.example", "192.0.2.1", port, vouched=vouched)
    return asyncio.run(dane.resolve(ClientPolicy(level, grade=f"of {level}", match=("own",)), server)), resolver.asked


def answer(*records: TlsaRecord, status: Status = Status.OK, validated: bool = True) -> Answer:
    return Answer(status, NAME, records, validated=validated)


@pytest.mark.parametrize(
    ("vouched", "said", "level"),
    [
        (SIGNED, answer(GOOD), "dane"),
        (SIGNED._replace(exchange=None), answer(GOOD), "dane"),
        (SIGNED._replace(exchange=False), answer(GOOD), "halfdane"),
        (SIGNED, answer(GOOD, validated=False), "may"),
        (SIGNED, answer(status=Status.NOT_FOUND), "may"),
        (SIGNED._replace(host=False), answer(GOOD), "may"),
    ],
)
def test_levels(vouched: Vouched, said: Answer, level: str) -> None:
    found, asked = resolved("dane", vouched, said)
    assert isinstance(found, ClientPolicy) and found.level == level and found.match == ("own",)
    assert (found.proof is None) is (level == "may") and found.grade == ("of may" if level == "may" else "of dane")
    assert asked == ([(NAME, "TLSA")] if vouched.host else [])


@pytest.mark.parametrize(
    ("vouched", "said", "reason"),
    [
        (SIGNED._replace(exchange=False), answer(GOOD), "non DNSSEC destination"),
        (SIGNED, answer(status=Status.NO_DATA), "no TLSA records found"),
        (SIGNED, answer(TlsaRecord("TLSA", NAME, NAME, 300, 1, 1, 1, bytes(32))), "TLSA records unusable"),
        (SIGNED, answer(status=Status.RETRY), "TLSA lookup error for mx.example:25"),
    ],
)
def test_mail_waits_where_proof_is_a_must(vouched: Vouched, said: Answer, reason: str) -> None:
    assert resolved("dane-only", vouched, said)[0] == Failure("4.7.5", reason)


def test_a_lookup_that_fails_is_no_reason_to_go_without() -> None:
    assert resolved("dane", SIGNED, answer(status=Status.RETRY))[0] == Failure("4.7.5", "TLSA lookup error for mx.example:25")


def test_an_alias_is_vouched_for_by_itself() -> None:
    vouched = SIGNED._replace(host=False, names=("mx.example", "real.example"))
    found, asked = resolved("dane", vouched, answer(GOOD))
    assert isinstance(found, ClientPolicy) and found.level == "dane"
    assert asked == [("mx.example", "CNAME"), (NAME, "TLSA")]


def test_a_policy_that_is_none() -> None:
    with pytest.raises(ConfigError):
        resolved("dane", SIGNED, answer(GOOD), main={"smtp_tls_dane_insecure_mx_policy": "dane-only"})


def test_settings_that_make_it_impossible() -> None:
    for main in ({"ignore_mx_lookup_error": "yes"}, {"smtp_dns_resolver_options": "res_dnsrch"}, {"smtp_host_lookup": "native"}):
        found, asked = resolved("dane", SIGNED, answer(GOOD), main=main)
        assert isinstance(found, ClientPolicy) and found.level == "may" and not asked
        with pytest.raises(BadPolicy):
            resolved("dane-only", SIGNED, answer(GOOD), main=main)
    with pytest.raises(BadPolicy):
        resolved("dane", SIGNED, answer(GOOD), port=0)
