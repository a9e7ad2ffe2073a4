"""Programs that hand their mail to /usr/sbin/sendmail: what is delivered is the same as with the reference's.

Each is called as a person, a cron or a package calls it.  Source: their manual pages; sendmail(1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.kit.accounts import FIRST_ID
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.sendmailplace import let_users_submit, run_client, sendmail_place
from tests.kit.writing import write_at_once

from .clientmail import lines_of

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIN = {"virtual_mailbox_maps": "static:all", "recipient_delimiter": "+", "alias_maps": "texthash:{dir}/etc/aliases"}
ALIASES = "root user@ours.example\nowner-list mbox@ours.example\n"
TEXT = "Dear all,\n\n. a dot\n.\nFrom here on\n\nGrüße\n".encode()
CRON = b"""From: root (Cron Daemon)
To: root
Subject: Cron <root@box> run-parts /etc/cron.daily
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit
X-Cron-Env: <SHELL=/bin/sh>
X-Cron-Env: <PATH=/usr/bin:/bin>

/etc/cron.daily/x:
Gr\xc3\xbc\xc3\x9fe
"""
PHP = r"""
$sent = mail('user@ours.example', 'Ein Gruß', "one\r\ntwo\n.\nthree", "From: web@ours.example\r\nCc: second@ours.example\r\nX-Mailer: form");
$other = mail('Some One <user@ours.example>', 'two', 'text', ['Reply-To' => 'a@b.example', 'Bcc' => 'third@ours.example'], '-fbounce@ours.example');
$refused = mail('', 'nobody', 'text');
var_dump($sent, $other, $refused);
"""
MUTTRC = 'set realname="Alice A"\nset use_envelope_from=yes\nset envelope_from_address=alice@ours.example\nset copy=no\nset user_agent=no\n'
PERL = r"""
open(my $mail, '|-', '/usr/sbin/sendmail', '-oi', '-oem', '-t', '-f', 'perl@ours.example') or die;
print $mail "From: A script <perl\@ours.example>\nTo: user\@ours.example,\n second\@ours.example\nBcc: third\@ours.example\nSubject: from perl\n\ntext\n.\nmore\n";
close($mail); print "status ", $? >> 8, "\n";
"""
PYTHON = r"""
import email.message, subprocess, sys
message = email.message.EmailMessage()
message["From"], message["To"], message["Subject"] = "py@ours.example", "user@ours.example", "Größe"
message.set_content("Grüße\n")
message.add_attachment(bytes(range(256)), maintype="application", subtype="octet-stream", filename="x.bin")
sys.exit(subprocess.run(["/usr/sbin/sendmail", "-t", "-oi"], input=message.as_bytes()).returncode)
"""
LOGGED = (
    "Jan  2 03:04:05 box postfix/smtpd[10]: connect from client.example[192.0.2.1]\n"
    "Jan  2 03:04:06 box postfix/smtpd[10]: NOQUEUE: reject: RCPT from client.example[192.0.2.1]: 554 5.7.1 <a@b.example>: Relay access denied; "
    "from=<c@d.example> to=<a@b.example> proto=ESMTP helo=<client.example>\n"
)


@dataclass(frozen=True)
class Call:
    """How a program is called."""

    argv: Sequence[str]
    input: bytes = TEXT
    files: Mapping[str, str] = field(default_factory=dict)
    """Files in the home of alice, who runs it."""
    as_root: bool = False
    messages: int = 1


CALLS: dict[str, Call] = {
    "cron": Call(["/usr/sbin/sendmail", "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"], CRON, as_root=True),
    "cron of a user": Call(["/usr/sbin/sendmail", "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "alice"], CRON),
    "cronie": Call(["/usr/sbin/sendmail", "-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root"], CRON, as_root=True),
    "at": Call(["/usr/sbin/sendmail", "-i", "alice"], b"Subject: Output from your job 1\nTo: alice\n\ndone\n", as_root=True),
    "smartd": Call(["/usr/sbin/sendmail", "-t", "-i"], b"To: root\nSubject: SMART error\n\n", as_root=True),
    "sudo": Call(["/usr/sbin/sendmail", "-t"], b"To: root\nFrom: alice\nAuto-Submitted: auto-generated\nSubject: *** SECURITY ***\n\nbox : user NOT in sudoers\n"),
    "bsd-mailx": Call(["bsd-mailx", "-s", "a subject", "-c", "second@ours.example", "-b", "third@ours.example", "-a", "X-Header: y", "user@ours.example"]),
    "bsd-mailx from": Call(["bsd-mailx", "-r", "other@ours.example", "-s", "Gruß", "root", "user+box@ours.example"]),
    "bsd-mailx no one": Call(["bsd-mailx", "-s", "a subject", "-E", "a b@@c"], messages=0),
    "mutt": Call(["mutt", "-s", "Gruß", "-c", "second@ours.example", "-b", "third@ours.example", "--", "user@ours.example"], files={".muttrc": MUTTRC}),
    "mutt attachment": Call(["mutt", "-s", "file", "-a", ".muttrc", "--", "user@ours.example"], files={".muttrc": MUTTRC}),
    "s-nail": Call(["s-nail", "-:/", "-s", "Gruß", "-c", "second@ours.example", "-b", "third@ours.example", "user@ours.example"]),
    "s-nail attachment": Call(["s-nail", "-:/", "-r", "me@ours.example", "-s", "x", "-a", "file.txt", "user@ours.example"], files={"file.txt": "text\n"}),
    "php": Call(["php", "-r", PHP], b"", messages=2),
    "perl": Call(["perl", "-e", PERL], b""),
    "python": Call(["/usr/bin/python3", "-c", PYTHON], b""),
    "fail2ban": Call(
        ["sh", "-c", 'printf %b "Subject: [Fail2Ban] sshd: banned 192.0.2.1\\nDate: `LC_ALL=C date +"%a, %d %h %Y %T %z"`\\nFrom: Fail2Ban <fail2ban>\\n'
         'To: root\\n\\nHi,\\n\\nThe IP was banned.\\n" | /usr/sbin/sendmail -f "fail2ban" "root"'], b"", as_root=True),
    "mdadm": Call(["/usr/sbin/sendmail", "-t"], b"From: mdadm monitoring <root>\nTo: root\nSubject: Fail event on /dev/md0:box\n\nA Fail event\n", as_root=True),
    "git": Call(
        ["git", "send-email", "--quiet", "--from=Alice <alice@ours.example>", "--to=user@ours.example", "--cc=second@ours.example", "--suppress-cc=all",
         "--envelope-sender=alice@ours.example", "--confirm=never", "0001-x.patch"], b"",
        files={"0001-x.patch": "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: Alice <alice@ours.example>\n"
               "Date: Mon, 1 Jan 2024 10:00:00 +0000\nSubject: [PATCH] Grüße\n\n---\n file | 1 +\n\ndiff --git a/file b/file\n--- a/file\n+++ b/file\n@@ -0,0 +1 @@\n+.\n-- \n2.39\n"}),
    "logwatch": Call(
        ["sh", "-c", "mkdir -p /var/cache/logwatch && exec logwatch --output mail --mailto root --service postfix --logdir {dir}/home/alice --range all"], b"",
        files={"mail.log": LOGGED}, as_root=True),
}  # fmt: skip

def calling(call: Call) -> Callable[[Instance], None]:
    def case(mta: Instance) -> None:
        let_users_submit(mta)
        home = mta.directory / "home/alice"
        for name, text in call.files.items():
            write_at_once(home / name, text.encode(), mode=0o644)
        user = None if call.as_root else FIRST_ID
        # git and s-nail look at the configuration of the machine and of their user.
        surroundings = {"HOME": str(home), "USER": "alice", "LOGNAME": "alice", "LC_ALL": "C.UTF-8", "EMAIL": "alice@ours.example"}
        argv = [word.replace("{dir}", str(mta.directory)) for word in call.argv]
        done = run_client(mta, argv, input=call.input, user=user, environment={} if call.as_root else surroundings, directory=home)
        assert done.returncode == 0 or not call.messages, done
        if call.messages:  # not every program waits for sendmail
            mta.wait_for_log(r"/qmgr\[\d+\]: \w+: removed", count=call.messages)
        mta.wait_until_empty()
        mta.transcript += [f"status {done.returncode}", done.stdout.decode(), done.stderr.decode(), *lines_of(mta)]

    return case


@pytest.mark.parametrize("name", CALLS)
def test_callers(parity: Parity, name: str) -> None:
    seen = parity(calling(CALLS[name]), main=MAIN, files={"aliases": ALIASES}, accounts=("alice",), mounts=sendmail_place())
    assert name == "bsd-mailx no one" or any("status=sent" in line for line in seen.transcript), seen.transcript


VACATION = "From: alice\nSubject: away (was: $SUBJECT)\n\nGone fishing.\n"


def test_vacation(parity: Parity) -> None:
    """It replies by sendmail, with a null sender, once."""

    def case(mta: Instance) -> None:
        let_users_submit(mta)
        home: Path = mta.directory / "home/alice"
        for name, text in ((".vacation.msg", VACATION), (".forward", '\\alice, "|/usr/bin/vacation alice"\n')):
            write_at_once(home / name, text.encode(), mode=0o644)
        (home / ".vacation.db").unlink(missing_ok=True)
        for _ in range(2):
            mta.send_message("alice@localhost", "To: alice@localhost\nFrom: user@ours.example\nSubject: x\n\nhi\n", "user@ours.example")
            mta.wait_until_empty()
        mta.transcript += lines_of(mta)

    seen = parity(case, main=MAIN, files={"aliases": ALIASES}, accounts=("alice",), mounts=sendmail_place())
    assert seen.transcript.count("Gone fishing.") == 1
