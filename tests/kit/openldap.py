"""OpenLDAP's server from Debian's package, in a folder of its own, with a directory that lookups of mail need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

from .certificates import Certificates
from .ports import ReservedPort
from .requirements import missing
from .servers import once, own_folder, program, running

BASE = "dc=ours,dc=example"
_HOSTS = ("127.0.0.1", "127.0.0.2")
_SCHEMAS = ("core", "cosine", "inetorgperson")
_OID = "1.3.6.1.4.1.4203.666"
_TEXTS = ("mailacceptinggeneralid", "maildrop", "groupmail", "memberurl")
_SCHEMA = "".join(
    f"attributetype ( {_OID}.1.{number} NAME '{name}' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch "
    "SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )\n"
    for number, name in enumerate(_TEXTS)
) + (
    f"attributetype ( {_OID}.1.90 NAME 'memberdn' SUP distinguishedName )\n"
    f"attributetype ( {_OID}.1.91 NAME 'blob' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )\n"
    f"objectclass ( {_OID}.2.1 NAME 'mailThing' SUP top STRUCTURAL MUST cn "
    f"MAY ( mail $ ou $ userPassword $ memberdn $ blob $ {' $ '.join(_TEXTS)} ) )\n"
)
_ACCESS = """\
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=closed,dc=ours,dc=example" by dn.exact="cn=reader,dc=ours,dc=example" read by * none
access to * by * read
"""


def need_library() -> None:
    """Skip (in CI: fail) the running test where the client library is missing.

    It is loaded here, and not in each child that is forked for a command.
    """
    try:
        import_module("ldap.sasl")
    except ImportError as reason:
        missing(f"{reason}: pip install 'pyfix[ldap]'")


@dataclass(frozen=True)
class Directory:
    """A server that runs: where it listens."""

    port: int
    tls_port: int
    folder: Path

    @property
    def socket_url(self) -> str:
        return f"ldapi://{quote(str(self.folder / 'socket'), safe='')}"


@contextmanager
def slapd(ldif: str, *, options: Sequence[str] = (), certificates: Certificates | None = None) -> Iterator[Directory]:
    """Run slapd with the entries of *ldif* below BASE.

    ``cn=reader`` of it, if it has a password, alone reads what is below ``ou=closed``.  *options* are lines of
    slapd.conf before the database.
    """
    server = program("slapd", "slapd")
    with own_folder() as folder:
        port, tls_port = ReservedPort(), ReservedPort()
        (folder / "data").mkdir()
        (folder / "data").chmod(0o777)
        (folder / "mail.schema").write_text(_SCHEMA)
        lines = [
            *(f"include /etc/ldap/schema/{name}.schema" for name in _SCHEMAS), f"include {folder}/mail.schema",
            f"pidfile {folder}/pid", "modulepath /usr/lib/ldap", "moduleload back_mdb", *options,
        ]  # fmt: skip
        urls = [f"ldapi://{quote(str(folder / 'socket'), safe='')}", *(f"ldap://{host}:{port.number}" for host in _HOSTS)]
        if certificates is not None:
            lines += [
                f"TLSCACertificateFile {certificates.ca}", f"TLSCertificateFile {certificates.certificate}",
                f"TLSCertificateKeyFile {certificates.key}", "TLSVerifyClient try",
            ]  # fmt: skip
            urls += [f"ldaps://{host}:{tls_port.number}" for host in _HOSTS]
        database = ["database mdb", f'suffix "{BASE}"', f"directory {folder}/data", "dbnosync", "maxsize 10485760"]
        (folder / "slapd.conf").write_text("\n".join([*lines, *database, _ACCESS]))
        (folder / "entries.ldif").write_text(ldif.replace("{port}", str(port.number)))
        configuration = ("-f", str(folder / "slapd.conf"))
        once(server, "-Ta", *configuration, "-l", folder / "entries.ldif")
        argv = [server, "-d", "0", "-h", " ".join(urls), *configuration]
        with running(argv, port.number, folder / "log"):
            yield Directory(port.number, tls_port.number, folder)
        port.release()
        tls_port.release()
