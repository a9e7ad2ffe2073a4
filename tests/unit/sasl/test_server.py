from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.log import log
from pyfix.sasl.server import Authentication
from pyfix.sasl.service import ServiceFatal
from tests.kit.authdouble import AuthDouble
from tests.unit.runtime.forked import on_loop


def authentication(monkeypatch: Any, **main: str) -> Authentication:
    monkeypatch.setattr(log, "warning", lambda _text: None)
    snapshot = Snapshot({"myhostname": "mail.ours.example", "smtpd_sasl_type": "dovecot", **main}, process_name="smtpd")
    return Authentication(snapshot, SmtpdSettings(snapshot))


def offered(monkeypatch: Any, path: Path, *, encrypted: bool = False, **main: str) -> str:
    async def test() -> str:
        try:
            offer = await authentication(monkeypatch, smtpd_sasl_path=f"{path}/auth", **main).offer(encrypted=encrypted)
        except ServiceFatal as error:
            return str(error)
        return offer.announced

    return on_loop(test)


@pytest.mark.parametrize(
    ("main", "plain", "encrypted"),
    [
        ({}, "PLAIN LOGIN CRAM-MD5", "PLAIN LOGIN CRAM-MD5"),
        ({"smtpd_sasl_security_options": "noplaintext", "smtpd_sasl_tls_security_options": "noanonymous"}, "CRAM-MD5", "PLAIN LOGIN CRAM-MD5"),
        ({"smtpd_sasl_mechanism_filter": "login"}, "LOGIN", "LOGIN"),
        ({"smtpd_sasl_mechanism_filter": "!plain, static:x"}, "LOGIN CRAM-MD5", "LOGIN CRAM-MD5"),
        ({"smtpd_sasl_security_options": "mutual_auth"}, *["no SASL authentication mechanisms"] * 2),
        ({"smtpd_sasl_mechanism_filter": "x"}, *["smtpd_sasl_mechanism_filter discards all mechanisms in 'PLAIN LOGIN CRAM-MD5'"] * 2),
    ],
)
def test_offers(monkeypatch: Any, tmp_path: Path, main: dict[str, str], plain: str, encrypted: str) -> None:
    with AuthDouble(tmp_path / "auth"):
        assert offered(monkeypatch, tmp_path, **main) == plain
        assert offered(monkeypatch, tmp_path, encrypted=True, **main) == encrypted


def test_nobody_there_is_no_open_door(monkeypatch: Any, tmp_path: Path) -> None:
    assert offered(monkeypatch, tmp_path) == "no SASL authentication mechanisms"


def test_types(monkeypatch: Any) -> None:
    with pytest.raises(ConfigError, match="SASL per-process initialization failed"):
        authentication(monkeypatch, smtpd_sasl_type="foo")
