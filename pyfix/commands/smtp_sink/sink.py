"""All sessions of smtp-sink(1) together: their counts, the time limit of each, and the end."""

from __future__ import annotations

import time

from pyfix.runtime.loadtool import Counter
from pyfix.runtime.poll import Poll

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from pyfix.commands.smtp_sink.dump import Dump
    from pyfix.commands.smtp_sink.rules import Rules
    from pyfix.commands.smtp_sink.session import Session
    from pyfix.runtime.server import Server


class Sink:
    """All sessions together."""

    def __init__(self, rules: Rules, dump: Dump | None) -> None:
        self.rules = rules
        self.dump = dump
        self.poll = Poll()
        self.server: Server
        self.open: set[Session] = set()
        self.now = time.monotonic()
        self._counter = Counter(rules.counts)
        self._sessions = self._quits = self._messages = 0
        self._watch_time()

    def _watch_time(self) -> None:
        """Once a second: who has said nothing for too long?"""
        self.now = time.monotonic()
        for session in [one for one in self.open if one.heard < self.now - self.rules.timeout]:
            session.left("read timeout")
        self.poll.later(1, self._watch_time)

    def quit(self) -> None:
        """Count a QUIT."""
        self._quits += 1
        self._show()

    def message(self) -> None:
        """Count a message."""
        self._messages += 1
        self._show()
        if self._messages == self.rules.most_messages:
            self.poll.stop()

    def ended(self, session: Session) -> None:
        """Count a session that is over."""
        self.open.discard(session)
        self._sessions += 1
        self._show()
        self.server.ended()
        if self._sessions == self.rules.most_sessions:
            self.poll.stop()

    def _show(self) -> None:
        if self.rules.counts:
            self._counter.show(f"sess={self._sessions} quit={self._quits} mesg={self._messages}")

    def run(self) -> None:
        """Serve until the counts are reached."""
        self.poll.run()
