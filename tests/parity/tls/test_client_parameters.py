"""Each parameter of the client's TLS, of smtp and of lmtp, with a value that changes what happens: on both sides the same.

The configurations are services of one master.cf with ``-o`` options, each with a server of its own.
Source: postconf(5) smtp_tls_*, lmtp_tls_*, tls_*.
"""

from __future__ import annotations

import re
import shutil
import ssl
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.tls import World
from tests.kit.tlspeer import Manner

from .deliveries import Case, deliver_all
from .tried import Tried

pytestmark = [pytest.mark.reference, pytest.mark.root]

GOOD: Final = [Manner()]
ASKING: Final = [Manner(asks=True)]
OLD: Final = [Manner(highest=ssl.TLSVersion.TLSv1_2)]
MUST: Final = {"smtp_tls_security_level": "encrypt"}
VERIFIED: Final = {"smtp_tls_security_level": "verify", "smtp_tls_verify_cert_match": "rsa.example"}
TRUSTING: Final = {**VERIFIED, "smtp_tls_CAfile": "{w}/ca.pem"}
PRINTED: Final = {"smtp_tls_security_level": "fingerprint", "smtp_tls_fingerprint_cert_match": "{print}"}
ONE_CIPHER: Final = {"tls_high_cipherlist": "AES256-SHA256"}

CLIENT: Final = [
    Tried("smtp_tls_CAfile", "{w}/ca.pem", GOOD, VERIFIED),
    Tried("smtp_tls_CApath", "{dir}/etc/hashed", GOOD, VERIFIED),
    Tried("smtp_tls_CApath", "{w}", GOOD, TRUSTING | {"smtp_tls_CAfile": "/nonexistent"}),
    Tried("smtp_tls_cert_file", "{w}/client.pem", ASKING, {"smtp_tls_key_file": "{w}/client.key"}),
    Tried("smtp_tls_key_file", "{w}/client.key", ASKING, {"smtp_tls_cert_file": "{w}/client.pem"}),
    Tried("smtp_tls_eccert_file", "{w}/client2.pem", ASKING, {"smtp_tls_eckey_file": "{w}/client2.key"}),
    Tried("smtp_tls_eckey_file", "{w}/client2.key", ASKING, {"smtp_tls_eccert_file": "{w}/client2.pem"}),
    Tried("smtp_tls_cert_file", "{w}/client.both", ASKING),
    Tried("smtp_tls_eccert_file", "{w}/client2.both", ASKING),
    Tried("smtp_tls_eccert_file", "{w}/client2.key", ASKING),
    Tried("smtp_tls_cert_file", "{w}/client.key", ASKING),
    Tried("smtp_tls_cert_file", "/nonexistent", ASKING),
    Tried("smtp_tls_chain_files", "{w}/client2.chain", ASKING),
    Tried("smtp_tls_ciphers", "high", OLD, ONE_CIPHER),
    Tried("smtp_tls_exclude_ciphers", "AES256, AESGCM", OLD),
    Tried("smtp_tls_mandatory_ciphers", "high", OLD, MUST | ONE_CIPHER),
    Tried("smtp_tls_mandatory_exclude_ciphers", "ECDHE", OLD, MUST),
    Tried("smtp_tls_protocols", ">=TLSv1.3", OLD),
    Tried("smtp_tls_protocols", "!TLSv1.3", GOOD),
    Tried("smtp_tls_mandatory_protocols", "TLSv1.3", OLD, MUST),
    Tried("smtp_tls_mandatory_protocols", "<=TLSv1.2", GOOD, MUST),
    Tried("smtp_tls_enforce_peername", "no", GOOD, {"smtp_tls_security_level": "", "smtp_enforce_tls": "yes"}),
    Tried("smtp_tls_fingerprint_cert_match", "{print}", GOOD, {"smtp_tls_security_level": "fingerprint"}),
    Tried("smtp_tls_fingerprint_digest", "sha1", GOOD, PRINTED),
    Tried("smtp_tls_loglevel", "0", GOOD),
    Tried("smtp_tls_loglevel", "certmatch, untrusted", GOOD, TRUSTING),
    Tried("smtp_tls_note_starttls_offer", "yes", GOOD, {"smtp_tls_security_level": "none"}),
    Tried("smtp_tls_per_site", "static:NONE", GOOD),
    Tried("smtp_tls_policy_maps", "static:encrypt", GOOD),
    Tried("smtp_tls_policy_maps", "static:{verify match=rsa.example ciphers=high}", OLD, {"smtp_tls_CAfile": "{w}/ca.pem"} | ONE_CIPHER),
    Tried("smtp_tls_scert_verifydepth", "0", [Manner("deep")], TRUSTING | {"smtp_tls_verify_cert_match": "deep.example"}),
    Tried("smtp_tls_secure_cert_match", "rsa.example", GOOD, {"smtp_tls_security_level": "secure", "smtp_tls_CAfile": "{w}/ca.pem"}),
    Tried("smtp_tls_security_level", "none", GOOD),
    Tried("smtp_tls_security_level", "encrypt", [Manner(offers=False)]),
    Tried("smtp_tls_servername", "hostname", GOOD),
    Tried("smtp_tls_trust_anchor_file", "{w}/ca.pem", GOOD, VERIFIED),
    Tried("smtp_tls_verify_cert_match", "rsa.example", GOOD, {"smtp_tls_security_level": "verify", "smtp_tls_CAfile": "{w}/ca.pem"}),
    Tried("smtp_tls_wrappermode", "yes", [Manner(wrapped=True, patience=8)], MUST),
    Tried("tls_append_default_CA", "yes", GOOD, TRUSTING | {"smtp_tls_CAfile": "{w}/ec.pem"}),
    Tried("tls_high_cipherlist", "AES128-SHA", OLD, MUST | {"smtp_tls_mandatory_ciphers": "high"}),
    Tried("tls_medium_cipherlist", "AES128-SHA", OLD),
    Tried("tls_eecdh_auto_curves", "secp384r1", GOOD),
    Tried("tls_ffdhe_auto_groups", "ffdhe3072", GOOD, {"tls_eecdh_auto_curves": ""}),
    Tried("tls_ssl_options", "0x4000000000, nonsense", GOOD),
    Tried("tls_disable_workarounds", "nonsense", GOOD),
    Tried("tls_config_file", "nonsense", GOOD),
    Tried("tls_config_file", "/nonexistent", GOOD),
    Tried("tls_config_file", "{w}/openssl.cnf", GOOD),
    Tried("tls_config_name", "mine", GOOD, {"tls_config_file": "{w}/openssl.cnf"}),
]  # fmt: skip
USUAL: Final = {"smtp_tls_security_level": "may", "smtp_tls_loglevel": "1", "smtp_tls_fingerprint_digest": "sha256"}


@pytest.mark.parametrize("program", ["smtp", "lmtp"])
def test_parameters(parity: Parity, world: World, program: str) -> None:
    certificate = x509.load_pem_x509_certificate(Path(world.file("rsa.pem")).read_bytes())
    digest = sha256(certificate.public_bytes(Encoding.DER)).digest().hex(":").upper()

    def filled(options: Mapping[str, str]) -> str:
        found = (USUAL | dict(options)).items()
        words = " ".join(f"-o {{ {re.sub('^smtp_', f'{program}_', name)} = {value} }}" for name, value in found)
        return words.replace("{w}", str(world.folder)).replace("{print}", digest)

    pairs: dict[str, list[tuple[Case, Case]]] = {}
    for tried in CLIENT:
        for manner in tried.looked_at:
            with_it = filled({**tried.beside, tried.name: tried.value})
            pairs.setdefault(tried.name, []).append(((filled(tried.beside), manner), (with_it, manner)))
    cases = list(dict.fromkeys(case for compared in pairs.values() for two in compared for case in two))

    def case(mta: Instance) -> None:
        mta.stop()
        # Folders of authorities are read in sessions, with the rights of mail_owner.
        shutil.copytree(world.folder / "hashed", mta.config_directory / "hashed", symlinks=True)
        found = deliver_all(mta, world, cases, program)
        usual = filled({})
        for (options, manner), lines in found.items():
            shown = f"{options.removeprefix(usual).replace(str(world.folder), 'WORLD')} {manner}"
            mta.transcript += [f"{shown}: {line}" for line in lines]
        for name, compared in pairs.items():
            if all(found[without] == found[with_it] for without, with_it in compared):
                unseen.append(f"{mta.kind}: {name}")

    unseen: list[str] = []
    main = {
        "transport_maps": "texthash:{dir}/etc/transport", "smtpd_tls_security_level": "none", "notify_classes": "",
        "import_environment": f"MAIL_CONFIG TZ SSL_CERT_FILE={world.file('ca.pem')} SSL_CERT_DIR=/nonexistent",
        "default_destination_recipient_limit": "1", "qmgr_message_active_limit": "1000",
    }  # fmt: skip
    parity(case, main=main, files={"transport": ""}, fresh=True)
    assert "\n".join(unseen) == ""
