"""What clients see, and what becomes of their mail, when the mail system ends or reloads in the middle of their sessions."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until
from tests.kit.smtp import Dialogue

pytestmark = [pytest.mark.reference, pytest.mark.root]

TO = "RCPT TO:<user@ours.example>"
SESSIONS: dict[str, tuple[list[str | bytes], list[str | bytes]]] = {
    "greeted": ([], ["EHLO x", "QUIT"]),
    "transaction": (["EHLO x", "MAIL FROM:<t@x.example>", TO], ["DATA", b"Subject: t\r\n\r\nt\r\n.\r\n", "QUIT"]),
    "command cut": (["EHLO x", b"MAIL FROM:<cut@x.exam"], [b"ple>\r\n", TO, "DATA", b"\r\nc\r\n.\r\n", "QUIT"]),
    "content": (["EHLO x", "MAIL FROM:<c@x.example>", TO, "DATA", b"Subject: c\r\n\r\nhalf a li"], [b"ne\r\n.\r\n", "NOOP", "QUIT"]),
    "end cut": (["EHLO x", "MAIL FROM:<e@x.example>", TO, "DATA", b"Subject: e\r\n\r\ne\r\n."], [b"\r\n", "QUIT"]),
    "chunks": (["EHLO x", "MAIL FROM:<b@x.example>", TO, b"BDAT 30\r\nSubject: b\r\n"], [b"\r\n0123456789012345", "BDAT 0 LAST", "QUIT"]),
    "after a message": (
        ["EHLO x", "MAIL FROM:<a@x.example>", TO, "DATA", b"Subject: a\r\n\r\na\r\n.\r\n", "MAIL FROM:<a2@x.example>"],
        [TO, "DATA", b"Subject: a2\r\n\r\na\r\n.\r\n", "QUIT"],
    ),
}  # fmt: skip
"""What each client says before and after."""
NO_REPLY = (b"half a li", b"e\r\n.", b"BDAT 30\r\nSubject: b\r\n", b"exam")


def talk(client: Dialogue, words: list[str | bytes]) -> list[str]:
    """Say the words; return the replies, ``gone`` for a connection that is not there any more."""
    heard = []
    for word in words:
        data = word if isinstance(word, bytes) else word.encode() + b"\r\n"
        try:
            client.send(data)
            if not data.endswith(NO_REPLY):
                heard.append(client.reply().partition("queued as")[0].splitlines()[-1])
        except (OSError, EOFError):
            heard.append("gone")
            break
    return heard


@pytest.mark.parametrize("how", ["stop", "abort", "drain", "reload", "SIGTERM", "SIGKILL"])
def test_end_of_master(parity: Parity, how: str) -> None:
    def case(mta: Instance) -> object:
        clients = {}
        for name, (before, _) in SESSIONS.items():
            client = clients[name] = mta.connect(TRUSTED)
            client.reply()
            talk(client, before)
        mta.wait_until_only("") if False else None
        pid = mta.master_pid
        assert pid is not None
        if how.startswith("SIG"):
            os.kill(pid, getattr(signal, how))
            assert wait_until(lambda: mta.master_pid is None or not mta.is_running(), 10)
        elif how == "reload":
            mta.reload()
        else:
            assert mta.run("postfix", how).returncode == 0
        seen = {name: talk(clients[name], after) for name, (_, after) in SESSIONS.items()}
        for client in clients.values():
            client.close()
        ended = how == "reload" or wait_until(lambda: not mta.pids(), 15)
        if how != "reload":
            mta.start()
        mta.wait_until_empty()
        senders = sorted(
            line.partition(b"<")[2].partition(b">")[0]
            for messages in mta.deliveries().values()
            for message in messages
            for line in message.splitlines()
            if line.startswith(b"Return-Path:")
        )
        return seen, ended, senders

    parity(case, fresh=True)
