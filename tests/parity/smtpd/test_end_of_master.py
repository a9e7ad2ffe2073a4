"""What clients see, and what becomes of their mail, when the mail system ends or reloads in the middle of their sessions."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until
from tests.kit.smtp import CLOSED, Dialogue

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
NEW_MESSAGE = ("command cut", "after a message")
"""With nobody to start cleanup(8), the reference's client is not answered for minutes, and ours is told 451."""
NO_REPLY = (b"half a li", b"e\r\n.", b"BDAT 30\r\nSubject: b\r\n", b"exam")


def talk(client: Dialogue, words: list[str | bytes]) -> list[str]:
    """Say the words; return the last line of each reply, without the queue id, until the connection is gone."""
    heard = []
    for word in words:
        data = word if isinstance(word, bytes) else word.encode() + b"\r\n"
        if data.endswith(NO_REPLY):
            client.send(data)
            continue
        heard += [reply.partition("queued as")[0].splitlines()[-1] for reply in client.say(data)]
        if heard[-1] == CLOSED:
            break
    return heard


@pytest.mark.parametrize("how", ["stop", "abort", "drain", "reload", "SIGTERM", "SIGKILL"])
def test_end_of_master(parity: Parity, how: str) -> None:
    """Sessions in all states at once; in the end each message that was accepted is there, and no other."""

    def case(mta: Instance) -> object:
        clients = {}
        sessions = {name: says for name, says in SESSIONS.items() if how not in ("drain", "SIGKILL") or name not in NEW_MESSAGE}
        for name, (before, _) in sessions.items():
            clients[name] = mta.connect(TRUSTED)
            talk(clients[name], before)
        # The reference's cleanup(8) waits for a while when master is gone before it has taken its token of mail flow.
        mta.settle()
        pid = mta.master_pid
        assert pid is not None
        if how.startswith("SIG"):
            os.kill(pid, getattr(signal, how))
            assert wait_until(lambda: not mta.is_running(), 10)
        elif how == "reload":
            mta.reload()
        else:
            assert mta.run("postfix", how).returncode == 0
        if how in ("stop", "abort", "SIGTERM"):
            assert wait_until(lambda: not mta.pids(), 15)
        seen = {name: talk(clients[name], after) for name, (_, after) in sessions.items()}
        for client in clients.values():
            client.close()
        if how != "reload":
            assert wait_until(lambda: not mta.pids(), 15)
            mta.start()
        mta.wait_until_empty()
        return seen, sorted(sender for messages in mta.deliveries().values() for sender in map(_sender, messages))

    parity(case, fresh=True)


def _sender(message: bytes) -> bytes:
    return message.partition(b"\n")[0]
