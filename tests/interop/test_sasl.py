"""Authentication with programs of others: Dovecot, saslauthd, Cyrus SASL's library (in the reference), fail2ban."""

from __future__ import annotations

import base64
import re
import shutil
import smtplib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.protocols.sasl.choice import choose
from pyfix.protocols.sasl.mechanism import Credentials
from pyfix.protocols.sasl.properties import Demands
from tests.kit import authservers, requirements
from tests.kit.authdouble import AuthDouble, encoded
from tests.kit.instance import Instance

pytestmark = [pytest.mark.root]

NewInstance = Callable[..., Instance]
SERVER = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
    "smtpd_recipient_restrictions": "",
}
CYRUS = {"smtpd_sasl_type": "cyrus", "smtpd_sasl_path": "smtpd", "cyrus_sasl_config_path": "$config_directory"}
SASLDB = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {dir}/etc/sasldb2\nmech_list: %s\n"
JOE = [("joe", "mail.ours.example", "s3cret"), ("joe", "ours.example", "other")]


def log_in(mta: Instance, user: str, password: str, mechanism: str) -> int:
    """Log in with Python's smtplib; return the code of the reply."""
    with smtplib.SMTP(mta.host, mta.port, local_hostname="client.example", timeout=30) as client:
        client.ehlo()
        client.user, client.password = user, password
        method = getattr(client, f"auth_{mechanism.lower().replace('-', '_')}")
        try:
            return client.auth(mechanism, method, initial_response_ok=mechanism != "LOGIN")[0]
        except smtplib.SMTPAuthenticationError as error:
            return error.smtp_code


def test_dovecot(new_instance: NewInstance) -> None:
    mta = new_instance(main=SERVER | {"smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth"})
    users = {"joe": "s3cret", "jim@ours.example": "pw\u00fc"}
    with authservers.dovecot(mta.directory / "dovecot", mta.queue_directory / "private/auth", users):
        mta.start()
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
            assert log_in(mta, "joe", "s3cret", mechanism) == 235, mechanism
            assert log_in(mta, "joe", "wrong", mechanism) == 535, mechanism
            assert log_in(mta, "nobody", "s3cret", mechanism) == 535, mechanism
        replies = mta.dialogue(
            "EHLO c", f"AUTH PLAIN {encoded('', 'jim@ours.example', 'pw' + chr(0xFC))}", "MAIL FROM:<a@b.example>", "RCPT TO:<x@elsewhere.example>", "QUIT"
        )
        assert replies[1:4] == ["235 2.7.0 Authentication successful", "250 2.1.0 Ok", "250 2.1.5 Ok"]
    mta.wait_for_log(r"sasl_method=PLAIN, sasl_username=jim@ours\.example")
    assert not re.search("s3cret|" + encoded("", "joe", "s3cret"), "\n".join(mta.log_lines(whole=True)))


def test_saslauthd(new_instance: NewInstance) -> None:
    mta = new_instance(
        main=SERVER | CYRUS | {"smtpd_sasl_local_domain": "mail.ours.example"},
        files={"smtpd.conf": "pwcheck_method: saslauthd\nmech_list: plain login\nsaslauthd_path: {dir}/saslauthd/mux\n"},
    )
    with authservers.saslauthd(mta.directory / "saslauthd", JOE):
        mta.start()
        for mechanism in ("PLAIN", "LOGIN"):
            assert log_in(mta, "joe", "s3cret", mechanism) == 235, mechanism
            assert log_in(mta, "joe", "wrong", mechanism) == 535, mechanism
    assert log_in(mta, "joe", "s3cret", "PLAIN") == 454
    mta.wait_for_log(r"SASL authentication failure: cannot connect to saslauthd server")


def spoken(mta: Instance, mechanism: str, password: str) -> int:
    """Log in with a mechanism of our own client; return the code of the last reply."""
    client = choose([mechanism], Demands(), Credentials("joe", password, host="mail.ours.example"))
    assert client is not None
    with mta.connect() as connection:
        connection.say("EHLO client.example")
        first = client.initial()
        line = f"AUTH {mechanism}" if first is None else f"AUTH {mechanism} {base64.b64encode(first).decode()}"
        (reply,) = connection.say(line)
        while reply.startswith("334"):
            response = client.respond(base64.b64decode(reply[4:]))
            (reply,) = connection.say(base64.b64encode(response).decode())
        connection.say("QUIT")
        return int(reply[:3])


def test_our_mechanisms_with_dovecot(new_instance: NewInstance) -> None:
    mta = new_instance(main=SERVER | {"smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth"})
    with authservers.dovecot(mta.directory / "dovecot", mta.queue_directory / "private/auth", {"joe": "s3cret", "joe@mail.ours.example": "s3cret"}):
        mta.start()
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"):
            assert spoken(mta, mechanism, "s3cret") == 235, mechanism
            assert spoken(mta, mechanism, "wrong") == 535, mechanism


@pytest.mark.reference
def test_our_mechanisms_with_cyrus_sasl(new_instance: NewInstance, tmp_path: Path) -> None:
    """The reference's server, with the real library."""
    authservers.write_sasldb(tmp_path / "sasldb2", JOE)
    mechanisms = ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")
    files: dict[str, str | bytes] = {"smtpd.conf": SASLDB % " ".join(mechanisms), "sasldb2": (tmp_path / "sasldb2").read_bytes()}
    mta = new_instance("reference", main=SERVER | CYRUS, files=files)
    mta.start()
    for mechanism in mechanisms:
        assert spoken(mta, mechanism, "s3cret") == 235, mechanism
        assert spoken(mta, mechanism, "wrong") == 535, mechanism


def test_gnu_sasl_with_our_mechanisms(new_instance: NewInstance, tmp_path: Path) -> None:
    """msmtp, which has GNU SASL, logs in at our server, which looks into a real sasldb."""
    program = shutil.which("msmtp")
    if program is None:
        requirements.missing("needs msmtp (package msmtp)")
    authservers.write_sasldb(tmp_path / "sasldb2", JOE)
    mechanisms = ("digest-md5", "cram-md5", "plain", "login")
    files: dict[str, str | bytes] = {"smtpd.conf": SASLDB % " ".join(mechanisms), "sasldb2": (tmp_path / "sasldb2").read_bytes()}
    mta = new_instance(main=SERVER | CYRUS, files=files)
    mta.start()
    for mechanism in mechanisms:
        for password, status in (("s3cret", 0), ("wrong", 77)):
            command = [program, "-C", "/dev/null", "--host=127.0.0.1", f"--port={mta.port}", "--tls=off", f"--auth={mechanism}", "--user=joe",
                       f"--passwordeval=echo {password}", "--from=a@b.example", "--timeout=30", "user@ours.example"]  # fmt: skip
            done = subprocess.run(command, input=b"Subject: x\n\nhi\n", capture_output=True, timeout=60, check=False)
            assert done.returncode == status, (mechanism, password, done.stderr, mta.log_lines()[-5:])
        mta.wait_for_log(rf"sasl_method={mechanism.upper()}, sasl_username=joe")


@pytest.mark.reference
def test_fail2ban_sees_the_same(new_instance: NewInstance) -> None:
    program = shutil.which("fail2ban-regex")
    if program is None:
        requirements.missing("needs fail2ban-regex (package fail2ban)")
    wrong = [f"AUTH PLAIN {encoded('', user, 'pw')}" for user in ("bare", "reason", "tempfail", "vanish", "long", "nobody")]
    sessions = [["EHLO c", *wrong, "QUIT"], ["EHLO c", "AUTH LOGIN", encoded("nono"), encoded("x"), "AUTH FOO", "AUTH LOGIN", "*", "QUIT"], ["EHLO c", "AUTH PLAIN"]]
    found = []
    for replace in (None, {"smtpd": "pyfix"}):
        main = SERVER | {"smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth", "smtpd_hard_error_limit": "100", "smtpd_error_sleep_time": "0"}
        mta = new_instance("reference", main=main, replace=replace)
        with AuthDouble(mta.queue_directory / "private/auth"):
            mta.start()
            for number, lines in enumerate(sessions):
                mta.dialogue(*lines, client=f"127.0.0.{number + 5}")
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=len(sessions))
        for mode in ("auth", "aggressive"):
            done = subprocess.run(
                [program, "--print-all-matched", str(mta.log_path), f"postfix[mode={mode}]"], capture_output=True, text=True, timeout=120, check=False
            )
            lines = [line.partition("]: ")[2] for line in done.stdout.splitlines() if "smtpd[" in line and "]: " in line]
            totals = re.findall(r"Lines: \d+ lines, \d+ ignored, (\d+) matched", done.stdout)
            found.append((mode, totals, sorted(lines)))
    assert found[:2] == found[2:]
    assert any("SASL PLAIN authentication failed" in line for line in found[0][2])
