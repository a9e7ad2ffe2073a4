"""OpenSSL's configuration: the file and the section in it that parameters name, or the machine's own; files that are none.

What a section is recognised by is the one cipher of TLS 1.3 that it allows: of these no other parameter says anything.
Source: postconf(5) tls_config_file, tls_config_name; config(5ssl); SSL_CONF_cmd(3ssl).
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.tls import World

from .visits import Look, look_at_all

pytestmark = [pytest.mark.reference, pytest.mark.root]

AES128, AES256, CHACHA = "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"


def _file(usual: str, **named: str) -> str:
    """Return a configuration: a list of ciphers for those who name nothing, and others by name."""
    sections = {"openssl_conf": usual, **named}
    text = "".join(f"{name} = {name}_modules\n" for name in sections)
    for name, ciphers in sections.items():
        text += f"[{name}_modules]\nssl_conf = {name}_ssl\n[{name}_ssl]\nsystem_default = {name}_tls\n[{name}_tls]\n{ciphers}\n"
    return text


FILES: Final = {
    "own.cnf": _file(f"Ciphersuites = {AES128}", postfix=f"Ciphersuites = {CHACHA}"),
    "machine.cnf": _file(f"Ciphersuites = {CHACHA}", postfix=f"Ciphersuites = {AES128}"),
    "only.cnf": _file("").replace("openssl_conf =", "postfix ="),
    "unknown.cnf": _file("Nonsense = x"),
    "value.cnf": _file("MinProtocol = nonsense"),
    "module.cnf": "openssl_conf = x\n[x]\nnonsense = y\n[y]\n",
    "section.cnf": "openssl_conf = nowhere\n",
    "malformed.cnf": "openssl_conf = x\n[x\n",
    "empty.cnf": "",
}
CASES: Final = [
    *((file, name) for file in ("default", "none", "{dir}/etc/own.cnf") for name in ("", "postfix", "absent")),
    *((f"{{dir}}/etc/{file}", "") for file in list(FILES)[2:]),
    ("{dir}/etc/only.cnf", "postfix"), ("{dir}/etc/section.cnf", "postfix"), ("{dir}/etc/unknown.cnf", "postfix"),
    ("/nonexistent", ""), ("/nonexistent", "postfix"), ("", ""), ("own.cnf", ""), ("{dir}/etc", ""),
]  # fmt: skip


@pytest.mark.parametrize("machine", ["machine.cnf", "malformed.cnf", "only.cnf"])
def test_server(parity: Parity, world: World, machine: str) -> None:
    cases = CASES if machine == "machine.cnf" else CASES[:3]

    def case(mta: Instance) -> None:
        mta.stop()
        for name, text in FILES.items():
            mta.write(name, text)
        usual = (
            f"-o smtpd_tls_security_level=may -o smtpd_tls_loglevel=1 -o smtpd_tls_cert_file={world.file('rsa.pem')} -o smtpd_tls_key_file={world.file('rsa.key')}"
        )
        options = [f"{usual} -o {{ tls_config_file = {file} }} -o {{ tls_config_name = {name} }}".replace("{dir}", str(mta.directory)) for file, name in cases]
        seen = look_at_all(mta, world, [(text, Look()) for text in options])
        for (file, name), lines in zip(cases, seen.values(), strict=True):
            mta.transcript += [f"{file} {name}: {line}" for line in lines]

    main = {
        "import_environment": f"MAIL_CONFIG TZ OPENSSL_CONF={{dir}}/etc/{machine}",
        "smtpd_client_connection_rate_limit": "0", "smtpd_client_connection_count_limit": "0", "in_flow_delay": "0",
    }  # fmt: skip
    if machine != "machine.cnf":
        parity(case, main=main, fresh=True)
        return
    seen = "\n".join(parity(case, main=main, fresh=True).transcript)
    for file, name, cipher in (
        ("default", "", CHACHA), ("default", "postfix", AES128), ("default", "absent", CHACHA), ("none", "", AES256), ("none", "postfix", AES256),
        ("{dir}/etc/own.cnf", "", AES128), ("{dir}/etc/own.cnf", "postfix", CHACHA), ("{dir}/etc/own.cnf", "absent", AES256),
    ):  # fmt: skip
        assert f"{file} {name}: TLSv1.3 {cipher} " in seen, (file, name)
