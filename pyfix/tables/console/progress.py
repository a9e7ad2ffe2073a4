"""Showing on a terminal that work goes on; never anywhere else."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event
    from types import TracebackType
    from typing import Final

AFTER: Final = 1.0
"""Seconds after which work is long enough to be shown."""
EVERY: Final = 0.5
"""Seconds from one showing to the next."""
_GONE: Final = "\r\x1b[K"
_is_shown: Final = [False]


def without_line() -> str:
    """Return what to write before a message, so that it does not stand behind what is shown."""
    return _GONE if _is_shown[0] else ""


class Progress:
    """Within its ``with`` statement, shows on standard error how far the work on a table is, once that takes long."""

    def __init__(self, name: str) -> None:
        """*name* is what the work is on."""
        self._name: Final = name
        self._finish: Callable[[], None] | None = None
        self.entries = 0
        """Entries read so far."""

    def _show(self, done: Event) -> None:
        seconds = AFTER
        while not done.wait(EVERY if _is_shown[0] else AFTER):
            entries = f", {self.entries:,} entries" if self.entries else ""
            _is_shown[0] = True
            sys.stderr.write(f"\r{self._name}: {seconds:.0f} s{entries}\x1b[K")
            sys.stderr.flush()
            seconds += EVERY
        sys.stderr.write(without_line())
        sys.stderr.flush()
        _is_shown[0] = False

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from threading import Event, Thread  # where it is needed only: they cost a command a millisecond

            done = Event()
            thread = Thread(target=self._show, args=(done,), daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system has no thread left: the work is more important
                return self

            def finish() -> None:
                done.set()
                thread.join()

            self._finish = finish
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._finish is not None:
            self._finish()
