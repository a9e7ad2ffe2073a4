"""Each parameter of the server's TLS with a value that changes what clients or the log see: on both sides the same.

The configurations are services of one master.cf with ``-o`` options, each at a loopback address of its own.
Source: postconf(5) smtpd_tls_*, tls_*.
"""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Mapping
from typing import Final

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.tls import World

from .tried import Tried
from .visits import Look, look_at_all

pytestmark = [pytest.mark.reference, pytest.mark.root]

V = ssl.TLSVersion
ANY: Final = [Look()]
OLD: Final = [Look({"highest": V.TLSv1_2})]
BOTH: Final = [*ANY, *OLD]
WITH_EC: Final = [Look({"highest": V.TLSv1_2, "ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"})]
CLIENT: Final = [Look(certificate="client")]
DHE: Final = [Look({"highest": V.TLSv1_2, "ciphers": "DHE+AES"}), Look({"highest": V.TLSv1_2, "ciphers": "ADH-AES256-SHA"})]
STRONG_DHE: Final = [Look({"highest": V.TLSv1_2, "ciphers": "DHE-RSA-AES128-GCM-SHA256"}, strict=True)]
WITHOUT_TICKETS: Final = [Look(), Look({"highest": V.TLSv1_2}), Look({"highest": V.TLSv1_2}, tickets=False)]
MUST: Final = {"smtpd_tls_security_level": "encrypt"}
ASKS: Final = {"smtpd_tls_ask_ccert": "yes", "smtpd_tls_CAfile": "{w}/ca.pem"}
NO_KEYS: Final = {"smtpd_tls_cert_file": "", "smtpd_tls_key_file": ""}
NAMES: Final = "inline:{ec.example={ec}}"

SERVER: Final = [
    Tried("smtpd_tls_CAfile", "{w}/ca.pem", CLIENT, {"smtpd_tls_ask_ccert": "yes"}),
    Tried("smtpd_tls_CApath", "{dir}/etc/hashed", CLIENT, {"smtpd_tls_ask_ccert": "yes"}),
    Tried("smtpd_tls_always_issue_session_ids", "no", WITHOUT_TICKETS),
    Tried("smtpd_tls_always_issue_session_ids", "no", WITHOUT_TICKETS, {"tls_session_ticket_cipher": ""}),
    Tried("smtpd_tls_always_issue_session_ids", "no", WITHOUT_TICKETS, {"tls_ssl_options": "NO_TICKET"}),
    Tried("smtpd_tls_ask_ccert", "yes", CLIENT, {"smtpd_tls_CAfile": "{w}/ca.pem"}),
    Tried("smtpd_tls_ccert_verifydepth", "0", [Look(certificate="deep")], ASKS),
    Tried("smtpd_tls_cert_file", "{w}/rsa.both", ANY, NO_KEYS),
    Tried("smtpd_tls_cert_file", "{w}/rsa.chain", ANY, NO_KEYS),
    Tried("smtpd_tls_cert_file", "{w}/rsa.pem", ANY, {"smtpd_tls_cert_file": "{w}/rsa.chain", "smtpd_tls_key_file": ""}),
    Tried("smtpd_tls_key_file", "{w}/ec.key", ANY),
    Tried("smtpd_tls_chain_files", "{w}/ec.chain, {w}/rsa.chain", [*ANY, *WITH_EC, *OLD]),
    Tried("smtpd_tls_ciphers", "high", OLD, {"tls_high_cipherlist": "AES256-SHA256"}),
    Tried("smtpd_tls_dh1024_param_file", "{w}/dh.pem", STRONG_DHE),
    Tried("smtpd_tls_dh1024_param_file", "{w}/rsa.pem", DHE),
    Tried("smtpd_tls_dh1024_param_file", "/nonexistent", DHE),
    Tried("smtpd_tls_eccert_file", "{w}/ec.both", WITH_EC),
    Tried("smtpd_tls_eccert_file", "{w}/ec.chain", WITH_EC),
    Tried("smtpd_tls_eccert_file", "{w}/ec.pem", WITH_EC),
    Tried("smtpd_tls_eckey_file", "{w}/ec.key", WITH_EC, {"smtpd_tls_eccert_file": "{w}/ec.pem"}),
    Tried("smtpd_tls_exclude_ciphers", "AES256, AESGCM", OLD),
    Tried("smtpd_tls_fingerprint_digest", "sha1", CLIENT, ASKS | {"smtpd_tls_loglevel": "1, peercert"}),
    Tried("smtpd_tls_loglevel", "0", ANY),
    Tried("smtpd_tls_loglevel", "2", ANY),
    Tried("smtpd_tls_loglevel", "certmatch, summary, untrusted", CLIENT, {"smtpd_tls_ask_ccert": "yes"}),
    Tried("smtpd_tls_mandatory_ciphers", "high", OLD, MUST | {"tls_high_cipherlist": "AES256-SHA256"}),
    Tried("smtpd_tls_mandatory_exclude_ciphers", "ECDHE", OLD, MUST),
    Tried("smtpd_tls_mandatory_protocols", ">=TLSv1.3", BOTH, MUST),
    Tried("smtpd_tls_protocols", "!TLSv1.3", BOTH),
    Tried("smtpd_tls_received_header", "no", ANY),
    Tried("smtpd_tls_req_ccert", "yes", ANY, MUST | ASKS),
    Tried("smtpd_tls_security_level", "none", ANY),
    Tried("smtpd_tls_security_level", "encrypt", ANY),
    Tried("smtpd_tls_wrappermode", "yes", [Look(wrapped=True)], {"smtpd_timeout": "4s"}),
    Tried("tls_append_default_CA", "yes", CLIENT, {"smtpd_tls_ask_ccert": "yes", "smtpd_tls_CAfile": "{w}/ec.pem"}),
    Tried("tls_append_default_CA", "yes", CLIENT, {"smtpd_tls_ask_ccert": "yes"}),
    Tried("tls_config_file", "nonsense", ANY),
    Tried("tls_disable_workarounds", "nonsense", ANY),
    Tried("tls_eecdh_auto_curves", "secp384r1", BOTH),
    Tried("tls_ffdhe_auto_groups", "ffdhe3072", ANY, {"tls_eecdh_auto_curves": ""}),
    Tried("tls_high_cipherlist", "AES128-SHA", OLD, {"smtpd_tls_ciphers": "high"}),
    Tried("tls_medium_cipherlist", "AES128-SHA", OLD),
    Tried("tls_null_cipherlist", "AES128-SHA", OLD, {"smtpd_tls_ciphers": "null"}),
    Tried("tls_preempt_cipherlist", "yes", [Look({"highest": V.TLSv1_2, "ciphers": "AES128-SHA:AES256-SHA"})]),
    Tried("tls_server_sni_maps", "lmdb:{dir}/etc/names", [Look(name="ec.example"), Look(name="a.rsa.example"), *ANY,
                                                         Look({"highest": V.TLSv1_2, "ciphers": "DHE+AES"}, name="a.rsa.example")]),
    Tried("tls_session_ticket_cipher", "nonsense", ANY),
    Tried("tls_ssl_options", "nonsense, NO_TLSv1_3", ANY),
]  # fmt: skip
SNI_NAMES: Final = "ec.example {w}/ec.chain\n.rsa.example {w}/rsa.chain\n"
USUAL: Final = {
    "smtpd_tls_security_level": "may", "smtpd_tls_loglevel": "1", "smtpd_tls_cert_file": "{w}/rsa.pem", "smtpd_tls_key_file": "{w}/rsa.key",
    "smtpd_tls_received_header": "yes", "smtpd_tls_fingerprint_digest": "sha256",
}  # fmt: skip


@pytest.mark.parametrize("part", range(3))
def test_parameters(parity: Parity, world: World, part: int) -> None:
    def filled(options: Mapping[str, str]) -> str:
        found = USUAL | dict(options)
        return " ".join(f"-o {{ {name} = {value} }}" for name, value in found.items()).replace("{w}", str(world.folder))

    names = sorted({tried.name for tried in SERVER})[part::3]
    pairs = {
        name: [
            ((filled(tried.beside), look), (filled({**tried.beside, name: tried.value}), look))
            for tried in SERVER for look in tried.looked_at if tried.name == name
        ]
        for name in names
    }  # fmt: skip
    cases = list(dict.fromkeys(case for compared in pairs.values() for two in compared for case in two))
    unseen: list[str] = []

    def case(mta: Instance) -> None:
        mta.stop()
        shutil.copytree(world.folder / "hashed", mta.config_directory / "hashed", symlinks=True)
        mta.write("names", SNI_NAMES.replace("{w}", str(world.folder)))
        assert mta.run("postmap", "-F", f"lmdb:{mta.config_directory}/names").returncode == 0
        found = look_at_all(mta, world, cases)
        usual = filled({})
        for (options, look), lines in found.items():
            shown = f"{options.removeprefix(usual).replace(str(world.folder), 'WORLD')} {look}"
            mta.transcript += [f"{shown}: {line}" for line in lines]
        for name, compared in pairs.items():
            if all(found[without] == found[with_it] for without, with_it in compared):
                unseen.append(f"{mta.kind}: {name}")

    main = {
        "import_environment": f"MAIL_CONFIG TZ SSL_CERT_FILE={world.file('ca.pem')} SSL_CERT_DIR=/nonexistent",
        "smtpd_client_connection_rate_limit": "0", "smtpd_client_connection_count_limit": "0", "in_flow_delay": "0",
    }  # fmt: skip
    parity(case, main=main, fresh=True)
    assert "\n".join(unseen) == ""
