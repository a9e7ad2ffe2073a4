"""A day in the life of a mail system, for programs that read its log: mail of all kinds, and all kinds of refusals."""

from __future__ import annotations

import os

from tests.kit import processes
from tests.kit.authdouble import AuthDouble, encoded
from tests.kit.instance import TRUSTED, Instance
from tests.kit.peer import Peer
from tests.kit.smtp import Raw
from tests.kit.tls import TlsDialogue, client_context

MAIN = {
    "smtpd_tls_security_level": "may",
    "smtpd_tls_loglevel": "1",
    "tls_eecdh_auto_curves": "X25519",  # the two sides have different releases of OpenSSL
    "smtp_tls_loglevel": "1",
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_path": "private/auth",
    "smtpd_client_restrictions": "check_client_access inline:{{127.0.0.8=REJECT go away},{127.0.0.9=450 later}}, reject_rbl_client rbl.example",
    "smtpd_helo_required": "yes",
    "smtpd_helo_restrictions": "permit_mynetworks, reject_invalid_helo_hostname, check_helo_access inline:{{spam.example=REJECT}}",
    "smtpd_sender_restrictions": "permit_mynetworks, reject_non_fqdn_sender, check_sender_access inline:"
    "{{bad@b.example=REJECT bad sender},{hold@b.example=HOLD},{gone@b.example=DISCARD},{warn@b.example=WARN look},{pre@b.example=PREPEND X-A: b},"
    "{bcc@b.example=BCC copy@ours.example},{redirect@b.example=REDIRECT user@ours.example}}",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
    "smtpd_recipient_restrictions": "permit_mynetworks, reject_non_fqdn_recipient, check_recipient_access inline:{{full@ours.example=452 4.2.2 mailbox full}}, "
    "warn_if_reject check_sender_access inline:{{warn2@b.example=REJECT}}, reject_unauth_pipelining",
    "smtpd_error_sleep_time": "0",
    "smtpd_hard_error_limit": "6",
    "smtpd_client_event_limit_exceptions": "static:all",
    "header_checks": "regexp:{dir}/etc/header_checks",
    "body_checks": "regexp:{dir}/etc/body_checks",
    "message_size_limit": "30000",
    "alias_maps": "texthash:{dir}/etc/aliases",
    "transport_maps": "texthash:{dir}/etc/transport",
    "recipient_delimiter": "+",
    "local_recipient_maps": "",
    "notify_classes": "resource,software",
    "smtp_connection_cache_on_demand": "no",
}
FILES = {
    "header_checks": "/^Subject: refuse/ REJECT no such subjects\n/^Subject: warn/ WARN seen\n/^Subject: drop/ DISCARD\n/^Subject: hold/ HOLD kept\n/^X-Add:/ REPLACE X-Added: yes\n/^X-Filter:/ REDIRECT user@ours.example\n",
    "body_checks": "/^viagra/ REJECT spam\n/^note/ INFO noted\n",
    "aliases": 'file "/dev/null"\ncommand "|exit 0"\nfails "|echo no more room; exit 75"\nrefuses "|echo 5.7.1 not you; exit 77"\nboth alice, user@ours.example\nloop loop@ours.example\n',
}
MASTER = {
    "cmd": "cmd unix - n n - - pipe flags=DRX user=nobody argv=/bin/sh -c exit\\040${extension}",
    "tls": "tls unix - - n - - smtp -o myhostname=relay.example -o smtp_tls_security_level=encrypt",
}


def day(mta: Instance) -> None:
    """Let it all happen; afterwards nothing is left but held and deferred mail."""
    script = {
        "RCPT": "250 2.1.5 Recipient ok", "RCPT later@": "450 4.2.0 try later", "RCPT never@": "550 5.1.1 no such user",
        "RCPT full@": "552 5.2.2 over quota", "RCPT two@": "250 two",
    }  # fmt: skip
    with Peer(script) as peer, AuthDouble(mta.queue_directory / "private/auth"):
        mta.write("transport", f"far.example smtp:[127.0.0.1]:{peer.port}\nclosed.example smtp:[127.0.0.1]:1\ntls.example tls:[127.0.0.1]:{mta.port}\n"
                  "discard.example discard:\nerror.example error:5.1.2 no mail here\nretry.example retry:4.3.0 not today\ncmd.example cmd:\n")  # fmt: skip
        os.utime(mta.config_directory / "transport")
        _refusals(mta)
        _logins(mta)
        _mail(mta)
        mta.run("sendmail", "-f", "me@ours.example", "user@ours.example", input=b"Subject: local\n\nhi\n")
        mta.run("sendmail", "-f", "me@ours.example", "-t", input=b"To: never@far.example, x@error.example, x@retry.example\nSubject: local\n\nhi\n")
        settle(mta)


def settle(mta: Instance) -> None:
    """Wait until nothing is left but what waits for another time."""
    before = -1
    while before != (before := mta.log_mark()):
        assert processes.wait_until(lambda: set(mta.queue()) <= {"deferred", "hold"}, 20.0), mta.queue()
        mta.settle()


def _refusals(mta: Instance) -> None:
    tries = [
        ("a@b.example", "x@nowhere.example"), ("bad@b.example", "user@ours.example"), ("a", "user@ours.example"), ("a@b.example", "nobody@ours.example"),
        ("a@b.example", "full@ours.example"), ("warn@b.example", "user@ours.example"), ("gone@b.example", "user@ours.example"), ("a@b.example", "user"),
        ("warn2@b.example", "user@ours.example"), ("hold@b.example", "second@ours.example"), ("pre@b.example", "user@ours.example"),
    ]  # fmt: skip
    for number, (sender, recipient) in enumerate(tries):
        dialogue(mta, "EHLO c.example", f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA", b"Subject: x\r\n\r\nx\r\n.\r\n", "QUIT", client=f"127.0.1.{number + 1}")
    mail = ("MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>")
    for number, lines in enumerate((
        ["EHLO spam.example", *mail, "QUIT"], ["EHLO -bad-", *mail, "QUIT"], ["HELO c.example", "MAIL FROM:a b", "RCPT", "VRFY user@ours.example", "FOO", "QUIT"],
        ["MAIL FROM:<a@b.example>", "QUIT"], ["EHLO c.example", *["JUNK"] * 7], ["GET / HTTP/1.1"], ["EHLO c.example", "MAIL FROM:<a@b.example> SIZE=99999999", "QUIT"],
        [Raw(b"EHLO c.example\r\nNOOP\r\nNOOP\r\nMAIL FROM:<a@b.example>\r\n", 1)], ["EHLO c.example", *mail], ["EHLO c.example", *mail, "DATA"], ["EHLO c.example"], [],
        ["EHLO c.example", "ETRN far.example", "ETRN #x", "RSET", "NOOP", "QUIT"], ["HELO c.example", *mail, "DATA", b"x\r\n" * 12000 + b".\r\n", "QUIT"],
    )):  # fmt: skip
        dialogue(mta, *lines, client=f"127.0.2.{number + 1}")
    for client in ("127.0.0.8", "127.0.0.9", "127.0.0.66"):
        dialogue(mta, "EHLO c.example", *mail, "QUIT", client=client)
    for number, header in enumerate(("Subject: refuse", "Subject: warn", "Subject: drop", "Subject: hold", "X-Add: x", "X-Filter: x", "Subject: x\r\n\r\nviagra", "Subject: x\r\n\r\nnote")):
        dialogue(mta, "EHLO c.example", *mail, "DATA", header.encode() + b"\r\n\r\nbody\r\n.\r\n", "QUIT", client=f"127.0.3.{number + 1}")


def dialogue(mta: Instance, *lines: str | bytes | Raw, client: str) -> None:
    """Say the lines, as far as the server listens, and wait until it has logged the end."""
    mark = mta.log_mark()
    with mta.connect(client) as connection:
        for line in lines:
            if connection.say(line)[-1].endswith("<closed>"):
                break
    mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)


def _logins(mta: Instance) -> None:
    wrong = [f"AUTH PLAIN {encoded('', user, 'pw')}" for user in ("bare", "reason", "tempfail", "disabled")]
    dialogue(mta, "EHLO c.example", *wrong, "AUTH LOGIN", encoded("nono"), encoded("x"), "AUTH FOO", "QUIT", client="127.0.4.1")
    dialogue(mta, "EHLO c.example", wrong[0], client="127.0.4.2")
    mark = mta.log_mark()
    with TlsDialogue(mta.host, mta.port, "127.0.4.3") as client:
        client.say_all(["EHLO c.example", "STARTTLS"])
        client.secure(client_context())
        client.say_all(["EHLO c.example", f"AUTH PLAIN {encoded('', 'joe', 'pw')}", "MAIL FROM:<joe@ours.example>", "RCPT TO:<ok@far.example>", "DATA", b"Subject: tls\r\n\r\nx\r\n.\r\n", "QUIT"])
    mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)


_RECIPIENTS = (
    "user@ours.example", "user+ext@ours.example", "mbox@ours.example", "ok@far.example", "later@far.example", "never@far.example", "full@far.example",
    "x@closed.example", "x@discard.example", "user+0@cmd.example", "user+75@cmd.example", "user+67@cmd.example",
    "file@localhost", "command@localhost", "fails@localhost", "refuses@localhost", "both@localhost", "loop@localhost", "alice@localhost", "alice+x@localhost",
    "nosuchuser@localhost", "user@tls.example",
)  # fmt: skip


def _mail(mta: Instance) -> None:
    for recipient in _RECIPIENTS:
        mta.send_message(recipient, sender="a@discard.example", client=TRUSTED)
    settle(mta)
    mta.send_message(["ok@far.example", "two@far.example", "user@ours.example", "never@far.example"], sender="me@ours.example")
    mta.send_message("never@far.example", sender="")
    for sender in ("bcc@b.example", "redirect@b.example"):
        dialogue(mta, "EHLO c.example", f"MAIL FROM:<{sender}>", "RCPT TO:<second@ours.example>", "DATA", b"Subject: x\r\n\r\nx\r\n.\r\n", "QUIT", client="127.0.5.1")
    settle(mta)
    for options in (("-h", "-f", "-H"), ("-d",)):  # queue commands log, too
        queue_id = mta.send_message("later@far.example", sender="a@discard.example")
        settle(mta)
        for option in options:
            mta.run("postsuper", option, queue_id)
            mta.settle()
        mta.run("postqueue", "-i", queue_id)
        settle(mta)
