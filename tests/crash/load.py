"""Mail from several clients at once, each of which keeps account of what was accepted from it."""

from __future__ import annotations

import random
import re
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from tests.kit import smtp
from tests.kit.instance import TRUSTED, Instance

_QUEUED = re.compile(r"250 2\.0\.0 Ok: queued as (\w+)")
_MOST_MESSAGES = 8
_BULK_EVERY = 100
_PAUSE = 0.2
_TIMEOUT = 30.0


@dataclass(frozen=True)
class Accepted:
    """A message for which the mail system took the responsibility."""

    token: str
    """A word that is in the message, and in no other."""
    recipients: tuple[str, ...]
    queue_id: str = ""
    """Empty for what sendmail(1) took."""


class Load:
    """Clients that send until they are stopped.  Use it in a ``with`` statement."""

    def __init__(
        self,
        mta: Instance,
        recipients: list[str],
        *,
        clients: int = 4,
        posters: int = 1,
        seed: int = 0,
        pause: float = 0.02,
        bulk: list[str] | None = None,
    ) -> None:
        """*clients* speak SMTP, *posters* use sendmail(1); *pause* seconds pass between two messages of a client.

        Now and then one is for all of *bulk*.
        """
        self._mta = mta
        self._recipients = recipients
        self._bulk = bulk
        self._pause = pause
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._count = 0
        self.accepted: list[Accepted] = []
        self.refused: list[str] = []
        """The replies to what was not accepted; what got no reply is not here."""
        self.problems: list[str] = []
        """What should never happen to a client."""
        works = clients * [self._session] + posters * [self._post]
        self._threads = [
            threading.Thread(target=self._run, args=(work, random.Random(f"{seed}.{number}")), daemon=True)
            for number, work in enumerate(works)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(2 * _TIMEOUT)
        assert not any(thread.is_alive() for thread in self._threads), "a client did not come back"

    def _run(self, work: Callable[[random.Random], None], random_numbers: random.Random) -> None:
        while not self._stopped.is_set():
            try:
                work(random_numbers)
            except (OSError, EOFError) as error:
                if isinstance(error, TimeoutError):
                    self.problems.append(f"no reply in {_TIMEOUT} s")
                # The server was killed, or is not there; nothing was promised.
                time.sleep(_PAUSE)

    def _new_message(self, random_numbers: random.Random) -> tuple[str, tuple[str, ...], bytes]:
        with self._lock:
            self._count += 1
            token = f"token-{self._count:06}."
            is_bulk = self._bulk and self._count % _BULK_EVERY == 0
        if self._bulk and is_bulk:
            return token, tuple(self._bulk), f"Subject: {token}\n\n{token}\n".encode()
        recipients = tuple(random_numbers.sample(self._recipients, random_numbers.choice((1, 1, 1, 2, 3))))
        text = random_numbers.choice((1, 10, 10, 100, 3000)) * "A line of the text.\n"
        return token, recipients, f"Subject: {token}\n\n{text}{token}\n".encode()

    def _session(self, random_numbers: random.Random) -> None:
        with smtp.Dialogue(self._mta.host, self._mta.port, TRUSTED, _TIMEOUT) as client:
            _expect(client.greeting)
            _expect(client.say("EHLO client.example")[0])
            for _ in range(random_numbers.randint(1, _MOST_MESSAGES)):
                if self._stopped.is_set():
                    break
                token, recipients, content = self._new_message(random_numbers)
                lines = ["MAIL FROM:<second@ours.example>", *[f"RCPT TO:<{name}>" for name in recipients], "DATA"]
                replies = [client.say(line)[0] for line in lines]
                if not all(reply[:1] in "23" for reply in replies):
                    self._refuse(next(reply for reply in replies if reply[:1] not in "23"))
                    return
                reply = client.say(smtp.dot_stuffed(content))[0]
                found = _QUEUED.match(reply)
                if found is None:
                    self._refuse(reply)
                    return
                self.accepted.append(Accepted(token, recipients, found[1]))
                time.sleep(self._pause * random_numbers.uniform(0.5, 1.5))
            client.say("QUIT")

    def _refuse(self, reply: str) -> None:
        if reply == smtp.CLOSED or reply.endswith("\n" + smtp.CLOSED):
            raise EOFError
        self.refused.append(reply)
        time.sleep(_PAUSE)

    def _post(self, random_numbers: random.Random) -> None:
        token, recipients, content = self._new_message(random_numbers)
        try:
            done = self._mta.run("sendmail", "-f", "second@ours.example", *recipients, input=content, timeout=_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.problems.append(f"sendmail did not end in {_TIMEOUT} s")
            return
        if done.returncode == 0:
            self.accepted.append(Accepted(token, recipients))
        else:
            self.refused.append(f"sendmail: {done.returncode} {done.stderr!r}")
        time.sleep(10 * self._pause)


def _expect(reply: str) -> None:
    if reply[:1] != "2":
        raise EOFError
