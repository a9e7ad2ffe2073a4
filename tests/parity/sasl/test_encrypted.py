"""AUTH in sessions with TLS: what is offered before and in it, and what the service hears."""

from __future__ import annotations

import pytest

from tests.kit import requirements
from tests.kit.authdouble import AuthDouble, encoded
from tests.kit.comparison import KnownDifference
from tests.kit.instance import STRANGER, Instance
from tests.kit.parity import InstancePool, Parity
from tests.kit.tls import TlsDialogue, World, client_context
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .conftest import DOVECOT

pytestmark = [pytest.mark.reference, pytest.mark.root]

JOE = f"AUTH PLAIN {encoded('', 'joe', 'pw')}"
WRONG = f"AUTH PLAIN {encoded('', 'bare', 'pw')}"
MAIL = ("MAIL FROM:<a@b.example>", "RCPT TO:<x@elsewhere.example>")
SITES: dict[str, dict[str, str]] = {
    "may": {},
    "auth only": {"smtpd_tls_auth_only": "yes"},
    "must": {"smtpd_tls_security_level": "encrypt"},
    "plaintext inside": {"smtpd_sasl_security_options": "noplaintext, noanonymous", "smtpd_sasl_tls_security_options": "noanonymous"},
    "nothing inside": {"smtpd_sasl_tls_security_options": "mutual_auth"},
    "nothing outside": {"smtpd_sasl_security_options": "mutual_auth", "smtpd_sasl_tls_security_options": "noanonymous"},
    "auth only, nothing outside": {
        "smtpd_tls_auth_only": "yes", "smtpd_sasl_security_options": "mutual_auth", "smtpd_sasl_tls_security_options": "noanonymous",
    },
    "wrapped": {"smtpd_tls_wrappermode": "yes"},
    "wrapped, auth only": {"smtpd_tls_wrappermode": "yes", "smtpd_tls_auth_only": "yes"},
}  # fmt: skip


KNOWN = (
    *KNOWN_DIFFERENCES,
    KnownDifference(
        where="log",
        reference=None,
        pyfix=r"disconnect from unknown\[127\.0\.0\.1\] ehlo=2 starttls=0/1 auth=0/1 commands=2/4",
        reason="the reference's process has ended with a fatal line; ours goes on with other clients, and says what became of this one",
    ),
)


@pytest.mark.parametrize("name", SITES)
def test_sessions(instance_pool: InstancePool, world: World, name: str) -> None:
    requirements.need_reference("reference")
    wrapped = name.startswith("wrapped")

    def case(mta: Instance) -> list[str]:
        said = []
        with AuthDouble(mta.queue_directory / "private/auth") as double:
            context = client_context()
            with TlsDialogue(mta.host, mta.port, STRANGER, wrapped=context if wrapped else None) as dialogue:
                said.append(dialogue.greeting)
                if not wrapped:
                    said += dialogue.say_all(["EHLO c", WRONG, "EHLO c", "STARTTLS"])
                    if said[-1].startswith("220"):
                        said.append(dialogue.secure(context))
                if not said[-1][:3].isdigit() and "<closed>" not in said[-1]:
                    said += dialogue.say_all([JOE, "EHLO d", WRONG, JOE, *MAIL, "QUIT"])
            mta.wait_for_log(r"smtpd\[\d+\]: (disconnect from|fatal)")
            return said + double.asked

    main = DOVECOT | {
        "smtpd_tls_security_level": "may", "smtpd_tls_cert_file": f"{world.folder}/rsa.pem", "smtpd_tls_key_file": f"{world.folder}/rsa.key",
        "smtpd_tls_loglevel": "1", "smtpd_authorized_xclient_hosts": "", "tls_append_default_CA": "no", **SITES[name],
    }  # fmt: skip
    Parity(instance_pool, KNOWN, ("reference", "reference"))(
        case, main=main, replace={"smtpd": "pyfix"}, logs="smtpd", fresh=True
    )
