"""Programs that speak SMTP themselves: over TLS and with a login, as they do with the reference.

What they say, their exit status, what is logged and delivered is the same.  Source: their manual pages.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.accounts import FIRST_ID
from tests.kit.authdouble import AuthDouble
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.sendmailplace import run_client, sendmail_place
from tests.kit.tls import World
from tests.kit.writing import write_at_once

from .clientmail import lines_of

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIN = {
    "smtpd_tls_security_level": "may",
    "smtpd_tls_loglevel": "1",
    "smtpd_tls_received_header": "yes",
    "smtpd_tls_auth_only": "yes",
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_path": "private/auth",
    "smtpd_sasl_authenticated_header": "yes",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
    "virtual_mailbox_maps": "static:all",
    "transport_maps": "inline:{{elsewhere.example=discard:}}",
    "message_size_limit": "20000",
}
MESSAGE = "Date: Mon, 1 Jan 2024 10:00:00 +0000\nFrom: a@b.example\nTo: user@ours.example\nSubject: Grüße\n\n. a dot\n.\n\nGrüße\n"
PATCH = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: A <a@b.example>\nDate: Mon, 1 Jan 2024 10:00:00 +0000\nSubject: [PATCH] x\n\n---\n.\n"
FILES = {
    "message": MESSAGE,
    "large": MESSAGE + "x" * 70 + "\n" + ("y" * 70 + "\n") * 400,
    "0001-x.patch": PATCH,
    "msmtprc": "defaults\nhost 127.0.0.1\nport {port}\ntls_certcheck off\naccount plain\nfrom a@b.example\naccount full\nfrom a@b.example\ntls on\nauth plain\nuser joe\npassword pw\n",
}
PYTHON = r"""
import smtplib, ssl, sys
context = ssl._create_unverified_context()
with smtplib.SMTP("127.0.0.1", {port}, local_hostname="client.example") as client:
    client.ehlo(); client.starttls(context=context)
    print(client.login("joe", "pw"))
    text = open("message", encoding="utf-8").read().encode()
    print(client.sendmail("a@b.example", ["user@ours.example", "far@elsewhere.example"], text, ["body=8bitmime", "size=200"]))
    try:
        client.sendmail("a@b.example", ["user@ours.example", "bad address@ours.example"], text)
        client.sendmail("a@b.example", ["<bad address>"], text)
    except smtplib.SMTPException as error:
        print(error)
    print(client.verify("user@ours.example"), client.noop(), client.rset(), client.docmd("TURN"))
with smtplib.SMTP("127.0.0.1", {port}, local_hostname="client.example") as client:
    try:
        client.sendmail("a@b.example", "far@elsewhere.example", text)
    except smtplib.SMTPException as error:
        print(error)
    client.starttls(context=context)
    try:
        client.login("reason", "pw")
    except smtplib.SMTPException as error:
        print(error)
"""
PERL = r"""
use Net::SMTP;
my $client = Net::SMTP->new('127.0.0.1', Port => {port}, Hello => 'client.example', Timeout => 20) or die;
print $client->banner, $client->supports('SIZE'), "\n";
$client->starttls(SSL_verify_mode => 0) or die $client->message;
print join(' ', map { defined $client->supports($_) ? $_ : () } qw(AUTH STARTTLS PIPELINING DSN SMTPUTF8 CHUNKING)), "\n";
$client->auth('joe', 'pw') or die; print $client->code, ' ', $client->message;
$client->mail('a@b.example', Bits => 8, Return => 'HDRS', ENVID => 'x1') or die; print $client->message;
print join(' ', $client->recipient('user@ours.example', 'far@elsewhere.example', 'x@[1.2.3', { SkipBad => 1, Notify => ['NEVER'] })), "\n";
$client->data("From: a\@b.example\nSubject: perl\n\n.\n.x\ntext"); print $client->code, "\n";
$client->mail('a@b.example'); $client->to('user@ours.example'); $client->reset; print $client->message; $client->quit; print $client->message;
"""
PHP = r"""
$context = stream_context_create(['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]]);
$client = stream_socket_client('tcp://127.0.0.1:{port}', $error, $text, 20, STREAM_CLIENT_CONNECT, $context);
$say = function ($line) use ($client) { if ($line) fwrite($client, $line . "\r\n"); do { $reply = fgets($client); echo $reply; } while (substr($reply, 3, 1) == '-'); };
$say(''); $say('EHLO client.example'); $say('STARTTLS');
var_dump(stream_socket_enable_crypto($client, true, STREAM_CRYPTO_METHOD_TLS_CLIENT));
foreach (['EHLO client.example', 'AUTH LOGIN', base64_encode('joe'), base64_encode('pw'), 'MAIL FROM:<a@b.example>', 'RCPT TO:<user@ours.example>', 'DATA',
          "Subject: php\r\n\r\ntext\r\n.", 'QUIT'] as $line) $say($line);
"""
SWAKS = ("swaks", "--server", "127.0.0.1", "--port", "{port}", "--helo", "client.example", "--from", "a@b.example", "--to", "user@ours.example", "--data", "@message")
CURL = ("curl", "-sSv", "--insecure", "--mail-from", "a@b.example", "--mail-rcpt", "user@ours.example", "--upload-file", "message")
CURL_URL = "smtp://127.0.0.1:{port}/client.example"
GIT = ("git", "-c", "sendemail.smtpSslCertPath=", "send-email", "--from=a@b.example", "--to=user@ours.example", "--suppress-cc=all", "--confirm=never", "--smtp-server=127.0.0.1",
       "--smtp-server-port={port}", "--smtp-domain=client.example")  # fmt: skip
NAIL = ("s-nail", "-:/", "-r", "a@b.example", "-S", "hostname=client.example", "-S", "smtp-hostname=", "-S", "v15-compat", "-S", "tls-verify=ignore", "-s", "Grüße")


@dataclass(frozen=True)
class Client:
    """How a program is called, in a folder that has FILES."""

    argv: Sequence[str]
    status: int = 0
    input: str = ""
    delivered: bool = True


CLIENTS: dict[str, Client] = {
    "swaks": Client(SWAKS),
    "swaks tls auth": Client([*SWAKS, "--tls", "--auth", "PLAIN", "--auth-user", "joe", "--auth-password", "pw"]),
    "swaks login": Client([*SWAKS, "--tls", "--auth", "LOGIN", "--auth-user", "joe", "--auth-password", "pw"]),
    "swaks cram": Client([*SWAKS, "--tls", "--auth", "CRAM-MD5", "--auth-user", "joe", "--auth-password", "pw"]),
    "swaks refused": Client([*SWAKS, "--tls", "--auth", "PLAIN", "--auth-user", "tempfail", "--auth-password", "pw"], status=28, delivered=False),
    "swaks pipelined": Client([*SWAKS, "--pipeline", "--to", "user@ours.example,second@ours.example,x@nowhere.example"]),
    "swaks lines": Client([*SWAKS, "--tls", "--quit-after", "RCPT", "--to", "a@elsewhere.example"], status=24, delivered=False),
    "swaks prdr": Client([*SWAKS, "--protocol", "SMTP"]),
    "curl": Client([*CURL, CURL_URL]),
    "curl tls auth": Client([*CURL, "--ssl-reqd", "--user", "joe:pw", "--mail-rcpt", "far@elsewhere.example", CURL_URL]),
    "curl login option": Client([*CURL, "--ssl-reqd", "--user", "joe:pw", "--login-options", "AUTH=LOGIN", "--sasl-ir", CURL_URL]),
    "curl wrong": Client([*CURL, "--ssl", "--user", "bare:pw", CURL_URL], status=67, delivered=False),
    "curl relay": Client([*CURL, "--mail-rcpt", "far@elsewhere.example", CURL_URL], status=55, delivered=False),
    "curl some": Client([*CURL, "--mail-rcpt", "far@elsewhere.example", "--mail-rcpt-allowfails", CURL_URL]),
    "curl large": Client([*CURL[:-1], "large", CURL_URL], status=55, delivered=False),
    "curl vrfy": Client(["curl", "-sSv", "--insecure", "--mail-rcpt", "user@ours.example", CURL_URL], delivered=False),
    "curl help": Client(["curl", "-sSv", "--request", "NOOP", CURL_URL], delivered=False),
    "msmtp": Client(["msmtp", "-d", "-C", "msmtprc", "-a", "plain", "--domain=client.example", "user@ours.example"], input=MESSAGE),
    "msmtp full": Client(["msmtp", "-d", "-C", "msmtprc", "-a", "full", "--domain=client.example", "-N", "success", "-R", "hdrs", "-t", "far@elsewhere.example"], input=MESSAGE),
    "msmtp info": Client(["msmtp", "-C", "msmtprc", "-a", "full", "--domain=client.example", "-S"], delivered=False),
    "msmtp refused": Client(["msmtp", "-d", "-C", "msmtprc", "-a", "plain", "--domain=client.example", "far@elsewhere.example"], 65, MESSAGE, delivered=False),
    "smtplib": Client(["/usr/bin/python3", "-c", PYTHON]),
    "Net::SMTP": Client(["perl", "-e", PERL]),
    "php": Client(["php", "-r", PHP]),
    "s-nail": Client([*NAIL, "-S", "mta=smtp://127.0.0.1:{port}", "-S", "smtp-auth=none", "user@ours.example"], input="text\n.\n"),
    "s-nail tls auth": Client(
        [*NAIL, "-S", "mta=smtp://joe:pw@127.0.0.1:{port}", "-S", "smtp-use-starttls", "-S", "smtp-auth=plain", "user@ours.example", "far@elsewhere.example"], input="text\n.\n"),
    "git": Client([*GIT, "0001-x.patch"]),
    "git tls auth": Client([*GIT, "--smtp-encryption=tls", "--smtp-user=joe", "--smtp-pass=pw", "--smtp-auth=PLAIN", "--cc=far@elsewhere.example", "0001-x.patch"]),
}  # fmt: skip

_OF_CLIENTS = (
    (re.compile(r"(?m)^.*(?:0:0\d|--:--| Dload |Average Speed|Trying|Connected to|TCP_NODELAY|Connection #|^\* ).*\n"), ""),
    (re.compile(r"(?m)^[<>{}] \[\d+ bytes data\]\n|^\} .*\n|^\{ .*\n"), ""),
    (re.compile(r"(?m)^(=== |\*\*\* |\d\d:\d\d:\d\d |SHA|Date: |MIME-Version|X-Mailer: git).*$"), r"\1"),
    (re.compile(r"Message-I[dD]: <[^>]*>"), "Message-ID: <MADE UP>"),
    (re.compile(r"<\d+\.\d+@\S+>|CRAM-MD5\n|(?<=-> )[A-Za-z0-9+/=]{40,}"), "CHALLENGE"),
)
"""Times, and what shows how content was cut into packets, in what clients say of themselves."""


def said(mta: Instance, output: bytes) -> list[str]:
    """Return what a client said, without times."""
    text = output.decode("utf-8", "backslashreplace").replace("\r", "").replace(str(mta.port), "PORT")
    for pattern, replacement in _OF_CLIENTS:
        text = pattern.sub(replacement, text)
    return text.splitlines()


def calling(client: Client) -> Callable[[Instance], None]:
    def case(mta: Instance) -> None:
        home: Path = mta.directory / "home/alice"
        for name, text in FILES.items():
            write_at_once(home / name, text.replace("{port}", str(mta.port)).encode(), mode=0o600)
            (home / name).chmod(0o644 if name != "msmtprc" else 0o600)
            os.chown(home / name, FIRST_ID, FIRST_ID)
        argv = [word.replace("{port}", str(mta.port)) for word in client.argv]
        with AuthDouble(mta.queue_directory / "private/auth"):
            surroundings = {"HOME": str(home), "USER": "alice", "LOGNAME": "alice", "LC_ALL": "C.UTF-8", "EMAIL": "a@b.example"}
            done = run_client(mta, argv, input=client.input.encode(), user=FIRST_ID, environment=surroundings, directory=home)
            assert done.returncode == client.status, (done, mta.log_lines())
            mta.wait_for_log(r"smtpd\[\d+\]: disconnect from")
        mta.wait_until_empty()
        mta.transcript += [*said(mta, done.stdout), *said(mta, done.stderr), *lines_of(mta, "smtpd|cleanup|virtual|discard")]

    return case


@pytest.mark.parametrize("name", CLIENTS)
def test_clients(parity: Parity, world: World, name: str) -> None:
    main = {**MAIN, "smtpd_tls_cert_file": world.file("rsa.pem"), "smtpd_tls_key_file": world.file("rsa.key")}
    seen = parity(calling(CLIENTS[name]), main=main, accounts=("alice",), mounts=sendmail_place())
    assert any("status=sent" in line for line in seen.transcript) is CLIENTS[name].delivered, seen.transcript
