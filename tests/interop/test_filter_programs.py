"""Filters of Debian, configured as sites do it, beside both mail systems: amavis behind the queue, which takes mail by SMTP and LMTP
and hands it back, spamass-milter with spamd, clamav-milter with clamd, and opendmarc, which asks the DNS.  Log lines and delivered mail are the same.

Source: FILTER_README; MILTER_README; amavisd-new's README.postfix; spamass-milter(1); clamav-milter.conf(5); opendmarc.conf(5).
"""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.kit import processes, requirements
from tests.kit.dnsworld import DnsWorld
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.ports import ReservedPort
from tests.kit.servers import give_away, own_folder, running
from tests.kit.smtp import Dialogue

pytestmark = [pytest.mark.reference, pytest.mark.root]

HEADER = b"From: Somebody <sender@client.example>\r\nTo: user@ours.example\r\nMessage-Id: <1@client.example>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
PLAIN = HEADER + b"Subject: x\r\n\r\nhello\r\n..dot\r\n.\r\n"
STEADY = {"smtpd_authorized_xclient_hosts": "127.0.0.0/8", "notify_classes": "", "smtpd_peername_lookup": "no"}


def found(name: str, package: str) -> str:
    """Return the path of a program; skip the test where its package is not there."""
    path = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        requirements.missing(f"{name} (Debian's package {package}) is not installed")
    return path


@pytest.fixture
def ports() -> Iterator[list[int]]:
    reserved = [ReservedPort() for _ in range(2)]
    yield [port.number for port in reserved]
    for port in reserved:
        port.release()


def tried(mta: Instance, content: bytes, sender: str, recipients: Sequence[str], server: str = "127.0.0.1") -> None:
    """Send a message as a client of elsewhere, and wait until all is done that is not held."""
    begin = ["XCLIENT NAME=mx.client.example ADDR=192.0.2.7", "EHLO mx.client.example"]
    envelope = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{recipient}>" for recipient in recipients)]
    with Dialogue(server, mta.port, "127.0.0.1") as client:
        for command in (*begin, *envelope, "DATA"):
            mta.transcript += client.say(command)
        mta.transcript += [*client.say(content), *client.say("QUIT")]
    held = mta.queue().get("hold", [])
    mta.wait_until_only(held[0]) if held else mta.wait_until_empty()


AMAVIS = """\
use strict;
$MYHOME = '{folder}'; $TEMPBASE = "$MYHOME/tmp"; $QUARANTINEDIR = undef; $helpers_home = "$MYHOME"; $db_home = "$MYHOME";
$pid_file = "$MYHOME/pid"; $lock_file = "$MYHOME/lock"; $enable_db = 0; $enable_zmq = 0; $max_servers = 1; $max_requests = 100;
$daemon_user = 'nobody'; $daemon_group = 'nogroup'; $mydomain = 'ours.example'; $myhostname = 'filter.ours.example';
$log_level = 0; $do_syslog = 0; $logfile = "$MYHOME/log"; $inet_socket_bind = '127.0.0.1'; $inet_socket_port = {amavis};
@inet_acl = qw(127.0.0.1); @local_domains_maps = (1); @mynetworks = qw(192.0.2.0/24);
@bypass_virus_checks_maps = (1); @bypass_spam_checks_maps = (1); @bypass_banned_checks_maps = (1);
$enable_dkim_verification = 0; $enable_dkim_signing = 0; $final_bad_header_destiny = D_PASS; $allow_disclaimers = 0;
$forward_method = 'smtp:[127.0.0.9]:{port}'; $notify_method = $forward_method;
1;
"""


def test_amavis(parity: Parity, ports: list[int]) -> None:
    """Fed by smtp with XFORWARD and by lmtp, and back into an smtpd that does without cleanup's rewriting: what is logged, the
    replies that it gives on, and what is delivered."""
    path = found("amavisd", "amavisd-new")
    amavis = ports[0]

    def case(mta: Instance) -> str:
        with own_folder() as folder:
            for name in ("etc", "tmp"):  # it wants a configuration that it can't change
                (folder / name).mkdir()
            (folder / "etc" / "conf").write_text(AMAVIS.format(folder=folder, amavis=amavis, port=mta.port))
            give_away(folder / "tmp")
            with running([path, "-c", folder / "etc" / "conf", "foreground"], amavis, folder / "output"):
                for server in ("127.0.0.1", "127.0.0.8"):
                    tried(mta, PLAIN, "sender@client.example", ["user@ours.example", "list@ours.example"], server)
                    tried(mta, PLAIN, "", ["user@ours.example"], server)
                    tried(mta, HEADER + b"X: \xe9\r\n\r\n\r\n" + b"y" * 1200 + b"\r\n.\r\n", "sender@client.example", ["gone@ours.example"], server)
        lines = [re.sub(r"^.*? postfix/([\w-]+)\[\d+\]: ", r"\1: ", line) for line in mta.log_lines()]
        shown = [unmarked(line, mta) for line in lines if re.match(r"smtp: |lmtp: |smtpd: (?!\w+: client=|connect|disconnect)", line)]
        delivered = [unmarked(text.decode("latin-1"), mta) for texts in mta.deliveries().values() for text in texts]
        return "\n".join([*sorted(shown), *delivered])

    feed = "-o smtp_send_xforward_command=yes -o disable_dns_lookups=yes -o max_use=20"
    back = "-o content_filter= -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks,no_address_mappings"
    master = {
        "filtered": f"filtered unix - - n - 2 smtp {feed}",
        "lfiltered": f"lfiltered unix - - n - 2 lmtp {feed.replace('smtp_', 'lmtp_')}",
        "127.0.0.8": f"127.0.0.8:{{port}} inet n - n - - smtpd -o content_filter=lfiltered:[127.0.0.1]:{amavis}",
        "127.0.0.9": f"127.0.0.9:{{port}} inet n - n - - smtpd {back} -o mynetworks=127.0.0.0/8 -o smtpd_authorized_xforward_hosts=127.0.0.0/8",
    }
    main = STEADY | {
        "content_filter": f"filtered:[127.0.0.1]:{amavis}", "header_checks": "regexp:{{/^Message-Id:/ PREPEND X-Seen: once}}", "inet_interfaces": "all",
        "virtual_alias_maps": "inline:{{list@ours.example=user@ours.example second@ours.example}}", "enable_original_recipient": "no",
        "virtual_mailbox_maps": "inline:{{user@ours.example=user/},{second@ours.example=second/},{gone@ours.example=gone/}}",
    }  # fmt: skip
    seen = parity(case, main=main, master=master)
    said = seen.result
    assert isinstance(said, str)
    assert said.count("(amavis, port") == 8 and said.count("X-Seen: once") == 8, said
    assert "from MTA(smtp:[127.0.0.9]" in said and "status=sent" in said


def unmarked(text: str, mta: Instance) -> str:
    """Return text without what is another each time: ids of either program, ports, times."""
    text = re.sub(r"\b[0-9A-F]{8,}\b", "<ID>", text.replace(str(mta.port), "<PORT>").replace(str(mta.directory), "<DIR>"))
    text = re.sub(r"id [A-Za-z0-9_-]{12}\b|id=\d+-\d+(-\d+)?", "id <AMAVIS>", text)
    text = re.sub(r"delays?=[\d./]+|conn_use=\d+, |\b\d\d:\d\d:\d\d\b|\w{3}, +\d+ \w{3} \d{4}", "<TIME>", text)
    return re.sub(r"\w{3} (?:\w{3} ){0,1}\s?\d+ <TIME>", "<TIME>", text)


RULES = """\
util_rb_tld example
required_score 5
use_bayes 0
skip_rbl_checks 1
report_safe 0
add_header all Level _STARS(*)_
add_header spam Flag _YESNOCAPS_
add_header all Status _YESNO_, score=_SCORE_ required=_REQD_ tests=_TESTS_
clear_report_template
report score _SCORE_
body REFUSED /refuse me/
score REFUSED 20
body SUSPICIOUS /mark me/
score SUSPICIOUS 6
describe SUSPICIOUS It says so
rewrite_header Subject [SPAM]
"""


def test_spamass_milter(parity: Parity, ports: list[int]) -> None:
    """spamd with rules of its own and no network: clean, marked, and refused."""
    spamd, milter = found("spamd", "spamd"), found("spamass-milter", "spamass-milter")
    daemon, port = ports
    bodies = (b"hello", b"please mark me", b"do refuse me")

    def case(mta: Instance) -> None:
        with own_folder() as folder:
            for name in ("rules", "site", "home"):
                (folder / name).mkdir()
                give_away(folder / name)
            (folder / "rules" / "10.cf").write_text(RULES)
            (folder / "site" / "local.cf").write_text("")
            (folder / "site" / "init.pre").write_text("loadplugin Mail::SpamAssassin::Plugin::Check\n")
            argv: list[str | Path] = [spamd, "-L", "-x", "-i", "127.0.0.1", "-p", str(daemon), "-m", "1", "--min-children=1", "-s", "stderr"]
            argv += ["-C", folder / "rules", f"--siteconfigpath={folder}/site", "-H", folder / "home", "-u", "nobody", "-r", folder / "pid"]
            marking = [milter, "-p", f"inet:{port}@127.0.0.1", "-r", "15", "-R", "5.7.1 spam is not wanted", "--", "-d", "127.0.0.1", "-p", str(daemon)]
            with running(argv, daemon, folder / "log"), running(marking, port, folder / "milter.log"):
                for body in bodies:
                    tried(mta, HEADER + b"Subject: hello\r\n\r\n" + body + b"\r\n.\r\n", "sender@client.example", ["user@ours.example"])

    main = STEADY | {"smtpd_milters": f"inet:127.0.0.1:{port}", "milter_default_action": "tempfail"}
    seen = parity(case, main=main, logs=("smtpd", "cleanup"), deliveries=True)
    text = "\n".join(line for lines in seen.delivered.values() for line in lines)
    assert "X-Spam-Flag: YES" in text and "Subject: [SPAM] hello" in text and "please mark me" in text, text
    assert any("spam is not wanted" in reply for reply in seen.transcript) and "refuse me" not in text, seen.transcript


EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-STANDARD-" + rb"ANTIVIRUS-TEST-FILE!$H+H*"
"""What every scanner of viruses is tried with; in parts, so that none of them finds it here."""


def test_clamav_milter(parity: Parity, ports: list[int]) -> None:
    """clamd with a signature of our own: clean, refused, put on hold; no clamd, no milter."""
    clamd, milter = found("clamd", "clamav-daemon"), found("clamav-milter", "clamav-milter")
    daemon, port = ports

    def case(mta: Instance) -> None:
        with own_folder() as folder:
            (folder / "signatures").mkdir()
            (folder / "signatures" / "own.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
            (folder / "clamd").write_text(
                f"DatabaseDirectory {folder}/signatures\nTCPSocket {daemon}\nTCPAddr 127.0.0.1\nForeground yes\nTemporaryDirectory {folder}\n"
            )

            def scanned(infected: str, *bodies: bytes) -> None:
                (folder / infected).write_text(
                    f"MilterSocket inet:{port}@127.0.0.1\nClamdSocket tcp:127.0.0.1:{daemon}\nForeground yes\nTemporaryDirectory {folder}\n"
                    f"LogFile {folder}/{infected}.log\nLogVerbose yes\nAddHeader Replace\nReportHostname scanner.ours.example\nOnInfected {infected}\nRejectMsg infected by %v\nOnFail Defer\n"
                )
                log = folder / f"{infected}.log"
                with running([milter, "-c", folder / infected], port, folder / f"{infected}.out", signal.SIGKILL):  # else it looks every five seconds
                    assert processes.wait_until(lambda: log.exists() and "Probe for slot 1 returned" in log.read_text(), 20)
                    for body in bodies:
                        tried(mta, HEADER + b"Subject: hello\r\nX-Virus-Status: forged\r\n\r\n" + body + b"\r\n.\r\n", "sender@client.example", ["user@ours.example"])

            with running([clamd, "-c", folder / "clamd"], daemon, folder / "log"):
                scanned("Reject", b"hello", EICAR, b"hello again")
                scanned("Quarantine", EICAR)
            scanned("Defer", b"nobody looks")
        for server in ("127.0.0.1", "127.0.0.8", "127.0.0.9"):
            tried(mta, PLAIN, "sender@client.example", ["user@ours.example"], server)
        (held,) = mta.queue()["hold"]
        mta.transcript += mta.run("postcat", "-bhq", held).stdout.decode().splitlines()

    main = STEADY | {"smtpd_milters": f"inet:127.0.0.1:{port}", "milter_default_action": "tempfail", "inet_interfaces": "all"}
    others = {
        f"127.0.0.{number}": f"127.0.0.{number}:{{port}} inet n - n - - smtpd -o syslog_name=postfix/{action} -o milter_default_action={action}"
        for number, action in ((8, "accept"), (9, "reject"))
    }
    seen = parity(case, main=main, master=others, logs=("smtpd", "cleanup"), deliveries=True)
    text = "\n".join(line for lines in seen.delivered.values() for line in lines)
    assert text.count("X-Virus-Status: Clean") == 2 and "forged" not in text and "hello again" in text, text
    assert any("infected by Eicar-Test-Signature" in reply for reply in seen.transcript), seen.transcript
    assert "EICAR" not in text and "nobody looks" not in text, text


ZONES = """\
_dmarc.strict.example TXT "v=DMARC1; p=reject; aspf=s"
strict.example TXT "v=spf1 ip4:192.0.2.7 -all"
_dmarc.forged.example TXT "v=DMARC1; p=reject"
forged.example TXT "v=spf1 -all"
_dmarc.lax.example TXT "v=DMARC1; p=none"
lax.example TXT "v=spf1 -all"
_dmarc.kept.example TXT "v=DMARC1; p=quarantine"
kept.example TXT "v=spf1 -all"
none.example TXT "hello"
"""


def test_opendmarc(parity: Parity, ports: list[int]) -> None:
    """Policies from an authoritative name server: kept, broken, refused, put aside, none."""
    path, port = found("opendmarc", "opendmarc"), ports[0]

    def case(mta: Instance) -> None:
        with own_folder() as folder:
            (folder / "hosts").write_text("10.0.0.1\n")
            (folder / "conf").write_text(
                f"Socket inet:{port}@127.0.0.1\nBackground no\nSyslog no\nAuthservID mail.ours.example\nTrustedAuthservIDs mail.ours.example\n"
                f"RejectFailures yes\nHoldQuarantinedMessages no\nSPFSelfValidate yes\nSPFIgnoreResults yes\nIgnoreHosts {folder}/hosts\n"
            )
            with running([path, "-f", "-c", folder / "conf"], port, folder / "log", mounts=world.mounts):
                for domain in ("strict", "forged", "lax", "kept", "none"):
                    content = PLAIN.replace(b"client.example", domain.encode() + b".example")
                    tried(mta, content, f"sender@{domain}.example", ["user@ours.example"])

    with DnsWorld({".": ZONES}) as world:
        main = STEADY | {"smtpd_milters": f"inet:127.0.0.1:{port}", "milter_default_action": "tempfail"}
        seen = parity(case, main=main, logs=("smtpd", "cleanup"), deliveries=True)
    text = "\n".join(line for lines in seen.delivered.values() for line in lines)
    assert "dmarc=pass (p=reject" in text and "header.from=lax.example" in text and "dmarc=none" in text, text
    assert any("rejected by DMARC policy for forged.example" in reply for reply in seen.transcript), seen.transcript
