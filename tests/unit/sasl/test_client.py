from __future__ import annotations

from typing import Any

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.log import log
from pyfix.runtime.task import run_now
from pyfix.sasl.client import ClientLogin, Login, LoginImpossible


def client(monkeypatch: Any, **main: str) -> ClientLogin:
    monkeypatch.setattr(log, "warning", lambda _text: None)
    snapshot = Snapshot({"smtp_sasl_password_maps": "static:joe:pw", "smtp_sasl_security_options": "", **main}, process_name="smtp")
    found = ClientLogin(SmtpClientSettings(snapshot), "smtp")
    found.open_tables()
    return found


@pytest.mark.parametrize(
    ("main", "login"),
    [
        ({}, Login("joe", "pw")),
        ({"smtp_sasl_password_maps": "inline:{[mx.example]:587=dest:pw}"}, Login("dest", "pw")),
        ({"smtp_sasl_password_maps": "inline:{mx.example=host:pw, [mx.example]:587=dest:pw}"}, Login("host", "pw")),
        ({"smtp_sasl_password_maps": "inline:{a@b.example=me:pw, mx.example=host:pw}"}, Login("host", "pw")),
        ({"smtp_sasl_password_maps": "inline:{a@b.example=me:pw, mx.example=host:pw}", "smtp_sender_dependent_authentication": "yes"}, Login("me", "pw")),
        ({"smtp_sasl_password_maps": "inline:{@b.example=dom:p:w}", "smtp_sender_dependent_authentication": "yes"}, Login("dom", "p:w")),
        ({"smtp_sasl_password_maps": "inline:{other=x}"}, None),
        ({"smtp_sasl_password_maps": "static:joe|p:w", "smtp_sasl_password_result_delimiter": "|"}, Login("joe", "p:w")),
    ],
    ids=range(8),
)
def test_whose_password(monkeypatch: Any, main: dict[str, str], login: Login | None) -> None:
    assert run_now(client(monkeypatch, **main).find("a@b.example", "mx.example", "[mx.example]:587")) == login


def test_settings(monkeypatch: Any) -> None:
    with pytest.raises(ConfigError, match="specify a password table via the `smtp_sasl_password_maps'"):
        client(monkeypatch, smtp_sasl_password_maps="")
    with pytest.raises(ConfigError, match="SASL library initialization"):
        client(monkeypatch, smtp_sasl_type="dovecot")
    with pytest.raises(LoginImpossible, match="SASL per-connection initialization failed"):
        client(monkeypatch, smtp_sasl_security_options="foo").mechanism(["PLAIN"], Login("joe", "pw"), "h", 25, encrypted=False, verified=False)


@pytest.mark.parametrize(("encrypted", "verified", "name"), [(False, False, None), (True, False, "CRAM-MD5"), (True, True, "PLAIN")])
def test_demands(monkeypatch: Any, encrypted: bool, verified: bool, name: str | None) -> None:
    known = client(
        monkeypatch, smtp_sasl_security_options="mutual_auth", smtp_sasl_tls_security_options="noplaintext",
        smtp_sasl_tls_verified_security_options="", smtp_sasl_mechanism_filter="!login, static:x",
    )  # fmt: skip
    offered = run_now(known.filtered(["PLAIN", "LOGIN", "CRAM-MD5"] if not verified else ["LOGIN", "PLAIN"]))
    assert "LOGIN" not in offered
    found = known.mechanism(offered, Login("joe", "pw"), "h", 25, encrypted=encrypted, verified=verified)
    assert (found and found.name) == name


def test_passwords_are_not_shown() -> None:
    assert "s3cret" not in repr(Login("joe", "s3cret"))
