"""Tables whose lookups block: in an event loop each runs in a thread, of which there are a few, and others go on.

Source: rule of the house; what the log says meanwhile is written by the loop's own thread.
"""

from __future__ import annotations

from pyfix.tables.notice import in_another_thread, report_all
from pyfix.tables.table import Table, TableError, valid_text


class FatalQuery(TableError):
    """What ends Postfix's process with a fatal line; a daemon of ours warns, and the lookup fails."""


class ThreadedTable(Table):
    """A table that a type gives a blocking ``query``."""

    local = False

    __slots__ = ()

    def query(self, key: str) -> str | None:
        """Return the value of a key that was folded already; blocks, and runs in some threads.  Raises TableError."""
        raise NotImplementedError  # each type has its own

    def asked(self, key: str) -> str | None:
        """Return *key* as query() wants it, None when there is nothing to ask."""
        return self.prepared(key)

    def find_now(self, key: str) -> str | None:
        """Ask and wait for the answer; the whole process waits.  Raises TableError."""
        asked = self.asked(key)
        return None if asked is None else self.accepted(asked, self.query(asked))

    async def find(self, key: str) -> str | None:
        """Ask in a thread, while the event loop goes on.  Raises TableError."""
        asked = self.asked(key)
        return None if asked is None else self.accepted(asked, await self.in_thread(asked))

    async def in_thread(self, key: str) -> str | None:
        """Return what query() does, and report what it had to say.  Raises TableError."""
        from pyfix.runtime.identity import is_another  # a command has no event loop
        from pyfix.runtime.threads import in_thread

        said: list[tuple[str, str]] = []
        try:
            if is_another():  # no thread may start with a recipient's rights
                return self.query(key)
            return await in_thread(in_another_thread, lambda: self.query(key), said)
        except FatalQuery as error:
            said.append(("warning", str(error)))
            raise
        finally:
            report_all(said)

    def accepted(self, key: str, value: str | None) -> str | None:
        """Return *value* unless it is not UTF-8 where that is asked for.  Raises TableError."""
        if value is not None and self.utf8 and not valid_text(value):
            self.refuse_value(key, value)
        return value
