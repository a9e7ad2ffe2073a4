"""The third how-to, Fedora's: SASL by /usr/lib/sasl2/smtpd.conf and saslauthd, and what EHLO lists then."""

from __future__ import annotations

import base64

import pytest

from tests.howto.machine import HowtoMachine, Telnet

pytestmark = [pytest.mark.root, pytest.mark.timeout(600), pytest.mark.xdist_group("how-tos")]


def test_sasl(machine: HowtoMachine) -> None:
    """AUTH and AUTH= beside each other, XVERP and 8BITMIME; who has not logged in can't relay, who has can."""
    machine.begin(
        "smtpd_sasl_auth_enable=yes", "smtpd_sasl_local_domain=", "broken_sasl_auth_clients=yes", "smtpd_sasl_security_options=noanonymous",
        "smtpd_recipient_restrictions=permit_sasl_authenticated,permit_mynetworks,reject_unauth_destination",
        "smtpd_client_restrictions=permit_sasl_authenticated", "smtpd_relay_restrictions=", "mynetworks=127.0.0.0/8",
        "smtpd_authorized_verp_clients=192.168.1.7",
    )  # fmt: skip
    machine.write("/usr/lib/sasl2/smtpd.conf", "pwcheck_method: saslauthd\nmech_list: plain login\n")
    machine.shell("pkill saslauthd || true; rm -rf /run/saslauthd; mkdir -p /run/saslauthd; saslauthd -a shadow -n 1 -m /run/saslauthd; chmod 755 /run/saslauthd")
    machine.run("postconf", "-F", "smtp/inet/chroot=n")
    machine.restart()
    session = Telnet(machine, 25, "192.168.1.7")
    hello = session.type("EHLO client.example.com").splitlines()
    listed = [line[4:] for line in hello]
    auth = next(line for line in listed if line.startswith("AUTH "))
    assert sorted(auth.split()[1:]) == ["LOGIN", "PLAIN"]
    assert auth.replace("AUTH ", "AUTH=") in listed
    assert {"XVERP", "8BITMIME", "PIPELINING", "ETRN", "VRFY"} <= set(listed)
    assert session.type("MAIL FROM:<hans@example.org>") == "250 2.1.0 Ok"
    assert session.type("RCPT TO:<you@elsewhere.example>") == "554 5.7.1 <you@elsewhere.example>: Relay access denied"
    assert session.type("RSET") == "250 2.0.0 Ok"
    secret = base64.b64encode(b"\0hans\0secret-of-hans").decode()
    assert session.type(f"AUTH PLAIN {secret}") == "235 2.7.0 Authentication successful"
    assert session.type("MAIL FROM:<hans@example.org>") == "250 2.1.0 Ok"
    assert session.type("RCPT TO:<you@elsewhere.example>") == "250 2.1.5 Ok"
    session.close()
    machine.run("rm", "/usr/lib/sasl2/smtpd.conf")
