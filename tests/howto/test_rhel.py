"""The fifth how-to, notes of a RHEL administrator: a null client, local-host-names, the commands of every day, procmail."""

from __future__ import annotations

import re

import pytest

from tests.howto.machine import HowtoMachine
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.root, pytest.mark.timeout(600), pytest.mark.xdist_group("how-tos")]


def test_a_null_client(machine: HowtoMachine) -> None:
    """Nothing is delivered here; local mail is an error; SMTP is for this machine only."""
    machine.begin(
        "inet_interfaces=loopback-only", "mydestination=", "myorigin=example.org", "relayhost=[127.0.0.1]:2526",
        "local_transport=error: local delivery disabled", "mynetworks=127.0.0.0/8",
    )  # fmt: skip
    machine.restart()
    machine.shell("echo x | mail -s 'to the hub' hans")
    assert wait_until(lambda: "status=deferred" in machine.log(), 20)
    assert re.search(r"to=<hans@example.org>, (orig_to=<hans>, )?relay=none, .*dsn=4\.4\.1, status=deferred", machine.log()), machine.log()
    machine.run("sendmail", "root@localhost", text="Subject: x\n\nx\n")
    assert machine.ran("telnet", "192.168.1.7", "25").returncode != 0
    listing = machine.run("postqueue", "-p")
    assert "hans@example.org" in listing and "Connection refused" in listing
    (name,) = set(re.findall(r"postfix/smtp\[\d+\]: (\w+): to=<hans", machine.log()))
    assert re.search(rf"^{name} ", listing, re.MULTILINE)
    assert machine.shell(f"cat /var/spool/postfix/defer/{name[0]}/{name}").count("recipient=hans@example.org") == 1
    machine.shell(f"test -f /var/spool/postfix/deferred/{name[0]}/{name}")
    machine.run("postqueue", "-f")
    assert wait_until(lambda: machine.log().count(f"{name}: to=<hans@example.org>") == 2, 20)


def test_local_host_names(machine: HowtoMachine) -> None:
    """mydestination from a file, with comments; a reload after a change."""
    machine.begin("mydestination=/etc/postfix/local-host-names", "local_recipient_maps=")
    machine.write("/etc/postfix/local-host-names", "# ours\nlocalhost\nexample.org\n")
    machine.run("postfix", "reload")
    words = ("EHLO c", "MAIL FROM:<me@example.com>")
    client = "192.168.0.7"
    assert machine.telnet(*words, "RCPT TO:<hans@example.org>", client=client)[3] == "250 2.1.5 Ok"
    assert machine.telnet(*words, "RCPT TO:<hans@other.example>", client=client)[3].endswith("Relay access denied")
    machine.shell("echo other.example >>/etc/postfix/local-host-names; postfix reload")
    assert wait_until(lambda: machine.telnet(*words, "RCPT TO:<hans@other.example>", client=client)[3] == "250 2.1.5 Ok", 20)


def test_client_access(machine: HowtoMachine) -> None:
    """``192.168.0 OK``, all others refused; and sasl's users with smtpd_relay_restrictions."""
    machine.begin(
        "smtpd_client_restrictions=check_client_access hash:/etc/postfix/access, reject", "smtpd_sasl_auth_enable=yes",
        "smtpd_relay_restrictions=permit_mynetworks permit_sasl_authenticated reject_unauth_destination",
    )  # fmt: skip
    machine.write("/etc/postfix/access", "192.168.0 OK\n")
    machine.shell("postmap /etc/postfix/access; postfix reload")
    words = ("EHLO c", "MAIL FROM:<me@example.com>", "RCPT TO:<hans@example.org>")
    assert machine.telnet(*words, client="192.168.0.7")[3] == "250 2.1.5 Ok"
    assert machine.telnet(*words, client="192.168.1.7")[3] == "554 5.7.1 <unknown[192.168.1.7]>: Client host rejected: Access denied"
    assert machine.telnet("EHLO c", words[1], "RCPT TO:<you@elsewhere.example>", client="192.168.0.7")[3] == (
        "554 5.7.1 <you@elsewhere.example>: Relay access denied"
    )


def test_commands_of_every_day(machine: HowtoMachine) -> None:
    """postconf -m, -n and -e, postqueue -p and -f on an empty queue, and the log that people look at."""
    machine.begin()
    types = machine.run("postconf", "-m").split()
    assert {"hash", "btree", "cidr", "regexp", "texthash", "static", "proxy", "unix"} <= set(types)
    machine.run("postconf", "-e", "message_size_limit = 20480000")
    changed = machine.run("postconf", "-n").splitlines()
    assert "message_size_limit = 20480000" in changed and "mydestination = mail.example.org,example.org,localhost" in changed
    assert machine.run("postqueue", "-p") == "Mail queue is empty\n"
    machine.run("postqueue", "-f")
    machine.run("postfix", "reload")
    assert "daemon started -- version 3.11" in machine.log()
    assert re.search(r"postfix/master\[\d+\]: reload -- version 3.11", machine.log())


def test_procmail(machine: HowtoMachine) -> None:
    """mailbox_command, and a recipe that files by subject."""
    machine.begin('mailbox_command=/usr/bin/procmail -a "$EXTENSION"', "recipient_delimiter=+")
    machine.write("/home/hans/.procmailrc", "EXTENSION=$1\n:0\n* ^Subject:.*urgent\nurgent\n\n:0\n* EXTENSION ?? ^list$\nlists\n")
    machine.shell("chown hans: /home/hans/.procmailrc")
    machine.shell("echo x | mail -s 'this is urgent' hans; echo x | mail -s 'from a list' hans+list; echo x | mail -s 'plain' hans")
    assert machine.arrives("hans", "Subject: plain"), machine.log()
    for name, subject in (("urgent", "this is urgent"), ("lists", "from a list")):
        path = machine.root / "home/hans" / name
        assert wait_until(lambda path=path, subject=subject: path.exists() and f"Subject: {subject}" in path.read_text(), 20), machine.log()  # type: ignore[misc]  # a lambda's defaults have no types of their own
        assert path.stat().st_uid == int(machine.run("id", "-u", "hans"))
    assert "status=sent (delivered to command: /usr/bin/procmail -a \"$EXTENSION\")" in machine.log()
