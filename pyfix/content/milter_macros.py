"""The macros that milters are told: which at what stage, and where their values come from.

Source: MILTER_README; postconf(5) milter_connect_macros and its relatives, milter_macro_defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pyfix.config.parameters.milter import MilterSettings

__all__ = ["Lookup", "MacroLists", "canonical_name", "macro_defaults", "macro_lists"]

Lookup = Callable[[str], str | None]
"""Returns the value of a macro, by its canonical name; None when it has none."""

STAGES: Final = ("connect", "helo", "mail", "rcpt", "data", "end_of_header", "end_of_data", "unknown")
"""In the order in which smtpd(8) tells them to cleanup(8)."""

MacroLists = Mapping[str, tuple[str, ...]]
"""Names of macros by stage."""


def macro_lists(settings: MilterSettings) -> MacroLists:
    """Return what main.cf says."""
    return {
        "connect": settings.milter_connect_macros,
        "helo": settings.milter_helo_macros,
        "mail": settings.milter_mail_macros,
        "rcpt": settings.milter_rcpt_macros,
        "data": settings.milter_data_macros,
        "end_of_header": settings.milter_end_of_header_macros,
        "end_of_data": settings.milter_end_of_data_macros,
        "unknown": settings.milter_unknown_command_macros,
    }


def canonical_name(name: str) -> str:
    """Return the name of a macro with the braces around it that are left out of short ones."""
    return name if name.startswith("{") else f"{{{name}}}"


def macro_defaults(settings: MilterSettings) -> dict[str, str]:
    """Return the values of macros that have none by themselves, by canonical name."""
    found = {}
    for word in settings.milter_macro_defaults:
        text = word
        if word.startswith("{") and word.endswith("}") and "=" in word:
            text = word[1:-1].strip()
        name, _, value = text.partition("=")
        if value.strip():
            found[canonical_name(name.strip())] = value.strip()
    return found
