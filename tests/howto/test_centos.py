"""The second how-to, CentOS's: relaying by a table, postmap and postalias, access changes that need no restart, ~/.forward, and
a queue that is looked at with the mail system down."""

from __future__ import annotations

import re

import pytest

from tests.howto.machine import HowtoMachine
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.root, pytest.mark.timeout(600), pytest.mark.xdist_group("how-tos")]

LINES = ("HELO client.example.com", "MAIL FROM:<me@example.com>", "RCPT TO:<hans@example.org>")


def test_access_changes_without_a_restart(machine: HowtoMachine) -> None:
    """postmap is enough: a process that has the old table ends when it has served its client."""
    machine.begin(
        "mynetworks=127.0.0.0/8, hash:/etc/postfix/access", "relay_domains=$mydestination",
        "smtpd_client_restrictions=check_client_access hash:/etc/postfix/access", "alias_maps=hash:/etc/aliases",
    )  # fmt: skip
    machine.write("/etc/postfix/access", "192.168.1.7 OK\n")
    machine.shell("postmap hash:/etc/postfix/access; postalias hash:/etc/aliases; postfix check")
    machine.restart()
    relay = (*LINES[:2], "RCPT TO:<you@elsewhere.example>")
    assert machine.telnet(*relay, client="192.168.1.7")[3] == "250 2.1.5 Ok"
    master = (machine.root / "var/spool/postfix/pid/master.pid").read_text()
    machine.write("/etc/postfix/access", "192.168.1.7 REJECT not any more\n")
    machine.run("postmap", "hash:/etc/postfix/access")
    rejected = "554 5.7.1 <unknown[192.168.1.7]>: Client host rejected: not any more"
    assert wait_until(lambda: machine.telnet(*LINES, client="192.168.1.7")[3] == rejected, 20)
    machine.write("/etc/postfix/access", "192.168.1 550 go away\n")
    machine.run("postmap", "hash:/etc/postfix/access")
    rejected = "550 5.7.1 <unknown[192.168.1.7]>: Client host rejected: go away"
    assert wait_until(lambda: machine.telnet(*LINES, client="192.168.1.7")[3] == rejected, 20)
    assert (machine.root / "var/spool/postfix/pid/master.pid").read_text() == master


def test_forward(machine: HowtoMachine) -> None:
    """``\\hans, grete``: to oneself and to another."""
    machine.begin()
    machine.shell("printf '\\\\hans, grete\\n' >/home/hans/.forward; chown hans: /home/hans/.forward")
    machine.shell("echo 'both of you' | mail -s 'forwarded' hans")
    assert machine.arrives("hans", "Subject: forwarded"), machine.log()
    assert machine.arrives("grete", "Subject: forwarded"), machine.log()
    assert machine.box("hans").count("Subject: forwarded") == 1


def test_the_mail_system_is_down(machine: HowtoMachine) -> None:
    """Mail is taken; postqueue looks itself; postcat shows the records of maildrop; everything is delivered afterwards."""
    machine.begin()
    machine.run("postfix", "stop")
    machine.shell('echo test | mail -s "test queue" root')
    listing = machine.run("postqueue", "-p")
    assert "Mail system is down -- accessing queue directly" in listing
    (name,) = re.findall(r"^(\w+) +\d+ .* root(?:@\S+)?$", listing, re.MULTILINE)
    path = f"/var/spool/postfix/maildrop/{name}"
    assert (machine.root / path.lstrip("/")).exists()
    shown = machine.run("postcat", path)
    expected = (
        rf"\*\*\* ENVELOPE RECORDS {path} \*\*\*\n"
        r"message_arrival_time: .*\n"
        r"named_attribute: rewrite_context=local\n"
        r"sender_fullname: root\n"
        r"sender: root\n"
        r"\*\*\* MESSAGE CONTENTS .* \*\*\*\n"
        r"To: root\n"
        r"Subject: test queue\n"
        r"(?:.*\n)*\n"
        r"test\n"
        r"\*\*\* HEADER EXTRACTED .* \*\*\*\n"
        r"recipient: root\n"
        r"\*\*\* MESSAGE FILE END .* \*\*\*\n"
    )
    assert re.fullmatch(expected, shown), shown
    machine.write("/etc/aliases", "postmaster: root\nroot: inge\n")
    machine.run("newaliases")
    machine.run("postfix", "start")
    assert machine.arrives("inge", "Subject: test queue"), machine.log()
    assert "Mail queue is empty" in machine.run("postqueue", "-p")
