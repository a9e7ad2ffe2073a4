"""TLS in smtp(8): each level with each kind of server; what is sent, logged and recorded.

Source: TLS_README "SMTP Client specific settings"; postconf(5) smtp_tls_*.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.parity import InstancePool, Parity
from tests.kit.tls import World
from tests.kit.tlspeer import Manner, Server
from tests.parity.known_differences import KNOWN_DIFFERENCES


@dataclass(frozen=True)
class Case:
    """One delivery."""

    label: str
    main: Mapping[str, str]
    manner: Manner = field(default_factory=Manner)
    policy: str = ""


CA = {"smtp_tls_CAfile": "{w}/ca.pem"}
GOOD = Manner()


def _level(level: str, **main: str) -> dict[str, str]:
    return {"smtp_tls_security_level": level, **{f"smtp_tls_{name}": value for name, value in main.items()}}


_CASES = [
    *(Case(f"{level}, unknown authority", _level(level)) for level in ("none", "may", "encrypt", "verify", "secure", "fingerprint", "dane", "dane-only")),
    *(Case(f"{level}, no offer", _level(level), Manner(offers=False)) for level in ("none", "may", "encrypt", "verify", "secure")),
    *(
        Case(f"{level}, {answer}", _level(level), Manner(answer=answer))
        for level in ("may", "encrypt")
        for answer in ("454 4.7.0 not now", "502 5.5.1 never", "554 no")
    ),
    *(Case(f"{level}, {then}", _level(level), Manner(then=then)) for level in ("may", "encrypt") for then in ("garbage", "close", "reset", "injection")),
    *(
        Case(f"secure, {match}", {**_level("secure", secure_cert_match=match), **CA})
        for match in ("nexthop", "hostname", "dot-nexthop", "rsa.example", "RSA.Example", ".example", "a.wild.rsa.example", "a.b.wild.rsa.example", "x, rsa.example", "x:rsa.example")
    ),
    Case("one label", {**_level("secure", secure_cert_match="a.b.wild.rsa.example"), **CA, "tls_wildcard_matches_multiple_labels": "no"}),
    Case("verify", {**_level("verify", verify_cert_match="rsa.example"), **CA}),
    Case("signed by itself", {**_level("verify", verify_cert_match="self.example"), **CA}, Manner("self")),
    Case("expired", {**_level("verify", verify_cert_match="old.example"), **CA}, Manner("old")),
    Case("may with authority", {**_level("may"), **CA}),
    Case("EC", _level("may"), Manner("ec")),
    Case("ED25519", _level("may"), Manner("ed")),
    Case("TLS 1.2", _level("encrypt"), Manner(highest=ssl.TLSVersion.TLSv1_2)),
    Case("TLS 1.3 only", _level("encrypt", mandatory_protocols=">=TLSv1.3"), Manner(highest=ssl.TLSVersion.TLSv1_2)),
    Case("optional protocols", _level("may", protocols=">=TLSv1.3"), Manner(highest=ssl.TLSVersion.TLSv1_2)),
    Case("wrapped", _level("encrypt", wrappermode="yes"), Manner(wrapped=True)),
    Case("wrapped, may", _level("may", wrappermode="yes"), Manner(wrapped=True)),
    Case("client certificate", _level("encrypt", cert_file="{w}/client.pem", key_file="{w}/client.key"), Manner(asks=True)),
    Case("client chain", _level("encrypt", chain_files="{w}/client2.chain"), Manner(asks=True)),
    Case("no key, encrypt", _level("encrypt", cert_file="{w}/client.pem", key_file="/nonexistent")),
    Case("no key, may", _level("may", cert_file="{w}/client.pem", key_file="/nonexistent")),
    Case("no authority file", _level("encrypt", CAfile="/nonexistent")),
    Case("bad protocols", _level("may", protocols="nonsense")),
    Case("bad grade", _level("may", ciphers="nonsense")),
    Case("bad exclusion", _level("may", exclude_ciphers="!RC4")),
    Case("bad digest", _level("may", fingerprint_digest="nonsense")),
    Case("old may", {"smtp_tls_security_level": "", "smtp_use_tls": "yes"}),
    Case("old must", {"smtp_tls_security_level": "", "smtp_enforce_tls": "yes"}),
    Case("old must, any peer", {"smtp_tls_security_level": "", "smtp_enforce_tls": "yes", "smtp_tls_enforce_peername": "no"}),
    Case("offer noted", _level("none", note_starttls_offer="yes")),
    Case("fingerprint", _level("fingerprint", fingerprint_cert_match="{print:rsa}")),
    Case("key's fingerprint", _level("fingerprint", fingerprint_cert_match="{key:rsa}")),
    Case("another's fingerprint", _level("fingerprint", fingerprint_cert_match="{print:ec}")),
    Case("SNI", _level("may", servername="mx.example")),
    Case("SNI of the host", _level("may", servername="hostname")),
    *(
        Case(f"level {level} of the log", {**_level("verify", verify_cert_match="rsa.example", loglevel=level), **CA})
        for level in ("0", "peercert", "certmatch, summary", "untrusted")
    ),
    *(Case(f"site {value}", {"smtp_tls_security_level": "", "smtp_tls_per_site": f"static:{value}"}) for value in ("NONE", "may", "MUST", "MUST_NOPEERMATCH", "nonsense")),
    *(
        Case(f"policy {text}", {**_level("may"), **CA}, GOOD, text)
        for text in (
            "none", "none match=x", "may", "encrypt protocols=TLSv1.2 ciphers=high exclude=AES256", "encrypt foo=bar", "encrypt protocols",
            "encrypt protocols=", "encrypt protocols=nonsense", "encrypt ciphers=nonsense", "encrypt ciphers=high ciphers=low", "nonsense",
            "secure match=rsa.example", "secure match=x:rsa.example match=y", "secure match=x", "secure match=", "encrypt match=x",
            "verify match=hostname", "fingerprint match={print:rsa}", "fingerprint match={key:rsa}", "fingerprint match={print:ec}|{print:rsa}",
            "fingerprint match={key:ec}|{bare:rsa}", "fingerprint match=xy|{print:rsa}", "fingerprint", "secure match=rsa.example servername=sni.example", "may servername=nexthop", "encrypt connection_reuse=no",
            "encrypt connection_reuse=x", "encrypt enable_rpk=x", "encrypt policy_ttl=5", "encrypt tafile=/x", "dane", "dane-only",
            "secure tafile={w}/ca.pem match=rsa.example",
        )
    ),
    Case("policy table fails", {**_level("may"), "smtp_tls_policy_maps": "fail:x"}),
]  # fmt: skip
CASES = sorted(_CASES, key=lambda case: (sorted(case.main.items()), bool(case.policy)))
"""Those of one configuration together, as they share a running system."""


@pytest.fixture(scope="module")
def listeners() -> Iterator[list[socket.socket]]:
    """One for each case, as policies are looked up by it."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in CASES]


def _fill(text: str, world: World) -> str:
    import hashlib
    import re

    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    def digest(found: re.Match[str]) -> str:
        certificate = x509.load_pem_x509_certificate(Path(world.file(f"{found[2]}.pem")).read_bytes())
        content = (
            certificate.public_bytes(Encoding.DER)
            if found[1] != "key"
            else certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )
        found_digest = hashlib.sha256(content).digest()
        return found_digest.hex() if found[1] == "bare" else found_digest.hex(":").upper()

    return re.sub(r"\{(print|key|bare):(\w+)\}", digest, text).replace("{w}", str(world.folder))


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.label for case in CASES])
def test_deliveries(instance_pool: InstancePool, world: World, listeners: list[socket.socket], number: int) -> None:
    requirements.need_reference("reference")
    tried, listener = CASES[number], listeners[number]
    ports = [entry.getsockname()[1] for entry in listeners]

    def case(mta: Any) -> Sequence[str]:
        server = Server(world, tried.manner, listener)
        queue_id = mta.send_message(f"x@case{number}.example", sender="")
        mta.wait_for_log(rf"{queue_id}: to=<")
        server.release(listener)
        mta.run("postsuper", "-d", "ALL")
        return list(server.said)

    main = {
        "smtp_tls_loglevel": "1", "transport_maps": "texthash:{dir}/etc/transport", "smtp_tls_fingerprint_digest": "sha256",
        "smtpd_tls_security_level": "none", "notify_classes": "",
        **({"smtp_tls_policy_maps": "texthash:{dir}/etc/policy"} if tried.policy else {}),
        **{name: _fill(value, world) for name, value in tried.main.items()},
    }  # fmt: skip
    numbered = list(zip(CASES, ports, strict=True))
    files = {
        "policy": "".join(f"[127.0.0.1]:{port} {_fill(other.policy, world)}\n" for other, port in numbered if other.policy),
        "transport": "".join(f"case{n}.example smtp:[127.0.0.1]:{port}\n" for n, port in enumerate(ports)),
    }
    Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))(
        case, main=main, files=files, replace={"smtp": "pyfix"}, logs="smtp"
    )


@pytest.mark.parametrize(("level", "sessions"), [("may", 3), ("encrypt", 2)])
def test_a_second_try(instance_pool: InstancePool, world: World, level: str, sessions: int) -> None:
    """Where TLS is no must, a message that has waited for it once goes in the clear when it fails again."""
    requirements.need_reference("reference")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def case(mta: Any) -> Sequence[str]:
            server = Server(world, Manner(then="garbage"), listener, sessions=sessions)
            queue_id = mta.send_message("x@dest.example", sender="")
            mta.wait_for_log(rf"{queue_id}: to=<")
            # Not before: a first try that is late, on a machine that is busy, would be taken for the second.
            mta.write_main(minimal_backoff_time="1s")
            mta.reload()
            time.sleep(1.5)
            mta.run("postqueue", "-f")
            mta.wait_for_log(rf"{queue_id}: to=<", count=2)
            server.close()
            mta.run("postsuper", "-d", "ALL")
            return list(server.said)

        main = {
            **_level(level, loglevel="1"), "default_transport": f"smtp:[127.0.0.1]:{listener.getsockname()[1]}",
            "minimal_backoff_time": "1000s", "maximal_backoff_time": "1000s", "smtpd_tls_security_level": "none",
        }  # fmt: skip
        Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))(
            case, main=main, replace={"smtp": "pyfix"}, logs="smtp", fresh=True
        )
