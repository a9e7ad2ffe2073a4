"""AUTH as Cyrus SASL does it, without its library: smtpd.conf, saslauthd's protocol, sasldb."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kit import requirements
from tests.kit.authdouble import SASLAUTHD_ANSWERS, encoded
from tests.kit.smtp import Line

from .conftest import Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

SASLAUTHD = "# who asks whom\npwcheck_method: saslauthd\nmech_list: plain login\nsaslauthd_path: {dir}/saslauthd/mux\n"


def plain(user: str, password: str = "pw", wanted: str = "") -> str:
    return f"AUTH PLAIN {encoded(wanted, user, password)}"


MAIL: list[Line] = ["MAIL FROM:<a@b.example>", "RCPT TO:<x@elsewhere.example>", "RSET"]
SESSIONS: dict[str, list[Line]] = {
    "plain": ["EHLO c", "AUTH", "AUTH PLAIN", encoded("", "joe", "pw"), *MAIL, "QUIT"],
    "plain at once": ["EHLO c", plain("joe"), *MAIL, plain("joe"), "QUIT"],
    "login": ["EHLO c", "AUTH LOGIN", encoded("joe"), encoded("pw"), *MAIL, "QUIT"],
    "login at once": ["EHLO c", f"AUTH LOGIN {encoded('joe')}", encoded("pw"), *MAIL, "QUIT"],
    "realm": ["EHLO c", plain("joe@dom"), *MAIL, "QUIT"],
    "two realms": ["EHLO c", plain("j@a@b"), *MAIL, "QUIT"],
    "blanks": ["EHLO c", plain(" joe "), *MAIL, "QUIT"],
    "utf8": ["EHLO c", plain("J\u00f6e", "p\u00fc"), plain("J\u00f6e"), *MAIL, "QUIT"],
    "long": ["EHLO c", plain("x" * 300), *MAIL, "QUIT"],
    "other identity": ["EHLO c", plain("joe", "no", "adm"), plain("joe", "pw", "adm"), plain("joe", "pw", "joe"), *MAIL, "QUIT"],
    **{f"answer {word}": ["EHLO c", plain("joe", word), "AUTH LOGIN", encoded("joe"), encoded(word), "QUIT"] for word in (*SASLAUTHD_ANSWERS, "wrong")},
    "bad messages": ["EHLO c", *(f"AUTH PLAIN {text}" for text in (
        "!!", "xx", "=", "====", "YQ==YQ==", "YQ", "YQ=", "eA==", encoded("a", "b"), encoded("", "", ""), encoded("", "x", ""), encoded("", "x", "y", "z"),
        encoded("", "", "y"), encoded("", " ", "y"), encoded("", "joe@", "y"), encoded("", "@dom", "y"), "A" * 40,
    )), "QUIT"],
    "bad responses": ["EHLO c", "AUTH PLAIN", "", "AUTH PLAIN", "!!", "AUTH PLAIN", "*", "AUTH LOGIN", "*", "AUTH LOGIN", "!!", "AUTH LOGIN", "", "",
                      "AUTH LOGIN", encoded("a"), "", "AUTH LOGIN", encoded("a"), "*", "AUTH LOGIN =", "AUTH LOGIN", encoded("a\0b"), encoded("c"), "QUIT"],
    "mechanisms": ["EHLO c", "AUTH FOO", "AUTH CRAM-MD5", "AUTH DIGEST-MD5", "AUTH EXTERNAL =", "AUTH ANONYMOUS", f"AUTH plain {encoded('', 'joe', 'y')}",
                   f"AUTH Plain {encoded('', 'joe', 'pw')}", *MAIL, "QUIT"],
}  # fmt: skip


@pytest.mark.parametrize("name", SESSIONS)
def test_saslauthd(same_with_cyrus: Compare, name: str) -> None:
    same_with_cyrus([SESSIONS[name]], SASLAUTHD)


@pytest.mark.parametrize("name", ["plain at once", "login", "realm", "other identity", "answer wrong"])
def test_local_domain(same_with_cyrus: Compare, name: str) -> None:
    main = {"smtpd_sasl_local_domain": "$mydomain", "smtpd_sasl_service": "other", "smtpd_sasl_path": "mine"}
    same_with_cyrus([SESSIONS[name]], SASLAUTHD, main=main, name="mine")


@pytest.mark.parametrize(
    "conf",
    [
        "pwcheck_method: saslauthd\nmech_list: LOGIN PLAIN foo\nsaslauthd_path: {dir}/saslauthd/mux\n",
        "pwcheck_method: saslauthd\nmech_list: plain\nsaslauthd_path: /nowhere/mux\n",
        "pwcheck_method:  saslauthd\nMech_List:\tplain login \nsaslauthd_path:{dir}/saslauthd/mux",
        "pwcheck_method: nobody saslauthd\nmech_list: plain login\nsaslauthd_path: {dir}/saslauthd/mux\n",
        "pwcheck_method: foo\nmech_list: plain\n",
        "pwcheck_method: foo bar\nmech_list: login\n",
        "pwcheck_method: saslauthd auxprop\nmech_list: plain\nsaslauthd_path: {dir}/saslauthd/mux\nsasldb_path: /nowhere\n",
        "pwcheck_method: auxprop saslauthd\nmech_list: plain\nsaslauthd_path: {dir}/saslauthd/mux\nsasldb_path: /nowhere\n",
        "mech_list: plain login\nmech_list: cram-md5\nsasldb_path: /nowhere\n",
        "log_level: 1\nmech_list: plain login cram-md5\nsasldb_path: {dir}/etc\n",
    ],
    ids=range(10),
)
def test_configurations(same_with_cyrus: Compare, conf: str) -> None:
    lines = ["EHLO c", plain("joe", "no"), "AUTH LOGIN", encoded("joe"), encoded("no"), plain("joe"), *MAIL, "QUIT"]
    same_with_cyrus([lines], conf)


@pytest.mark.parametrize("options", ["noplaintext", "noactive", "nodictionary", "mutual_auth", "forward_secrecy", "noanonymous", "foo", ""])
def test_security_options(same_with_cyrus: Compare, options: str) -> None:
    conf = "mech_list: plain login cram-md5 digest-md5\nsasldb_path: /nowhere\n"
    same_with_cyrus([["EHLO c", "AUTH PLAIN", "*", "QUIT"]], conf, main={"smtpd_sasl_security_options": options})


@pytest.fixture(scope="module")
def sasldb(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file with joe@mail.ours.example, jim@other.example and joe@ours.example."""
    if shutil.which("saslpasswd2") is None:
        requirements.missing("needs saslpasswd2 (package sasl2-bin)")
    path = tmp_path_factory.mktemp("sasldb") / "sasldb2"
    for user, realm, password in (("joe", "mail.ours.example", "pw"), ("jim", "other.example", "pw2"), ("joe", "ours.example", "pw3")):
        command = ["saslpasswd2", "-c", "-p", "-f", str(path), "-u", realm, user]
        subprocess.run(command, input=password.encode(), check=True, capture_output=True, timeout=30)
    return Path(path).read_bytes()


SASLDB = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {dir}/etc/sasldb2\nmech_list: plain login cram-md5 digest-md5\n"
KNOWN: list[list[Line]] = [
    ["EHLO c", plain("joe"), *MAIL, "QUIT"],
    ["EHLO c", plain("jim"), plain("joe", "pw2"), plain("nobody"), plain("joe@nowhere"), plain("jim@other.example", "pw2"), *MAIL, "QUIT"],
    ["EHLO c", "AUTH LOGIN", encoded("jim@other.example"), encoded("pw2"), *MAIL, "QUIT"],
    ["EHLO c", f"AUTH CRAM-MD5 {encoded('joe 1')}", "NOOP", "QUIT"],
]  # fmt: skip


@pytest.mark.parametrize("domain", ["", "ours.example"])
def test_sasldb(same_with_cyrus: Compare, sasldb: bytes, domain: str) -> None:
    same_with_cyrus(KNOWN, SASLDB, files={"sasldb2": sasldb}, main={"smtpd_sasl_local_domain": domain})
