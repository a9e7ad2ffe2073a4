"""The first how-to: a telnet session, aliases with groups, virtual users and domains, an access table, AUTH by saslauthd on
25 and 587, and reading the mail by POP3 and IMAP."""

from __future__ import annotations

import base64
import re

import pytest

from tests.howto.machine import HowtoMachine, Telnet

pytestmark = [pytest.mark.root, pytest.mark.timeout(600), pytest.mark.xdist_group("how-tos")]


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_telnet_session(machine: HowtoMachine) -> None:
    """HELO, MAIL, RCPT, DATA, as everybody tries it first."""
    machine.begin()
    heard = machine.telnet(
        "HELO client.example.com", "MAIL FROM:<me@example.com>", "RCPT TO:<hans@example.org>", "DATA",
        "Subject: typed\nTo: hans\n\nHello, Hans.\n.", "QUIT",
    )  # fmt: skip
    assert heard[0] == "220 mail.example.org ESMTP Postfix (Debian/GNU)"
    assert heard[1:5] == ["250 mail.example.org", "250 2.1.0 Ok", "250 2.1.5 Ok", "354 End data with <CR><LF>.<CR><LF>"]
    assert re.fullmatch(r"250 2\.0\.0 Ok: queued as \w+", heard[5])
    assert heard[6] == "221 2.0.0 Bye"
    assert machine.arrives("hans", "Hello, Hans.")
    assert "RCPT from localhost[127.0.0.1]" not in machine.log()
    heard = machine.telnet("HELO client.example.com", "MAIL FROM:<me@example.com>", "RCPT TO:<noone@example.org>", "HELP", "VRFY hans")
    assert heard[3:] == [
        "550 5.1.1 <noone@example.org>: Recipient address rejected: User unknown in local recipient table",
        "214 2.0.0 Commands: AUTH BDAT DATA EHLO ETRN HELO HELP MAIL NOOP QUIT RCPT RSET STARTTLS VRFY XCLIENT XFORWARD",
        "252 2.0.0 hans",
    ]


def test_aliases_and_groups(machine: HowtoMachine) -> None:
    """/etc/aliases with a group of people and an alias in it; newaliases; no restart."""
    machine.begin()
    machine.write("/etc/aliases", "postmaster: root\nroot: inge\n\nstaff: hans,\n  grete, boss\nboss: inge\n")
    machine.run("newaliases")
    machine.shell("echo 'for all' | mail -s 'to the staff' staff")
    for user in ("hans", "grete", "inge"):
        assert machine.arrives(user, "Subject: to the staff"), machine.log()
    machine.shell("echo test | mail -s 'to root' postmaster")
    assert machine.arrives("inge", "Subject: to root")


def test_virtual_users_and_domains(machine: HowtoMachine) -> None:
    """A domain of aliases, with a catch-all, and one of mailboxes of its own."""
    machine.begin(
        "virtual_alias_domains=alias.example", "virtual_alias_maps=hash:/etc/postfix/virtual",
        "virtual_mailbox_domains=box.example", "virtual_mailbox_base=/var/mail/vhosts", "virtual_mailbox_maps=hash:/etc/postfix/vmailbox",
        "virtual_uid_maps=static:5000", "virtual_gid_maps=static:5000", "virtual_minimum_uid=100",
    )  # fmt: skip
    machine.shell("mkdir -p /var/mail/vhosts && chown 5000:5000 /var/mail/vhosts")
    machine.write("/etc/postfix/virtual", "info@alias.example  hans\n@alias.example grete@example.org\n")
    machine.write("/etc/postfix/vmailbox", "sales@box.example box.example/sales/\n")
    machine.shell("cd /etc/postfix && postmap virtual && postmap vmailbox && postfix reload")
    replies = machine.telnet(
        "EHLO client.example.com", "MAIL FROM:<me@example.com>", "RCPT TO:<info@alias.example>", "RCPT TO:<any@alias.example>",
        "RCPT TO:<sales@box.example>", "RCPT TO:<other@box.example>", "DATA", "Subject: virtual\n\nx\n.", "QUIT",
    )  # fmt: skip
    assert [reply[:3] for reply in replies[3:7]] == ["250", "250", "250", "550"]
    assert "User unknown in virtual mailbox table" in replies[6]
    assert machine.arrives("hans", "Subject: virtual")
    assert machine.arrives("grete", "Subject: virtual")
    machine.shell("for i in 1 2 3 4 5 6 7 8 9; do ls /var/mail/vhosts/box.example/sales/new/* && exit; sleep 1; done; exit 1")


def test_an_access_table(machine: HowtoMachine) -> None:
    """mynetworks from a table: a network that may relay, one that may not."""
    machine.begin("mynetworks=127.0.0.0/8, hash:/etc/postfix/relay", "smtpd_client_restrictions=check_client_access hash:/etc/postfix/access")
    machine.write("/etc/postfix/relay", "192.168.0.7  RELAY\n")
    machine.write("/etc/postfix/access", "192.168.0  OK\n203.0.113 REJECT we do not want you\n")
    machine.shell("cd /etc/postfix; postmap relay access; postfix reload")
    lines = ("HELO client.example.com", "MAIL FROM:<me@example.com>", "RCPT TO:<you@elsewhere.example>")
    assert machine.telnet(*lines, client="192.168.0.7")[3] == "250 2.1.5 Ok"
    assert machine.telnet(*lines, client="192.168.1.7")[3].startswith("454 4.7.1 <you@elsewhere.example>: Relay access denied")
    assert machine.telnet(*lines, client="203.0.113.7")[3] == (
        "554 5.7.1 <unknown[203.0.113.7]>: Client host rejected: we do not want you"
    )


@pytest.fixture
def saslauthd(machine: HowtoMachine) -> None:
    machine.begin("smtpd_sasl_auth_enable=yes", "smtpd_sasl_path=smtpd", "smtpd_sasl_security_options=noanonymous")
    machine.write("/etc/postfix/sasl/smtpd.conf", "pwcheck_method: saslauthd\nmech_list: PLAIN LOGIN\n")
    machine.shell("pkill saslauthd || true; mkdir -p /var/spool/postfix/var/run/saslauthd; saslauthd -a shadow -n 2 -c -m /var/spool/postfix/var/run/saslauthd")
    machine.shell("chgrp sasl /var/spool/postfix/var/run/saslauthd; chmod 710 /var/spool/postfix/var/run/saslauthd; adduser postfix sasl")
    machine.run("postconf", "-M", "submission/inet=submission inet n - y - - smtpd -o syslog_name=postfix/submission -o smtpd_sasl_auth_enable=yes")
    machine.restart()


@pytest.mark.usefixtures("saslauthd")
def test_auth(machine: HowtoMachine) -> None:
    """AUTH LOGIN and PLAIN, right and wrong, on 25 and on 587; who has logged in may relay."""
    for port in (25, 587):
        session = Telnet(machine, port, "192.168.1.7")
        hello = session.type("EHLO client.example.com")
        assert "250-AUTH PLAIN LOGIN" in hello or "250-AUTH LOGIN PLAIN" in hello
        assert session.type("AUTH LOGIN") == "334 VXNlcm5hbWU6"
        assert session.type(_encoded("hans")) == "334 UGFzc3dvcmQ6"
        assert session.type(_encoded("wrong")).startswith("535 5.7.8 Error: authentication failed")
        assert session.type("AUTH LOGIN", _encoded("hans"), _encoded("secret-of-hans"), last="235 ").endswith(
            "235 2.7.0 Authentication successful"
        )
        assert session.type("MAIL FROM:<hans@example.org>") == "250 2.1.0 Ok"
        assert session.type("RCPT TO:<you@elsewhere.example>") == "250 2.1.5 Ok"
        session.close()
        session = Telnet(machine, port, "192.168.1.7")
        session.type("EHLO client.example.com")
        assert session.type("AUTH PLAIN " + _encoded("\0grete\0secret-of-grete")) == "235 2.7.0 Authentication successful"
        session.close()
    assert "postfix/submission/smtpd[" in machine.log()
    assert "SASL LOGIN authentication failed: authentication failure" in machine.log()


def test_reading_it(machine: HowtoMachine) -> None:
    """By POP3 and by IMAP, typed into telnet too."""
    machine.begin()
    machine.shell("echo hello | mail -s 'read me' hans")
    assert machine.arrives("hans", "Subject: read me")
    pop = Telnet(machine, 110, first=r"\+OK")
    assert pop.type("USER hans", last=r"\+OK|-ERR").startswith("+OK")
    assert pop.type("PASS secret-of-hans", last=r"\+OK|-ERR").startswith("+OK")
    assert pop.type("STAT", last=r"\+OK|-ERR").startswith("+OK 1 ")
    assert "Subject: read me" in pop.type("RETR 1", last=r"\.$")
    pop.close()
    imap = Telnet(machine, 143, first=r"\* OK")
    assert imap.type("a login hans secret-of-hans", last="a ").splitlines()[-1].startswith("a OK")
    assert "* 1 EXISTS" in imap.type("b select inbox", last="b ")
    assert "Subject: read me" in imap.type("c fetch 1 body[header]", last="c ")
    imap.close()
