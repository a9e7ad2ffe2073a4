"""The fourth how-to: what sendmail's users had, the way Postfix has it."""

from __future__ import annotations

import pytest

from tests.howto.machine import HowtoMachine
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.root, pytest.mark.timeout(600), pytest.mark.xdist_group("how-tos")]


def test_catch_alls_and_whole_domains(machine: HowtoMachine) -> None:
    """virtusertable's ``@domain user``, and ``@dom1`` to the same user ``@dom2``."""
    machine.begin("virtual_alias_domains=all.example, old.example", "virtual_alias_maps=hash:/etc/postfix/virtual")
    machine.write("/etc/postfix/virtual", "@all.example inge\nhans@all.example hans\n@old.example @example.org\n")
    machine.shell("postmap /etc/postfix/virtual; postfix reload")
    machine.telnet(
        "EHLO c", "MAIL FROM:<me@example.com>", "RCPT TO:<anybody@all.example>", "RCPT TO:<grete@old.example>", "DATA",
        "Subject: caught\n\nx\n.", "QUIT",
    )  # fmt: skip
    assert machine.arrives("inge", "Subject: caught") and machine.arrives("grete", "Subject: caught")
    assert "X-Original-To: grete@old.example" in machine.box("grete")
    # The whole old domain is known, so its unknown users are too: only the notice tells of them.
    assert machine.telnet("EHLO c", "MAIL FROM:<me@example.com>", "RCPT TO:<noone@old.example>")[3] == "250 2.1.5 Ok"


def test_connect_to_and_from(machine: HowtoMachine) -> None:
    """access.db's Connect:, To: and From: rules, each a table of its own, with texts; and DISCARD."""
    machine.begin(
        "smtpd_client_restrictions=check_client_access hash:/etc/postfix/connect",
        "smtpd_sender_restrictions=check_sender_access hash:/etc/postfix/from",
        "smtpd_recipient_restrictions=check_recipient_access hash:/etc/postfix/to",
    )  # fmt: skip
    machine.write("/etc/postfix/connect", "192.168.0.7 550 We don't accept mail from your network\n192.168.1 OK\n")
    machine.write("/etc/postfix/from", "spammer.example REJECT Spam is not accepted here\nboss@rich.example DISCARD\n")
    machine.write("/etc/postfix/to", "inge@ 550 5.7.1 Inge takes no mail\n")
    machine.shell("cd /etc/postfix; postmap connect from to; postfix reload")
    refused = machine.telnet("EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<hans@example.org>", client="192.168.0.7")[3]
    assert refused == "550 5.7.1 <unknown[192.168.0.7]>: Client host rejected: We don't accept mail from your network"
    refused = machine.telnet("EHLO c", "MAIL FROM:<a@sub.spammer.example>", "RCPT TO:<hans@example.org>")[3]
    assert refused == "554 5.7.1 <a@sub.spammer.example>: Sender address rejected: Spam is not accepted here"
    refused = machine.telnet("EHLO c", "MAIL FROM:<a@b.example>", "RCPT TO:<inge@example.org>")[3]
    assert refused == "550 5.7.1 <inge@example.org>: Recipient address rejected: Inge takes no mail"
    heard = machine.telnet("EHLO c", "MAIL FROM:<boss@rich.example>", "RCPT TO:<hans@example.org>", "DATA", "Subject: gone\n\nx\n.", "QUIT")
    assert heard[5].startswith("250 2.0.0 Ok: queued as ")
    assert wait_until(lambda: "discard: RCPT from localhost[127.0.0.1]: <boss@rich.example>: Sender address triggers DISCARD action" in machine.log(), 10)
    assert "Subject: gone" not in machine.box("hans")


def test_masquerading(machine: HowtoMachine) -> None:
    """MASQUERADE_AS with masquerade_envelope, and root as the exception."""
    machine.begin(
        "masquerade_domains=example.org", "masquerade_classes=envelope_sender, header_sender", "masquerade_exceptions=root",
        "append_dot_mydomain=no", "remote_header_rewrite_domain=domain.invalid", "recipient_canonical_maps=",
    )  # fmt: skip
    machine.run("sendmail", "-f", "hans@pc7.example.org", "hans", text="From: hans@pc7.example.org\nSubject: masked\n\nx\n")
    machine.run("sendmail", "-f", "root@pc7.example.org", "grete", text="From: root@pc7.example.org\nSubject: not masked\n\nx\n")
    assert machine.arrives("hans", "Subject: masked") and machine.arrives("grete", "Subject: not masked")
    assert "From: hans@example.org\n" in machine.box("hans") and machine.box("hans").startswith("From hans@example.org ")
    assert "From: root@pc7.example.org\n" in machine.box("grete") and machine.box("grete").startswith("From root@pc7.example.org ")
