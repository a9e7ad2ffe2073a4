"""Dovecot's store behind both mail systems: what it was given by LMTP and by dovecot-lda, it gives back over IMAP and POP3.

Each is set up as Dovecot's own pages say for Postfix: ``mailbox_transport`` and ``virtual_transport`` at its LMTP socket,
dovecot-lda as ``mailbox_command`` and as a service of pipe(8).  fetchmail gets the mail out of it and hands it to sendmail
and to smtpd.  Source: those pages; fetchmail(1); dovecot-lda(1).
"""

from __future__ import annotations

import re

import pytest

from tests.kit.dovecot import LDA, Store, need_program, store
from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity
from tests.kit.sendmailplace import let_users_submit, run_client, sendmail_place

from .clientmail import lines_of

pytestmark = [pytest.mark.reference, pytest.mark.root]

ACCOUNTS = ("alice", "filled")
_FULL = "userdb_quota_rule=*:bytes=1200"
USERS = {"alice": "", "filled": _FULL, "user": "", "second": "", "full": _FULL}
BACK = "back@disc.example"
TEXT = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nFrom: a@b.example\n\n.\n..two dots\nFrom here on\n\n" + ("x" * 70 + "\n") * 20 + "Gr\u00fc\u00dfe"
SOCKET = "lmtp:unix:private/dovecot-lmtp"
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "recipient_delimiter": "+",
    "transport_maps": "inline:{{disc.example=discard:}}",
    "notify_classes": "",
    "dovecot_destination_recipient_limit": "1",
}
WAYS: dict[str, dict[str, str]] = {
    "LMTP": {"mailbox_transport": SOCKET, "virtual_transport": SOCKET},
    "LMTP with one recipient at a time": {
        "mailbox_transport": SOCKET, "virtual_transport": SOCKET, "lmtp_destination_recipient_limit": "1", "lmtp_connection_cache_on_demand": "no",
    },
    "LDA": {"mailbox_command": f'{LDA} -c {{dir}}/dovecot/dovecot.conf -f "$SENDER" -a "$RECIPIENT" -d "$USER" -m "$EXTENSION"', "virtual_transport": "dovecot"},
}  # fmt: skip
HELD = {"alice INBOX": 2, "alice box": 1, "filled INBOX": 0, "full INBOX": 0, "second INBOX": 2, "user INBOX": 4, "user box": 1}
"""How many messages each folder has in the end."""
MASTER: dict[str, str | None] = {
    "dovecot": f"dovecot unix - n n - - pipe flags=DRXhu user=nobody argv={LDA} -e -c {{dir}}/dovecot/dovecot.conf"
    " -f ${sender} -a ${original_recipient} -d ${user}@${domain} -m ${extension}"
}
"""With -e what cannot be delivered is the mail system's to tell of; without, LDA tells senders itself by sendmail."""
_OF_DOVECOT = (
    (re.compile(r"(?m)^Received: from mail\.ours\.example\s+by mail\.ours\.example with LMTP\s(?:[ \t].*\n)*"), "Received: by Dovecot\n"),
    (re.compile(r"\S+(?= Saved)"), "SESSION"),
    (re.compile(r"delays?=[\d./]+"), "delay"),
    (re.compile(r"(?m)^Message-ID: <dovecot-\S+>"), "Message-ID: <MADE UP>"),
    (re.compile(r"dovecot-\d+-\d+-\d+|\d+/mail\.ours\.example"), "MADE UP"),
)
"""What differs from session to session."""


def compare(mta: Instance, there: Store, programs: str = "lmtp|pipe|local|bounce") -> dict[str, int]:
    """Add what lies in the store, and what was logged, to what the two sides compare; return how many are in each folder."""
    ids = {match[1] for line in mta.log_lines() if (match := re.search(r"\]: ([0-9A-F]{8,20}): ", line))}
    changes = [(re.compile("|".join(ids) or r"\Z."), "ID"), *_OF_DOVECOT]

    def steady(text: str) -> str:
        for pattern, replacement in changes:
            text = pattern.sub(replacement, text)
        return text

    numbers = {}
    for user in USERS:
        for folder, messages in there.by_imap(user).items():
            numbers[f"{user} {folder}"] = len(messages)
            mta.transcript += [f"{user} {folder}", *"\n".join(sorted(map(steady, messages))).split("\n")]
        assert sorted(there.by_pop3(user)) == sorted(there.by_imap(user)["INBOX"])
    mta.transcript += sorted(map(steady, lines_of(mta, programs)))
    return numbers


@pytest.mark.parametrize("way", WAYS)
def test_a_store(parity: Parity, way: str) -> None:
    """Users of both kinds, extensions, several at once, nobody, a full mailbox, no sender, odd senders."""

    def case(mta: Instance) -> None:
        let_users_submit(mta)
        with store(mta, USERS, mta.directory / "dovecot") as there:
            for recipients, sender in (
                (["alice@localhost", "user@ours.example", "second@ours.example"], BACK),
                (["Alice+box@mail.ours.example", "user+box@ours.example"], '"odd sender"@disc.example'),
                (["nobody.such@ours.example", "user@ours.example"], BACK),
                (["full@ours.example", "second@ours.example", "filled@localhost"], BACK),
                (["alice@localhost", "USER@ours.example"], ""),
            ):
                mta.send_message(recipients, TEXT, sender)
                mta.wait_until_empty()
            envelope = [f"MAIL FROM:<{BACK}> RET=HDRS ENVID=x", "RCPT TO:<user@ours.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o@x.example"]
            mta.dialogue("EHLO c", *envelope, "DATA", f"{TEXT}\n.".replace("\n", "\r\n").replace("\r\n.", "\r\n..", 1), "QUIT", client=TRUSTED)
            mta.wait_until_empty()
            assert compare(mta, there) == HELD

    main = {**MAIN, **WAYS[way]}
    parity(case, main=main, master=MASTER, accounts=ACCOUNTS, mounts=sendmail_place())


_FETCHMAILRC = """\
set no bouncemail
set no syslog
set postmaster "root"
poll 127.0.0.1 protocol {protocol} port {port} auth password no dns localdomains localhost
  user "alice" there with password "pw" is "user@ours.example" here
  fetchall nokeep no rewrite sslproto "" {hand}
"""


@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
def test_fetchmail(parity: Parity, protocol: str) -> None:
    """It empties a mailbox, and gives what was there to sendmail, or to smtpd."""
    need_program("fetchmail", "fetchmail")

    def case(mta: Instance) -> None:
        with store(mta, USERS, mta.directory / "dovecot") as there:
            for sender in (BACK, ""):
                mta.send_message("alice@localhost", TEXT, sender)
            mta.wait_until_empty()
            port = there.imap_port if protocol == "IMAP" else there.pop3_port
            hand = 'mda "/usr/sbin/sendmail -i -f %F -- %T"' if protocol == "IMAP" else f"smtphost 127.0.0.1/{mta.port}"
            settings = mta.directory / "fetchmailrc"
            settings.write_text(_FETCHMAILRC.format(protocol=protocol, port=port, hand=hand))
            settings.chmod(0o600)
            argv = ["fetchmail", "-f", settings, "--pidfile", mta.directory / "fetchmail.pid", "-v", "--nosyslog"]
            done = run_client(mta, argv, environment={"HOME": str(mta.directory), "USER": "root", "LOGNAME": "root"})
            mta.transcript.append(f"status {done.returncode}")
            assert done.returncode == 0, done
            mta.wait_until_empty()
            numbers = compare(mta, there, "lmtp|pickup|cleanup|smtpd")
            assert (numbers["alice INBOX"], numbers["user INBOX"]) == (0, 2)

    main = {**MAIN, "mailbox_transport": SOCKET, "virtual_transport": SOCKET}
    parity(case, main=main, accounts=ACCOUNTS, mounts=sendmail_place())
