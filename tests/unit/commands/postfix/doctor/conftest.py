"""A site: main.cf and master.cf in a folder, looked at by single checks on a machine that the test describes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pyfix.commands.postfix.doctor.command import examine
from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Severity
from pyfix.commands.postfix.doctor.host import Host
from pyfix.runtime.log import log
from pyfix.tables.source import forget_tables

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

MAIN_CF = """\
compatibility_level = 3.11
queue_directory = {dir}/spool
data_directory = {dir}/data
myhostname = mail.ours.example
mydomain = ours.example
mydestination = $myhostname, localhost.$mydomain, localhost
mynetworks = 127.0.0.0/8
inet_interfaces = all
inet_protocols = ipv4
alias_maps =
alias_database =
default_database_type = texthash
"""

MASTER_CF = """\
smtp      inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
error     unix  -       -       n       -       -       error
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       n       -       -       lmtp
"""


class Site:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etc, self.spool = folder / "etc", folder / "spool"
        for path in (self.etc, self.spool, folder / "data"):
            path.mkdir()
        self.host = Host(now=NOW)
        self.write()

    def write(self, main: str = "", master: str = "") -> None:
        """Add lines to the usual files."""
        self._write("main.cf", MAIN_CF + main)
        self._write("master.cf", MASTER_CF + master)

    def _write(self, name: str, text: str) -> None:
        (self.etc / name).write_text(text.replace("{dir}", str(self.folder)))

    def file(self, name: str, text: str = "", mode: int = 0o644) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def examination(self) -> Examination:
        return Examination(str(self.etc), self.host)

    def look(self, check: str, main: str = "", master: str = "") -> list[Finding]:
        """Write the files with these lines added, and return what the check finds."""
        self.write(main, master)
        forget_tables()
        return [finding for _, finding in examine(self.examination(), [check])]

    def line(self, name: str, text: str) -> int:
        """Return the number of the first line of a file that has a text."""
        lines = (self.etc / name).read_text().replace(str(self.folder), "{dir}").splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    yield Site(tmp_path)
    assert log.keep_apart(None) is None
    forget_tables()


Look = Callable[..., list[Finding]]


@pytest.fixture
def look(site: Site, request: pytest.FixtureRequest) -> Look:
    """The check that the test's module is named after."""
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_")
    return lambda main="", master="": site.look(name, main, master)


ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, found
    finding = found[0]
    assert finding.what
    assert finding.why.endswith("."), finding.why
    return finding


def certificate(
    folder: Path,
    name: str = "mail.ours.example",
    *,
    days: int = 90,
    begins: datetime = NOW - timedelta(days=30),
    common_name: str = "",
    names: tuple[str, ...] | None = None,
    issuer: str = "",
) -> tuple[Path, Path]:
    """Make a certificate and its key; return their paths.  *issuer*: not self-signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name or name)])
    signer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]) if issuer else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(NOW + timedelta(days=days))
    )
    if names is None:
        names = (name,)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False)
    made = builder.sign(key, hashes.SHA256())
    number = len(list(folder.glob("*.pem")))
    paths = folder / f"cert{number}.pem", folder / f"key{number}.key"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    paths[1].chmod(0o600)
    return paths
