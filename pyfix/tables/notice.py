"""Where lookup tables say what is wrong with their files and answers."""

from __future__ import annotations

from _thread import _local

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, TypeVar

    T = TypeVar("T")

    Reporter = Callable[[str, str], None]
    """Takes a severity (info, warning, error) and a text."""


def _to_log(severity: str, text: str) -> None:
    from pyfix.runtime.log import log

    getattr(log, severity)(text)


_reporter: list[Reporter] = [_to_log]
_thread: Final = _local()
"""``said``: where the notices of this thread wait for the one that may write them."""
WARNING: Final = "warning"


def report_to(reporter: Reporter) -> Reporter:
    """Send what tables have to say to *reporter*, and return the one before it."""
    before, _reporter[0] = _reporter[0], reporter
    return before


def in_another_thread(call: Callable[[], T], said: list[tuple[str, str]]) -> T:
    """Return the result of *call*; what tables have to say meanwhile is put into *said*, for report_all()."""
    _thread.said = said
    try:
        return call()
    finally:
        _thread.said = None


def report_all(said: list[tuple[str, str]]) -> None:
    """Report what was said in another thread."""
    for severity, text in said:
        _reporter[0](severity, text)


def _report(severity: str, text: str) -> None:
    said: list[tuple[str, str]] | None = getattr(_thread, "said", None)
    if said is None:
        _reporter[0](severity, text)
    else:
        said.append((severity, text))


def warn(text: str) -> None:
    """Report a warning, without the word "warning" in *text*."""
    _report(WARNING, text)


def error(text: str) -> None:
    """Report a non-fatal error, as a table that cannot be opened."""
    _report("error", text)


def info(text: str) -> None:
    """Report something that is no problem."""
    _report("info", text)
