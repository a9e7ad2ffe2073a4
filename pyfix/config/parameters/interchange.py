"""Parameters of pyfix's own, which no Postfix has; postconf(1) shows them only where they are set."""

from __future__ import annotations

from pyfix.config.parameter import text
from pyfix.config.snapshot import Settings

__all__ = ["InterchangeSettings"]


class InterchangeSettings(Settings):
    """Working together with the daemons of another Postfix version."""

    pyfix_internal_protocol = text("3.11", own=True)
    """Whose forms the internal services speak: 3.11 or 3.7, for use together with such daemons."""
