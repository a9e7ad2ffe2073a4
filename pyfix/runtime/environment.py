"""The environment that a Postfix process takes over from its parent, or hands to a program that is not Postfix's.

Source: postconf(5) import_environment, export_environment: names to keep, and ``name=value`` to set.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def chosen_environment(words: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of *environment* that *words* name, and those that they set, in the order of *words*."""
    chosen: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            chosen[name.strip()] = value.strip()
        elif name in environment:
            chosen[name] = environment[name]
    return chosen
