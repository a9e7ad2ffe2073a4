"""Keys and certificates for the tests of this folder."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dh, ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, ParameterFormat, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.kit.tls import World, make_world

_OAKLEY_2 = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
    "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
    "49286651ECE65381FFFFFFFFFFFFFFFF"
)
"""A prime of 1024 bits: RFC 2409 section 6.2."""
_OPENSSL = """\
openssl_conf = usual_modules
mine = mine_modules
[usual_modules]
ssl_conf = usual_ssl
[mine_modules]
ssl_conf = mine_ssl
[usual_ssl]
system_default = usual_tls
[mine_ssl]
system_default = mine_tls
[usual_tls]
Ciphersuites = TLS_AES_128_GCM_SHA256
[mine_tls]
Ciphersuites = TLS_CHACHA20_POLY1305_SHA256
"""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The files of ``tests.kit.tls``, and in ``hashed`` a folder of authorities as c_rehash(1) makes it; ``NAME.both``: a key behind

    its certificate; ``deep.pem``: three authorities are above it; ``openssl.cnf``: a configuration of the library's.
    """
    folder = tmp_path_factory.mktemp("tls")
    for path in (folder, folder.parent):
        path.chmod(0o755)
    made = make_world(folder)
    for name in ("rsa", "ec", "client", "client2"):
        both = folder / f"{name}.both"
        both.write_bytes((folder / f"{name}.pem").read_bytes() + (folder / f"{name}.key").read_bytes())
        both.chmod(0o644)
    hashed = folder / "hashed"
    hashed.mkdir(mode=0o755)
    (hashed / "ca.pem").write_bytes((folder / "ca.pem").read_bytes())
    (hashed / "ca.pem").chmod(0o644)
    subprocess.run(["openssl", "rehash", str(hashed)], check=True, capture_output=True)
    _make_deep(folder)
    (folder / "openssl.cnf").write_text(_OPENSSL)
    parameters = dh.DHParameterNumbers(int(_OAKLEY_2, 16), 2).parameters()
    (folder / "dh.pem").write_bytes(parameters.parameter_bytes(Encoding.PEM, ParameterFormat.PKCS3))
    for name in ("dh.pem", "openssl.cnf"):
        (folder / name).chmod(0o644)
    return made


def _make_deep(folder: Path) -> None:
    """Make a certificate below three authorities, and add the uppermost to ``ca.pem``."""
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("Upper", "Middle", "Lower", "deep.example")]
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]
    made = []
    for place, (name, key) in enumerate(zip(names, keys, strict=True)):
        above = max(place - 1, 0)
        builder = x509.CertificateBuilder(names[above], name, key.public_key(), x509.random_serial_number(), now - 9 * day, now + 9 * day)
        builder = builder.add_extension(x509.BasicConstraints(ca=place < 3, path_length=None), critical=True)
        made.append(builder.sign(keys[above], hashes.SHA256()).public_bytes(Encoding.PEM))
    with (folder / "ca.pem").open("ab") as file:
        file.write(made[0])
    (folder / "deep.pem").write_bytes(made[3] + made[2] + made[1])
    (folder / "deep.key").write_bytes(keys[3].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
