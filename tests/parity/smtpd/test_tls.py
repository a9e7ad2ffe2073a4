"""TLS in smtpd: what is said, logged and written into headers, with each kind of key, client and setting.

Source: TLS_README; postconf(5) smtpd_tls_*, tls_*.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.comparison import KnownDifference
from tests.kit.instance import STRANGER, TRUSTED
from tests.kit.parity import InstancePool, Parity
from tests.kit.smtp import Line, Raw, dot_stuffed
from tests.kit.tls import FAILED, TlsDialogue, World, client_context
from tests.parity.known_differences import KNOWN_DIFFERENCES

V = ssl.TLSVersion
MAIL: tuple[Line, ...] = (
    "EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>", "DATA",
    dot_stuffed(b"Subject: x\n\nHello.\n"), "QUIT",
)  # fmt: skip
RELAY: tuple[Line, ...] = ("EHLO x", "MAIL FROM:<a@client.example>", "RCPT TO:<x@elsewhere.example>", "QUIT")
HELLO: tuple[Line, ...] = ("EHLO client.example", "QUIT")


@dataclass(frozen=True)
class Visit:
    """One session: what is said before TLS, how TLS begins, what is said in it."""

    label: str
    before: tuple[Line, ...] = ("EHLO client.example", "STARTTLS")
    after: tuple[Line, ...] = HELLO
    context: Mapping[str, Any] = field(default_factory=dict)
    certificate: str = ""
    name: str = ""
    wrapped: bool = False
    resets: bool = False
    """Begin a handshake, and reset the connection."""
    plain: bool = False
    client: str = STRANGER


PLAIN_TEXT = Visit(
    "plain", plain=True, after=(),
    before=(
        "EHLO x", "NOOP", "RSET", "VRFY x", "ETRN x", "HELP", "AUTH PLAIN", "MAIL FROM:<a@client.example>",
        "RCPT TO:<user@ours.example>", "DATA x", "BDAT x", "STARTTLS x", "XFORWARD ADDR=1.2.3.4", "HELO x", "NONSENSE", "QUIT",
    ),
)  # fmt: skip
ANY = Visit("any", after=MAIL)
TLS12 = Visit("TLS 1.2", after=MAIL, context={"highest": V.TLSv1_2})
TLS12_DHE = Visit("DHE", context={"highest": V.TLSv1_2, "ciphers": "DHE+AES"})
TLS12_RSA = Visit("RSA", context={"highest": V.TLSv1_2, "ciphers": "kRSA+AES"})
TLS12_EC = Visit("ECDSA", context={"highest": V.TLSv1_2, "ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"})
TLS12_CBC = Visit("CBC", context={"highest": V.TLSv1_2, "ciphers": "ECDHE-RSA-AES128-SHA"})
TLS11 = Visit("TLS 1.1", context={"lowest": V.TLSv1, "highest": V.TLSv1_1})
P384 = Visit("P-384", context={"groups": "secp384r1"})
AGAIN = Visit("again", after=("STARTTLS", "EHLO x", "STARTTLS", "STARTTLS x", "QUIT"))
ENVELOPE = Visit(
    "in the middle", before=("EHLO x", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>", "STARTTLS"),
    after=("DATA", "RCPT TO:<user@ours.example>", "MAIL FROM:<a@client.example>", "QUIT"),
)  # fmt: skip
NO_EHLO = Visit("without EHLO", before=("STARTTLS",), after=("MAIL FROM:<a@client.example>", *MAIL[2:]))
HELO = Visit("HELO", before=("HELO x", "STARTTLS"), after=("HELO y", *MAIL[1:]))
RESET = Visit("reset in the handshake", resets=True)
ONCE_EXTENDED = (
    Visit("EHLO, then HELO", after=("HELO y", *MAIL[1:])),
    Visit("EHLO, then no greeting", after=MAIL[1:]),
    Visit("EHLO, then HELO and commands in a group", after=("HELO y", Raw(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<user@ours.example>\r\n"), "QUIT")),
    Visit("EHLO, then commands in a group", after=(Raw(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<user@ours.example>\r\n"), "QUIT")),
)
"""Whoever has said EHLO before the handshake speaks ESMTP behind it, whatever he greets with."""
UTF8 = Visit("SMTPUTF8", after=("EHLO x", "MAIL FROM:<a@client.example> SMTPUTF8", *MAIL[2:]))
REQUIRETLS = Visit(
    "REQUIRETLS",
    after=("EHLO x", "MAIL FROM:<a@client.example> REQUIRETLS=x", "MAIL FROM:<a@client.example> REQUIRETLS", *MAIL[2:]),
)
REQUIRETLS_EARLY = Visit("REQUIRETLS without TLS", plain=True, before=("EHLO x", "MAIL FROM:<> REQUIRETLS", "QUIT"), after=())
XCLIENT = Visit(
    "XCLIENT", client=TRUSTED, certificate="client",
    after=("XCLIENT ADDR=192.0.2.1 NAME=x.example", "EHLO x", "STARTTLS", *RELAY[1:]),
)  # fmt: skip
GROUP = Visit("pipelining inside", after=("EHLO x", b"RSET\r\nNOOP\r\n", "QUIT"))
CERTIFIED = [Visit(f"certificate {name}", certificate=name, after=MAIL) for name in ("client", "client2", "self", "old", "ed")]
RELAYING = [Visit(f"relaying with {name or 'none'}", certificate=name, after=RELAY) for name in ("", "client", "client2", "self")]
NAMED = [Visit(f"name {name}", name=name) for name in ("ec.example", "EC.Example", "x.wild.example", "other.example", "broken.example", "under_score.example")]
WRAPPED = Visit("wrapped", wrapped=True, before=(), after=MAIL)
WRAPPED_AGAIN = Visit("STARTTLS in wrapped", wrapped=True, before=(), after=("EHLO x", "STARTTLS", "QUIT"))
GARBAGE = Visit("garbage", plain=True, before=("EHLO x", "STARTTLS", b"this is no TLS\r\n" * 4), after=())
GARBAGE_WRAPPED = Visit("garbage to wrapped", plain=True, before=(b"EHLO x\r\n",), after=(), wrapped=True)


@dataclass(frozen=True)
class Site:
    """One configuration, and who visits it."""

    label: str
    main: Mapping[str, str]
    visits: Sequence[Visit]
    files: Mapping[str, str] = field(default_factory=dict)
    maps: str = ""


RSA = {"smtpd_tls_cert_file": "{w}/rsa.pem", "smtpd_tls_key_file": "{w}/rsa.key"}
MAY = {"smtpd_tls_security_level": "may", **RSA}
ASK = {**MAY, "smtpd_tls_ask_ccert": "yes", "smtpd_tls_CAfile": "{w}/ca.pem", "smtpd_tls_fingerprint_digest": "sha256"}

OLD_ASK = {
    **{name: value for name, value in ASK.items() if name != "smtpd_tls_fingerprint_digest"},
    "relay_clientcerts": "texthash:{c}/prints",
    "smtpd_client_restrictions": "check_ccert_access texthash:{c}/access",
    "smtpd_helo_restrictions": "check_ccert_access { texthash:{c}/access, { search_order = cert_fingerprint } }",
    "smtpd_sender_restrictions": "check_ccert_access { texthash:{c}/access, { search_order = pubkey_fingerprint } }",
    "smtpd_relay_restrictions": "permit_tls_all_clientcerts, permit_tls_clientcerts, reject_unauth_destination",
}
"""What says something of the digest at each stage."""


def _must(**main: str) -> dict[str, str]:
    return {"smtpd_tls_security_level": "encrypt", **RSA, **main}


SITES = [
    Site("may", MAY, [
        ANY, TLS12, TLS12_DHE, TLS12_RSA, TLS12_CBC, TLS11, P384, AGAIN, ENVELOPE, NO_EHLO, HELO, UTF8, REQUIRETLS,
        REQUIRETLS_EARLY, XCLIENT, GROUP, PLAIN_TEXT, GARBAGE, RESET, CERTIFIED[0], *ONCE_EXTENDED,
    ]),
    Site("encrypt", _must(), [PLAIN_TEXT, ANY, TLS12, HELO, ENVELOPE, NO_EHLO]),
    Site("none", {"smtpd_tls_security_level": "none", "smtpd_enforce_tls": "yes", **RSA}, [PLAIN_TEXT]),
    Site("old may", {"smtpd_use_tls": "yes", **RSA}, [PLAIN_TEXT, ANY]),
    Site("old encrypt", {"smtpd_enforce_tls": "yes", **RSA}, [PLAIN_TEXT, ANY]),
    Site("secure", {**MAY, "smtpd_tls_security_level": "secure"}, [PLAIN_TEXT, ANY]),
    Site("asked", ASK, [ANY, TLS12, *CERTIFIED, *RELAYING]),
    Site("asked, no authority", {**MAY, "smtpd_tls_ask_ccert": "yes"}, [ANY, *CERTIFIED[:3]]),
    Site("depth", {**ASK, "smtpd_tls_ccert_verifydepth": "0"}, [CERTIFIED[0]]),
    Site("required", {**_must(), "smtpd_tls_req_ccert": "yes", "smtpd_tls_CAfile": "{w}/ca.pem"}, [ANY, *CERTIFIED]),
    Site("required, not enforced", {**MAY, "smtpd_tls_req_ccert": "yes"}, [ANY, CERTIFIED[0]]),
    Site("relay by fingerprint", {**ASK, "relay_clientcerts": "texthash:{c}/prints",
        "smtpd_relay_restrictions": "permit_tls_clientcerts, reject_unauth_destination"}, [*RELAYING, XCLIENT]),
    Site("relay by authority", {**ASK,
        "smtpd_relay_restrictions": "permit_tls_all_clientcerts, reject_unauth_destination"}, RELAYING),
    Site("access by fingerprint", {**ASK, "smtpd_client_restrictions": "check_ccert_access texthash:{c}/access"}, RELAYING),
    Site("access, key first", {**ASK, "smtpd_client_restrictions":
        "check_ccert_access { texthash:{c}/access, { search_order = pubkey_fingerprint, cert_fingerprint } }"}, RELAYING),
    Site("access, bad order", {**ASK, "smtpd_client_restrictions":
        "check_ccert_access { texthash:{c}/access, { search_order = x } }"}, RELAYING[:2]),
    *(
        Site(f"old digest, level {level}", {**OLD_ASK, "compatibility_level": level}, [*RELAYING, ANY])
        for level in ("0", "1", "2", "3.6", "3.11")
    ),
    Site("old digest, none asked", {**OLD_ASK, "compatibility_level": "2", "smtpd_tls_ask_ccert": "no"}, [RELAYING[1]]),
    Site("old digest, said", {**OLD_ASK, "compatibility_level": "2", "smtpd_tls_fingerprint_digest": "md5"}, [RELAYING[1]]),
    Site("old digest, for a policy service", {**OLD_ASK, "compatibility_level": "2", "smtpd_client_restrictions":
        "check_policy_service { inet:127.0.0.1:1, try_limit=1, default_action=DUNNO }"}, RELAYING[:2]),
    Site("relay by authority or fingerprint", {**ASK, "relay_clientcerts": "texthash:{c}/self",
        "smtpd_relay_restrictions": "permit_tls_all_clientcerts, reject_unauth_destination"}, RELAYING),
    Site("certificates not asked for", {**ASK, "smtpd_tls_ask_ccert": "no", "relay_clientcerts": "texthash:{c}/prints",
        "smtpd_client_restrictions": "check_ccert_access texthash:{c}/access",
        "smtpd_relay_restrictions": "permit_tls_all_clientcerts, permit_tls_clientcerts, reject_unauth_destination"}, [RELAYING[1], PLAIN_TEXT]),
    Site("plain text refused", {**MAY, "smtpd_sender_restrictions": "reject_plaintext_session"}, [PLAIN_TEXT, ANY]),
    Site("wrapped", {**_must(), "smtpd_tls_wrappermode": "yes"}, [WRAPPED, WRAPPED_AGAIN, GARBAGE_WRAPPED]),
    Site("wrapped, no level", {"smtpd_tls_wrappermode": "yes", **RSA}, [WRAPPED]),
    Site("wrapped, no key", {"smtpd_tls_wrappermode": "yes", "smtpd_tls_cert_file": "{w}/rsa.pem",
        "smtpd_tls_key_file": "/nonexistent"}, [GARBAGE_WRAPPED]),
    *(
        Site(f"broken: {name}", {**MAY, **main}, [PLAIN_TEXT])
        for name, main in {
            "no key": {"smtpd_tls_key_file": "/nonexistent"},
            "another key": {"smtpd_tls_key_file": "{w}/ec.key"},
            "no certificate": {"smtpd_tls_cert_file": "", "smtpd_tls_key_file": ""},
            "no PEM": {"smtpd_tls_cert_file": "{c}/prints"},
            "digest": {"smtpd_tls_fingerprint_digest": "nonsense"},
            "protocols": {"smtpd_tls_protocols": "TLSv7"},
            "authority": {"smtpd_tls_CAfile": "/nonexistent"},
            "key not first": {"smtpd_tls_chain_files": "{w}/rsa.pem {w}/rsa.key"},
            "no key in chain": {"smtpd_tls_chain_files": "{w}/rsa.pem"},
            "no certificate in chain": {"smtpd_tls_chain_files": "{w}/rsa.key"},
            "two keys": {"smtpd_tls_chain_files": "{w}/rsa.key {w}/ec.key {w}/ec.pem"},
            "no EC file": {"smtpd_tls_eccert_file": "/nonexistent"},
            "asked without certificate": {"smtpd_tls_cert_file": "none", "smtpd_tls_ask_ccert": "yes"},
            "configuration of OpenSSL": {"tls_config_file": "nonsense"},
        }.items()
    ),
    *(
        Site(f"only warned: {name}", {**MAY, **main}, [ANY])
        for name, main in {
            "options": {"tls_ssl_options": "nonsense, NO_TICKET"},
            "workarounds": {"tls_disable_workarounds": "nonsense"},
            "parameters": {"smtpd_tls_dh1024_param_file": "/nonexistent"},
            "folder": {"smtpd_tls_CApath": "/nonexistent"},
            "tickets": {"tls_session_ticket_cipher": "nonsense"},
            "curves grade": {"smtpd_tls_eecdh_grade": "ultra"},
        }.items()
    ),
    Site("bad grade", {**MAY, "smtpd_tls_ciphers": "nonsense"}, [ANY]),
    Site("bad exclusion", {**MAY, "smtpd_tls_exclude_ciphers": "!RC4"}, [ANY]),
    Site("empty list", {**MAY, "tls_medium_cipherlist": "NONSENSE"}, [ANY]),
    Site("no chain file", {**MAY, "smtpd_tls_chain_files": "/nonexistent"}, [ANY]),
    Site("chains", {"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": "{w}/rsa.chain, {w}/ec.chain, {w}/ed.chain"},
         [ANY, TLS12, TLS12_EC, TLS12_CBC]),
    Site("split chain", {"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": "{w}/ec.key {w}/ec.pem {w}/ca.pem"},
         [ANY, TLS12_CBC]),
    Site("ed25519", {"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": "{w}/ed.chain"}, [ANY]),
    Site("two files", {**MAY, "smtpd_tls_eccert_file": "{w}/ec.pem", "smtpd_tls_eckey_file": "{w}/ec.key"}, [ANY, TLS12_EC, TLS12_RSA]),
    Site("no certificates at all", {"smtpd_tls_security_level": "may", "smtpd_tls_cert_file": "none"},
         [ANY, Visit("aNULL", context={"highest": V.TLSv1_2, "ciphers": "aNULL"})]),
    Site("names", {**MAY, "tls_server_sni_maps": "lmdb:{c}/names", "smtpd_tls_loglevel": "1"}, NAMED,
         {"names": "ec.example {w}/ec.chain\n.wild.example {w}/ed.chain\nbroken.example {w}/ec.pem\n"}, "names"),
    Site("names of another process", {**MAY, "tls_server_sni_maps": "proxy:lmdb:{c}/names", "smtpd_tls_loglevel": "1"}, NAMED,
         {"names": "ec.example {w}/ec.chain\n.wild.example {w}/ed.chain\nbroken.example {w}/ec.pem\n"}, "names"),
    Site("names nobody knows", {**MAY, "tls_server_sni_maps": "proxy:fail:x", "smtpd_tls_loglevel": "1"}, NAMED[:2]),
    *(
        Site(f"protocols {text}", {**MAY, "smtpd_tls_protocols": text}, [ANY, TLS12, TLS11])
        for text in (">=TLSv1.2", ">=TLSv1.3", "<=TLSv1.2", "!TLSv1.3", "TLSv1.2", ">=0303:<=0x0303", "!SSLv2 !SSLv3 !TLSv1 !TLSv1.1")
    ),
    Site("mandatory", _must(smtpd_tls_mandatory_protocols=">=TLSv1.3", smtpd_tls_protocols="TLSv1.2"), [ANY, TLS12]),
    Site("high", {**MAY, "smtpd_tls_ciphers": "high", "smtpd_tls_exclude_ciphers": "AES256, ECDHE-RSA-AES128-SHA"}, [TLS12, TLS12_CBC]),
    Site("mandatory exclusions", _must(smtpd_tls_mandatory_ciphers="high", smtpd_tls_mandatory_exclude_ciphers="kRSA"), [TLS12, TLS12_RSA]),
    Site("null", {**MAY, "smtpd_tls_ciphers": "null"}, [Visit("NULL", context={"highest": V.TLSv1_2, "ciphers": "NULL-SHA256"}), TLS12]),
    Site("server's order", {**MAY, "tls_preempt_cipherlist": "yes", "tls_medium_cipherlist": "AES128-SHA:AES256-SHA"},
         [Visit("order", context={"highest": V.TLSv1_2, "ciphers": "AES256-SHA:AES128-SHA"})]),
    Site("client's order", {**MAY, "tls_medium_cipherlist": "AES128-SHA:AES256-SHA"},
         [Visit("order", context={"highest": V.TLSv1_2, "ciphers": "AES256-SHA:AES128-SHA"})]),
    Site("groups", {**MAY, "tls_eecdh_auto_curves": "nonsense secp384r1", "tls_ffdhe_auto_groups": "ffdhe2048"}, [ANY, TLS12_DHE]),
    Site("discarded", {**MAY, "smtpd_discard_ehlo_keywords": "starttls, requiretls"}, [PLAIN_TEXT]),
    Site("no REQUIRETLS", {**MAY, "requiretls_enable": "no"}, [REQUIRETLS, AGAIN]),
    Site("hidden", {**MAY, "smtpd_hide_client_session": "yes"}, [ANY]),
    Site("no header", {**ASK, "smtpd_tls_received_header": "no", "smtpd_tls_loglevel": "0"}, [ANY, CERTIFIED[0]]),
    Site("quiet", {**MAY, "smtpd_tls_loglevel": "0"}, [ANY, GARBAGE]),
    Site("certificates in the log", {**ASK, "smtpd_tls_loglevel": "summary"}, [CERTIFIED[0]]),
    Site("parts of the log", {**ASK, "smtpd_tls_loglevel": "1, peercert, untrusted"}, [ANY, *CERTIFIED[:4]]),
    Site("level of nonsense", {**MAY, "smtpd_tls_loglevel": "nonsense"}, [ANY]),
]  # fmt: skip

CASES = [pytest.param(site, visit, id=f"{site.label}: {visit.label}") for site in SITES for visit in site.visits]
KNOWN = (
    *KNOWN_DIFFERENCES,
    KnownDifference(
        where="log",
        reference=r"warning: TLS library problem: error:03000065:digital envelope routines::different key types:",
        pyfix=r"warning: TLS library problem: error:0A0000B1:SSL routines::no certificate assigned:",
        reason="the key and the certificate are given to the library one after the other",
    ),
)


def _prints(world: World) -> dict[str, str]:
    """Return tables of fingerprints: of a certificate, and of another's key."""
    import hashlib

    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    def digest(content: bytes) -> str:
        return hashlib.sha256(content).digest().hex(":").upper()

    first, second = (x509.load_pem_x509_certificate(Path(world.file(f"{name}.pem")).read_bytes()) for name in ("client", "client2"))
    of_certificate = digest(first.public_bytes(Encoding.DER))
    of_second = digest(second.public_bytes(Encoding.DER))
    of_key = digest(second.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    itself = x509.load_pem_x509_certificate(Path(world.file("self.pem")).read_bytes())
    return {
        "self": f"{digest(itself.public_bytes(Encoding.DER))} self\n",
        "prints": f"{of_certificate} client\n{of_key} client2\n",
        "access": f"{of_certificate} OK\n{of_key} REJECT by its key\n{of_second} 450 4.7.2 by itself\n",
    }


def _visit(mta: Any, world: World, visit: Visit) -> list[str]:
    pair = (world.file(f"{visit.certificate}.pem"), world.file(f"{visit.certificate}.key")) if visit.certificate else None
    context = client_context(certificate=pair, **visit.context)
    said: list[str] = []
    if visit.wrapped and visit.plain:
        with _raw(mta, visit) as data:
            return [data]
    with TlsDialogue(mta.host, mta.port, visit.client, wrapped=context if visit.wrapped else None, name=visit.name) as dialogue:
        said.append(dialogue.greeting)
        said += dialogue.say_all(visit.before)
        if visit.resets:
            dialogue.send(b"\x16\x03\x01\x02\x00\x01")
            dialogue.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return said
        if not visit.plain and not visit.wrapped and said[-1].startswith("220"):
            said.append(dialogue.secure(context, name=visit.name))
        if said[-1] != FAILED and (visit.wrapped or not said[-1][:3].isdigit()):
            said += dialogue.say_all(visit.after)
    return said


class _raw:
    """What a server answers, if anything, to bytes that are no TLS."""

    def __init__(self, mta: Any, visit: Visit) -> None:
        self._socket = socket.create_connection((mta.host, mta.port), 30, source_address=(visit.client, 0))
        self._socket.sendall(bytes(visit.before[0]))

    def __enter__(self) -> str:
        try:
            return "alert" if self._socket.recv(1000)[:1] == b"\x15" else "nothing"
        except ConnectionResetError:
            return "nothing"

    def __exit__(self, *_: object) -> None:
        self._socket.close()


@pytest.mark.parametrize(("site", "visit"), CASES)
def test_visits(instance_pool: InstancePool, world: World, site: Site, visit: Visit) -> None:
    requirements.need_reference("reference")

    def filled(text: str) -> str:
        return text.replace("{w}", str(world.folder)).replace("{c}", "{dir}/etc")

    def case(mta: Any) -> list[str]:
        if site.maps and not (mta.config_directory / f"{site.maps}.lmdb").exists():
            done = mta.run("postmap", "-F", f"lmdb:{mta.config_directory}/{site.maps}")
            assert done.returncode == 0, done.stderr
        said = _visit(mta, world, visit)
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from")
        mta.wait_until_empty()
        return [mta_text.replace(str(mta.port), "PORT") for mta_text in _queue_ids_out(said)]

    files = {**_prints(world), **{name: filled(text) for name, text in site.files.items()}}
    main = {
        "smtpd_tls_loglevel": "1", "smtpd_tls_received_header": "yes", "smtpd_authorized_xclient_hosts": TRUSTED,
        "tls_append_default_CA": "no", **{name: filled(value) for name, value in site.main.items()},
    }  # fmt: skip
    Parity(instance_pool, KNOWN, ("reference", "reference"))(
        case, main=main, files=files, replace={"smtpd": "pyfix"}, logs="smtpd", deliveries=True
    )


def _queue_ids_out(said: Sequence[str]) -> list[str]:
    import re

    return [re.sub(r"(?<=queued as )\w+", "ID", text) for text in said]
