"""Where lookup tables say what is wrong with their files and answers."""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    Reporter = Callable[[str, str], None]
    """Takes a severity (info, warning, error) and a text."""


def _to_log(severity: str, text: str) -> None:
    from pyfix.runtime.log import log

    getattr(log, severity)(text)


_reporter: list[Reporter] = [_to_log]
WARNING: Final = "warning"


def report_to(reporter: Reporter) -> Reporter:
    """Send what tables have to say to *reporter*, and return the one before it."""
    before, _reporter[0] = _reporter[0], reporter
    return before


def warn(text: str) -> None:
    """Report a warning, without the word "warning" in *text*."""
    _reporter[0](WARNING, text)


def error(text: str) -> None:
    """Report a non-fatal error, as a table that cannot be opened."""
    _reporter[0]("error", text)


def info(text: str) -> None:
    """Report something that is no problem."""
    _reporter[0]("info", text)
