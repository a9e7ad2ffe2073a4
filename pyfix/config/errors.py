"""What a configuration that cannot be used raises."""

from __future__ import annotations

__all__ = ["ConfigError"]


class ConfigError(Exception):
    """The configuration cannot be used; the argument is the text of Postfix's fatal line.

    ``warnings`` and ``error`` are the lines of these kinds that Postfix logs just before it.  The process that meets it
    logs them and ends with status 1.
    """

    def __init__(self, text: str, *, warnings: tuple[str, ...] = (), error: str | None = None) -> None:
        super().__init__(text)
        self.warnings = warnings
        self.error = error
