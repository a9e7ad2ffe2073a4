"""TLS to PostgreSQL, MariaDB and OpenLDAP: what is encrypted, and who is believed.  The certificates are made here."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg  # noqa: F401  # here, and not in each child that is forked for a command
import pymysql  # noqa: F401  # as above
import pytest

from tests.kit import requirements, servers
from tests.kit.certificates import Certificates, make_certificates
from tests.kit.openldap import BASE, Directory, need_library, slapd

from .conftest import Both, Done
from .directory import entries

pytestmark = [pytest.mark.reference, pytest.mark.root, pytest.mark.xdist_group("tls of databases")]

RIGHT, WRONG = "127.0.0.1", "127.0.0.2"
"""An address that the server's certificate names, and one that it does not."""
LIBRARY_WORDS = re.compile(r"(TLS/SSL error): .*")


class Authorities:
    """The authority of the server's certificate, and another one."""

    def __init__(self, folder: Path) -> None:
        self.server: Certificates = make_certificates(folder / "certificates", [RIGHT])
        self.other: Certificates = make_certificates(folder / "others", ["other.example"], stem="other")
        self.hashed = self.server.ca.parent / "hashed"
        self.hashed_other = self.other.ca.parent / "hashed"
        for place, authority in ((self.hashed, self.server.ca), (self.hashed_other, self.other.ca)):
            place.mkdir()
            place.chmod(0o755)
            subject = subprocess.run(
                ["openssl", "x509", "-noout", "-subject_hash", "-in", authority], capture_output=True, check=True, timeout=60
            )
            (place / f"{subject.stdout.decode().strip()}.0").symlink_to(authority)

    def fill(self, text: str) -> str:
        """Put the names of files into a configuration."""
        names = {"{ca}": self.server.ca, "{other}": self.other.ca, "{cert}": self.server.certificate, "{key}": self.server.key}
        names |= {"{hashed}": self.hashed, "{hashedother}": self.hashed_other}
        names |= {"{folder}": self.server.ca.parent, "{othercert}": self.other.certificate, "{otherkey}": self.other.key}
        for name, path in names.items():
            text = text.replace(name, str(path))
        return text


@pytest.fixture(scope="module")
def authorities() -> Iterator[Authorities]:
    with servers.own_folder() as folder:  # the servers run as another user
        yield Authorities(folder)


def ask(both: Both, table: str, *, comparable: re.Pattern[str] = LIBRARY_WORDS) -> Done:
    """Ask both sides for a key, insist on the same answer, and return it; what a TLS library says is its own."""
    done = [both.run(kind, "postmap", "-q", "a", table) for kind in ("reference", "pyfix")]
    plain = [
        (one.status, one.out, [re.sub(r"(query error): .*", r"\1", comparable.sub(r"\1", line)) for line in one.err]) for one in done
    ]
    assert plain[0] == plain[1]
    return done[1]


@pytest.fixture(scope="module")
def pgsql(authorities: Authorities) -> Iterator[int]:
    try:
        with servers.postgresql("create table t(k text);", authorities.server) as (port, _):
            yield port
    except servers.ServerMissing as reason:
        requirements.missing(reason)


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (f"{RIGHT}:{{port}}/mail?sslmode=disable", "plain"), (f"{RIGHT}:{{port}}/mail", "encrypted"), (f"{RIGHT}:{{port}}/mail?sslmode=require", "encrypted"),
        (f"{RIGHT}:{{port}}/mail?sslmode=verify-full&sslrootcert={{ca}}", "encrypted"), (f"{RIGHT}:{{port}}/mail?sslmode=verify-full&sslrootcert={{other}}", ""),
        (f"{WRONG}:{{port}}/mail?sslmode=verify-full&sslrootcert={{ca}}", ""), (f"{WRONG}:{{port}}/mail?sslmode=verify-ca&sslrootcert={{ca}}", "encrypted"),
        (f"{WRONG}:{{port}}/mail?sslmode=require&sslrootcert={{other}}", ""), (f"{RIGHT}:{{port}}/mail?sslmode=verify-full&sslrootcert=/nosuch", ""),
        (f"{RIGHT}:{{port}}/mail?sslmode=nosuch", ""), (f"{RIGHT}:{{port}}/mail?sslmode=require&sslcert={{cert}}&sslkey=/nosuch", ""),
    ],
)  # fmt: skip
def test_pgsql(both: Both, pgsql: int, authorities: Authorities, options: str, answer: str) -> None:
    """Source: pgsql_table(5) hosts, connection URIs of libpq."""
    query = "query = SELECT CASE WHEN ssl THEN 'encrypted' ELSE 'plain' END FROM pg_stat_ssl WHERE pid = pg_backend_pid()\n"
    both.write("t.cf", authorities.fill(f"hosts = postgresql://mail:secret@{options.replace('{port}', str(pgsql))}\n{query}"))
    assert ask(both, "pgsql:./t.cf").out.strip() == answer


@pytest.fixture(scope="module")
def mysql(authorities: Authorities) -> Iterator[int]:
    try:
        with servers.mariadb("create table t(k int);", authorities.server) as (port, _):
            yield port
    except servers.ServerMissing as reason:
        requirements.missing(reason)


@pytest.mark.parametrize(
    ("host", "options", "answer"),
    [
        (RIGHT, "", "plain"), (RIGHT, "tls_verify_cert = no\n", "plain"), (RIGHT, "tls_CAfile = {ca}\n", "encrypted"), (RIGHT, "tls_verify_cert = x\n", ""),
        (RIGHT, "tls_CAfile = {ca}\ntls_verify_cert = yes\n", "encrypted"), (RIGHT, "tls_CAfile = {ca}\ntls_verify_cert = no\n", "encrypted"),
        (RIGHT, "tls_CAfile = {other}\n", ""), (RIGHT, "tls_CAfile = {other}\ntls_verify_cert = yes\n", ""), (RIGHT, "tls_CAfile = {other}\ntls_verify_cert = no\n", ""),
        (WRONG, "tls_CAfile = {ca}\n", ""), (WRONG, "tls_CAfile = {ca}\ntls_verify_cert = yes\n", ""), (RIGHT, "tls_CAfile = /nosuch\n", ""),
        (RIGHT, "tls_CApath = {folder}\n", ""), (RIGHT, "tls_CApath = {hashed}\n", "encrypted"), (RIGHT, "tls_CApath = {hashedother}\n", ""),
        (WRONG, "tls_CApath = {hashed}\ntls_verify_cert = yes\n", ""), (RIGHT, "tls_CApath = {hashed}\ntls_CAfile = {other}\n", "encrypted"), (RIGHT, "tls_cert_file = {cert}\ntls_key_file = {key}\n", "encrypted"), (RIGHT, "tls_cert_file = {cert}\n", ""),
        (RIGHT, "tls_cert_file = /nosuch\ntls_key_file = {key}\n", ""), (RIGHT, "tls_ciphers = NOSUCH\n", ""),
        (RIGHT, "tls_ciphers = ECDHE-ECDSA-AES256-GCM-SHA384\n", "encrypted"), (RIGHT, "option_file = ./my.cnf\n", "encrypted"),
        (RIGHT, "option_file = ./my.cnf\noption_group = wrong\n", ""), (WRONG, "option_file = ./my.cnf\n", ""),
        (RIGHT, "option_file = ./my.cnf\noption_group = none\n", "encrypted"), (RIGHT, "option_file = /nosuch\n", "plain"),
    ],
)  # fmt: skip
def test_mysql(both: Both, mysql: int, authorities: Authorities, host: str, options: str, answer: str) -> None:
    """Source: mysql_table(5), the parameters that begin with tls_."""
    login = f"hosts = {host}:{mysql}\nuser = mail\npassword = secret\ndbname = mail\n"
    status = "FROM information_schema.session_status WHERE variable_name='Ssl_cipher'"
    query = f"query = SELECT if(variable_value='','plain','encrypted') {status}\n"
    both.write("my.cnf", authorities.fill("[client]\nssl-ca = {ca}\n[wrong]\nssl_ca = {other}\n[none]\nconnect-timeout = 9\n"))
    both.write("t.cf", authorities.fill(login + options + query))
    assert ask(both, "mysql:./t.cf").out.strip() == answer


@pytest.fixture(scope="module")
def directory(authorities: Authorities) -> Iterator[Directory]:
    need_library()
    options = ("authz-regexp cn=127.0.0.1 cn=reader,dc=ours,dc=example",)
    try:
        with slapd(entries(), options=options, certificates=authorities.server) as running:
            yield running
    except servers.ServerMissing as reason:
        requirements.missing(reason)


@pytest.mark.parametrize("way", ["ldaps", "start_tls"])
@pytest.mark.parametrize(
    ("host", "options", "status"),
    [
        (RIGHT, "", 0), (RIGHT, "version = 2\n", 0), (RIGHT, "tls_require_cert = yes\ntls_ca_cert_file = {ca}\n", 0), (RIGHT, "tls_require_cert = yes\n", 1),
        (RIGHT, "tls_require_cert = yes\ntls_ca_cert_file = {other}\n", 1), (RIGHT, "tls_ca_cert_file = {other}\n", 0), (RIGHT, "tls_require_cert = 1\n", 1),
        (RIGHT, "tls_require_cert = yes\ntls_ca_cert_dir = {hashed}\n", 0), (RIGHT, "tls_require_cert = yes\ntls_ca_cert_dir = {hashedother}\n", 1),
        (WRONG, "tls_require_cert = yes\ntls_ca_cert_dir = {hashed}\n", 1), (RIGHT, "tls_require_cert = yes\ntls_ca_cert_dir = /nosuch\n", 1),
        (WRONG, "tls_require_cert = yes\ntls_ca_cert_file = {ca}\n", 1), (WRONG, "tls_ca_cert_file = {ca}\n", 0), (RIGHT, "tls_random_file = /nosuch\n", 1),
        (RIGHT, "tls_ca_cert_file = /nosuch\n", 1), (RIGHT, "tls_require_cert = yes\ntls_ca_cert_file = {ca}\ntls_cert = {cert}\ntls_key = {key}\n", 0),
        (RIGHT, "tls_cert = {cert}\ntls_key = {key}\nbind = sasl\nsasl_mechs = EXTERNAL\nresult_format = hidden\n", 0), (RIGHT, "tls_cipher_suite = NOSUCH\n", 1),
        (RIGHT, "tls_cert = {cert}\ntls_key = /nosuch\n", 1), (RIGHT, "tls_cert = {cert}\ntls_key = {otherkey}\n", 1),
    ],
)  # fmt: skip
def test_ldap(both: Both, directory: Directory, authorities: Authorities, way: str, host: str, options: str, status: int) -> None:
    """Source: ldap_table(5), LDAP SSL AND STARTTLS PARAMETERS."""
    server = f"ldaps://{host}:{directory.tls_port}\n" if way == "ldaps" else f"ldap://{host}:{directory.port}\nstart_tls = yes\n"
    query = "query_filter = mailacceptinggeneralid=hidden\n" if "sasl" in options else ""
    both.write("t.cf", authorities.fill(f"server_host = {server}search_base = {BASE}\n{query}{options}"))
    done = ask(both, "ldap:./t.cf")
    assert done.status == status
    assert not status or done.err


@pytest.mark.parametrize(
    "text",
    [
        f"server_host = ldaps://{RIGHT}:{{tls}}\nstart_tls = yes\n", f"server_host = ldaps://{RIGHT}:1\n", f"server_host = ldap://{RIGHT}:1 ldaps://{RIGHT}:{{tls}}\n",
        f"server_host = ldaps://{RIGHT}:1 ldap://{RIGHT}:{{port}}\ntls_ca_cert_file = /nosuch\n", f"server_host = ldap://{RIGHT}:{{port}}\ntls_cert = /nosuch\n",
    ],
)  # fmt: skip
def test_ldap_servers(both: Both, directory: Directory, text: str) -> None:
    """Source: ldap_table(5) server_host, start_tls."""
    text = text.replace("{port}", str(directory.port)).replace("{tls}", str(directory.tls_port))
    both.write("t.cf", f"{text}search_base = {BASE}\n")
    ask(both, "ldap:./t.cf")
