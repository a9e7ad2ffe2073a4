"""Macros that tell of TLS and of AUTH: at which stage each milter hears them, and with which value.

Source: MILTER_README "What macros does Postfix send"; postconf(5) milter_*_macros.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kit.authdouble import AuthDouble, encoded
from tests.kit.instance import STRANGER, TRUSTED, Instance
from tests.kit.milter import CONTINUE, Script, ScriptedMilter, add_header
from tests.kit.parity import Parity
from tests.kit.smtp import Line
from tests.kit.tls import FAILED, TlsDialogue, World, client_context

from .sides import LATER, LOGS, prepare, seen, wait_for_cleanup
from .test_sessions import STAGES

pytestmark = [pytest.mark.reference, pytest.mark.root]

SHOWN = (
    "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer} {auth_type} {auth_authen} {auth_author} {auth_ssf} "
    "{client_name} {daemon_name}"
)
MAIL: tuple[Line, ...] = (
    "MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", "RCPT TO:<nobody@ours.example>", "DATA", "Subject: x\r\n\r\nhello\r\n.",
)  # fmt: skip
JOE = f"AUTH PLAIN {encoded('', 'joe', 'pw')}"
AS_ANOTHER = f"AUTH PLAIN {encoded('other', 'realm@ours.example', 'pw')}"
WRONG = f"AUTH PLAIN {encoded('', 'bare', 'pw')}"
OWN = "MAIL FROM:<a@b.example> AUTH=author@b.example"
VISITS: dict[str, tuple[str | None, tuple[Line, ...], tuple[Line, ...]]] = {
    "TLS": (None, ("EHLO c.example",), ("EHLO d.example", *MAIL, "QUIT")),
    "TLS, nothing said before": (None, (), ("EHLO d.example", *MAIL, "QUIT")),
    "TLS, HELO": (None, ("EHLO c.example",), ("HELO d.example", *MAIL, "QUIT")),
    "certificate": ("client", ("EHLO c.example",), ("EHLO d.example", *MAIL, "QUIT")),
    "certificate of nobody's": ("self", ("EHLO c.example",), ("EHLO d.example", *MAIL, "QUIT")),
    "mail before TLS": (None, ("EHLO c.example", *MAIL), ("EHLO d.example", *MAIL, "FOO", "QUIT")),
    "login in TLS": ("client", ("EHLO c.example",), ("EHLO d.example", JOE, *MAIL, *MAIL, "QUIT")),
    "login for another": (None, ("EHLO c.example",), ("EHLO d.example", AS_ANOTHER, OWN, *MAIL[1:], "QUIT")),
    "login before TLS": (None, ("EHLO c.example", JOE, *MAIL), ("EHLO d.example", *MAIL, "QUIT")),
    "failed login": (None, ("EHLO c.example",), ("EHLO d.example", WRONG, *MAIL, "QUIT")),
    "login, then XCLIENT": (
        "client", ("EHLO c.example",), ("EHLO d.example", JOE, "XCLIENT NAME=e.example ADDR=192.0.2.1", "EHLO e.example", *MAIL, "QUIT"),
    ),
    "login, greeted again, RSET": (None, ("EHLO c.example",), ("EHLO d.example", JOE, "EHLO e.example", "RSET", *MAIL, "QUIT")),
    "wrapped": ("client", (), ("EHLO d.example", JOE, *MAIL, "QUIT")),
    "no TLS": (None, ("EHLO c.example", JOE, *MAIL, "QUIT"), ()),
}  # fmt: skip


def _visit(milter: ScriptedMilter, world: World, name: str, client: str) -> Callable[[Instance], str]:
    certificate, before, after = VISITS[name]

    def case(mta: Instance) -> str:
        scripts = {milter: Script({"eom": [add_header("X-Seen", "yes"), CONTINUE]})}
        prepare(scripts)
        pair = (world.file(f"{certificate}.pem"), world.file(f"{certificate}.key")) if certificate else None
        context = client_context(certificate=pair)
        wrapped = context if name == "wrapped" else None
        said: list[str] = []
        with (
            AuthDouble(mta.queue_directory / "private/auth"),
            TlsDialogue(mta.host, mta.port, client, wrapped=wrapped) as dialogue,
        ):
            dialogue.say_all(before)
            if after and wrapped is None:
                said += dialogue.say_all(["STARTTLS"])
                said.append(dialogue.secure(context))
                assert said[-1] != FAILED
            dialogue.say_all(after)
        wait_for_cleanup(mta)
        return "\n".join([*said, seen(mta, scripts)])

    return case


@pytest.mark.parametrize("macros", ["standard", "all"])
@pytest.mark.parametrize("name", VISITS)
def test_macros(parity: Parity, milter: ScriptedMilter, world: World, name: str, macros: str) -> None:
    main = {
        "smtpd_milters": milter.endpoint, "smtpd_tls_security_level": "may", "smtpd_tls_ask_ccert": "yes", "tls_append_default_CA": "no",
        "smtpd_tls_cert_file": world.file("rsa.pem"), "smtpd_tls_key_file": world.file("rsa.key"), "smtpd_tls_CAfile": world.file("ca.pem"),
        "smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth",
        "smtpd_authorized_xclient_hosts": f"{TRUSTED} {STRANGER}", "smtpd_error_sleep_time": "0", **LATER,
        **({"smtpd_tls_wrappermode": "yes"} if name == "wrapped" else {}),
        **({f"milter_{stage}_macros": SHOWN for stage in STAGES} if macros == "all" else {}),
    }  # fmt: skip
    parity(_visit(milter, world, name, STRANGER), main=main, logs=LOGS)
