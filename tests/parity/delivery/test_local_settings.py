"""Settings of local(8), and the names that mail is for.

Source: local(8); postconf(5) home_mailbox, mail_spool_directory, mailbox_delivery_lock, mailbox_size_limit,
require_home_directory, sun_mailtool_compatibility, allow_mail_to_commands, allow_mail_to_files, local_recipient_maps.
"""

from __future__ import annotations

import re

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity

from .test_local_mailboxes import listing

pytestmark = [pytest.mark.reference, pytest.mark.root]

OURS = {"local": "pyfix"}
MAIN = {"smtpd_reject_unlisted_recipient": "no", "recipient_delimiter": "+", "deliver_lock_attempts": "1"}
_USERS = ("games", "nobody", "nosuch")
"""One with a home, one without, one who is none; the shell of both users is nologin."""
_BELOW_HOME = "../..{dir}/localmail"
_SETTINGS: list[dict[str, str]] = [
    {"mailbox_size_limit": "0"}, {"mailbox_size_limit": "-1"}, {"require_home_directory": "yes"},
    {"require_home_directory": "yes", "home_mailbox": f"{_BELOW_HOME}/H/"}, {"sun_mailtool_compatibility": "yes"},
    {"home_mailbox": f"{_BELOW_HOME}/H/"}, {"home_mailbox": f"{_BELOW_HOME}/h"}, {"home_mailbox": f"{_BELOW_HOME}/sub/h"},
    {"home_mailbox": f"{_BELOW_HOME}/a b"}, {"home_mailbox": "$user/"}, {"mail_spool_directory": ""},
    {"mail_spool_directory": "relative"}, {"mail_spool_directory": "relative/"}, {"mail_spool_directory": "/no/such"},
    {"mail_spool_directory": "/no/such/"}, {"mail_spool_directory": "{dir}/localmail//"},
    {"mail_spool_directory": "{dir}/log/maillog"}, {"mail_spool_directory": "{dir}/log/maillog/"},
    {"mailbox_delivery_lock": "dotlock"}, {"soft_bounce": "yes"}, {"frozen_delivered_to": "no"}, {"prepend_delivered_header": ""},
]  # fmt: skip
_FATAL: list[dict[str, str]] = [
    {"mailbox_size_limit": "100"}, {"mailbox_size_limit": "100", "message_size_limit": "0"}, {"mailbox_size_limit": "x"},
    {"mailbox_delivery_lock": "bogus"}, {"mailbox_delivery_lock": ""}, {"mailbox_delivery_lock": "fcntl bogus, dotlock"},
    {"mailbox_delivery_lock": "none"}, {"allow_mail_to_files": "alias, bogus"}, {"allow_mail_to_commands": "Alias"},
    {"prepend_delivered_header": "file alias"}, {"biff": "maybe"},
]  # fmt: skip


@pytest.mark.parametrize("change", _SETTINGS, ids=str)
def test_settings(exchanged: Parity, change: dict[str, str]) -> None:
    """Where mail goes, and what is said of what can't be done."""

    def case(mta: Instance) -> object:
        for user in _USERS:
            queue_id = mta.send_message(f"{user}@localhost", sender="")
            mta.wait_for_log(rf"{queue_id}: to=<")
        found = [match[1] for line in mta.log_lines() if (match := re.search(r"/local\[\d+\]: (.*)", line))]
        found = [re.sub(r"^\w+: |delay=.*?, (?=dsn=)", "", line.replace(str(mta.directory), "")) for line in found]
        return [re.sub(r"/tmp/\S+", "/tmp/FILE", line) for line in found], sorted(listing(mta.directory / "localmail"))

    exchanged(case, main={**MAIN, **change}, replace=OURS, deliveries=True, fresh=True)


@pytest.mark.parametrize("change", _FATAL, ids=str)
def test_settings_that_are_refused(exchanged: Parity, change: dict[str, str]) -> None:
    def case(mta: Instance) -> str:
        mta.send_message("games@localhost", sender="")
        return mta.wait_for_log(r"/local\[\d+\]: (fatal: .*)")[1]

    exchanged(case, main={**MAIN, **change}, replace=OURS, fresh=True)


_NAMES = [
    "games", '"odd name"', r'"a\"b"', "root", "nobody", "ga/mes", '"../x"', "GAMES+a+b", "postmaster+x", "Mailer-Daemon",
    "'x'", "owner-games", "games-request", "owner-games-request", "games-", "+games", '"games "', '" games"', "0",
]  # fmt: skip


@pytest.mark.parametrize("change", [{}, {"recipient_delimiter": "-"}, {"recipient_delimiter": "-", "owner_request_special": "no"}], ids=str)
def test_names(exchanged: Parity, change: dict[str, str]) -> None:
    """Which user a name means: quotes, capitals, extensions; names of no user, of several words, with slashes."""

    def case(mta: Instance) -> object:
        for name in _NAMES:
            queue_id = mta.send_message(f"{name}@localhost", sender="")
            mta.wait_for_log(rf"{queue_id}: to=<")
        mark = mta.log_mark()
        mta.dialogue("EHLO c", "MAIL FROM:<> SMTPUTF8", "RCPT TO:<\u00e4@localhost>", "DATA", "x\r\n.", "QUIT", client=TRUSTED)
        mta.wait_for_log(r": to=<", since=mark)
        return listing(mta.directory / "localmail")

    exchanged(case, main={**MAIN, **change}, replace=OURS, logs="local", deliveries=True)


@pytest.mark.parametrize(
    "maps",
    ["unix:passwd.byname", "unix:passwd.byname $alias_maps", "proxy:unix:passwd.byname $alias_maps", "", "fail:x", "static:all"],
)
def test_local_recipient_maps(parity: Parity, maps: str) -> None:
    """Whom smtpd(8) takes mail for."""

    def case(mta: Instance) -> None:
        names = ("games", "nosuch", "games+x", "alias", "alias+x", '"odd name"', "PostMaster", "nosuch+games", "mailer-daemon", "double-bounce", "postmaster+x")
        recipients = [f"RCPT TO:<{name}@localhost>" for name in names]
        elsewhere = ["RCPT TO:<postmaster>", "RCPT TO:<postmaster@ours.example>", "RCPT TO:<postmaster@[127.0.0.1]>"]
        mta.dialogue("EHLO c", "MAIL FROM:<>", *recipients, *elsewhere, "RSET", "QUIT")
        for name in ("games", "nosuch", "postmaster", "double-bounce"):
            mta.settle()  # of two processes the lines are compared in their order
            mta.dialogue("EHLO c", f"MAIL FROM:<{name}@localhost>", "RCPT TO:<games@localhost>", "QUIT")

    main = {"recipient_delimiter": "+", "local_recipient_maps": maps, "alias_maps": "inline:{alias=games}", "smtpd_reject_unlisted_sender": "yes"}
    parity(case, main=main, logs="smtpd")
