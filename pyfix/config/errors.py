"""What a configuration that cannot be used raises."""

from __future__ import annotations

__all__ = ["ConfigError"]


class ConfigError(Exception):
    """The configuration cannot be used; the argument is the text of Postfix's fatal line.

    ``warning`` and ``error`` are the lines of these kinds that Postfix logs just before it, or None.  The process that
    meets it logs them and ends with status 1.
    """

    def __init__(self, text: str, *, warning: str | None = None, error: str | None = None) -> None:
        super().__init__(text)
        self.warning = warning
        self.error = error
