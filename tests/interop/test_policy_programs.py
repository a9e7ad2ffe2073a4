"""Policy services and filters of Debian, configured as sites do it, beside both mail systems: replies, log lines and
delivered mail are the same.

Source: the programs' manual pages; SMTPD_POLICY_README, XCLIENT_README, FILTER_README.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.kit import requirements
from tests.kit.dnsdouble import rcode
from tests.kit.dnsworld import DnsWorld
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.ports import ReservedPort
from tests.kit.servers import ServerMissing, own_folder, program, running

pytestmark = [pytest.mark.reference, pytest.mark.root]

MESSAGE = b"Subject: x\r\nFrom: sender@client.example\r\n\r\nhello\r\n.\r\n"
XCLIENT = {"smtpd_authorized_xclient_hosts": "127.0.0.0/8", "notify_classes": ""}


def found(name: str, package: str) -> str:
    """Return the path of a program; skip the test where its package is not there."""
    try:
        return program(name, package)
    except ServerMissing as reason:
        requirements.missing(reason)


@pytest.fixture
def port() -> Iterator[int]:
    reserved = ReservedPort()
    yield reserved.number
    reserved.release()


def test_postgrey(parity: Parity, port: int) -> None:
    """The first try is refused for now, one after the delay is let in with postgrey's header; another sender waits again."""
    path = found("postgrey", "postgrey")

    def case(mta: Instance) -> None:
        def tried(sender: str) -> str:
            envelope = (f"MAIL FROM:<{sender}>", "RCPT TO:<user@ours.example>", "DATA")
            return mta.dialogue("XCLIENT NAME=mx.client.example ADDR=192.0.2.7", "EHLO mx.client.example", *envelope, MESSAGE, "QUIT")[3]

        with own_folder() as folder:
            argv = [path, f"--inet=127.0.0.1:{port}", f"--dbdir={folder}", "--delay=1", "--user=nobody", "--group=nogroup",
                    "--whitelist-clients=/dev/null", "--whitelist-recipients=/dev/null"]  # fmt: skip
            with running(argv, port, folder / "log"):
                assert "Greylisted" in tried("sender@client.example")
                time.sleep(2.1)  # postgrey counts whole seconds, and wants more than the delay
                assert tried("sender@client.example").startswith("250")
                assert "Greylisted" in tried("other@client.example")
        mta.wait_until_empty()

    main = XCLIENT | {"smtpd_recipient_restrictions": f"reject_unauth_destination, check_policy_service inet:127.0.0.1:{port}"}
    steady = {"mailboxes": "user@ours.example user/\n"}
    seen = parity(case, main=main, files=steady, logs="smtpd")
    assert len(seen.transcript) == 24


@pytest.fixture(scope="module")
def world() -> Iterator[DnsWorld]:
    zones = {
        ".": 'good.example TXT "v=spf1 ip4:192.0.2.7 -all"\nsoft.example TXT "v=spf1 ip4:192.0.2.7 ~all"\n'
        'twice.example TXT "v=spf1 -all"\ntwice.example TXT "v=spf1 +all"\nmx.good.example TXT "v=spf1 a -all"\nmx.good.example A 192.0.2.7\n'
    }
    with DnsWorld(zones, {"down.example": rcode("SERVFAIL")}) as world:
        yield world


SPF_CONFIGURATION = """\
debugLevel = 0
HELO_reject = False
Mail_From_reject = Fail
PermError_reject = True
TempError_Defer = True
skip_addresses = 127.0.0.0/8
"""
_PYTHON = ("policyd-spf", "postfix-policyd-spf-python", "{dir}/etc/spf.conf")
_PERL = ("postfix-policyd-spf-perl", "postfix-policyd-spf-perl", "")


@pytest.mark.parametrize(("name", "package", "argument"), [_PYTHON, _PERL])
def test_spf(parity: Parity, world: DnsWorld, name: str, package: str, argument: str) -> None:
    """A policy service that spawn(8) starts: what sites are allowed to send, are not, and what cannot be known."""
    path = found(name, package)

    def case(mta: Instance) -> None:
        for sender, last in ("a@good.example", 7), ("b@good.example", 8), ("c@soft.example", 8), ("d@twice.example", 8), ("e@down.example", 8), ("", 7):
            envelope = (f"MAIL FROM:<{sender}>", "RCPT TO:<user@ours.example>", "DATA")
            mta.dialogue(f"XCLIENT ADDR=192.0.2.{last}", "EHLO mx.good.example", *envelope, MESSAGE, "QUIT")
            mta.wait_until_empty()

    main = XCLIENT | {
        "smtpd_recipient_restrictions": "reject_unauth_destination, check_policy_service unix:private/policyd-spf",
        "policyd-spf_time_limit": "3600",
    }
    master = {"policyd-spf": f"policyd-spf unix - n n - 0 spawn user=nobody argv={path} {argument}"}
    files = {"spf.conf": SPF_CONFIGURATION}
    seen = parity(case, main=main, master=master, files=files, mounts=world.mounts, logs="smtpd", deliveries=True)
    assert "<user@ours.example>: Recipient address rejected: " in "\n".join(seen.transcript)
    assert "Received-SPF: " in "\n".join(seen.delivered["user/"])
