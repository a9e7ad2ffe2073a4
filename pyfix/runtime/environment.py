"""The environment that a Postfix program takes over from its parent.

Source: postconf(5) import_environment: names to keep, ``name=value`` to set, ``{ name = value }`` where there are
blanks in it.
"""

from __future__ import annotations

import os
import time

from pyfix.config.errors import ConfigError
from pyfix.config.main_cf import split_assignment
from pyfix.config.master_cf import strip_braces

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["chosen_environment", "take_environment", "update_environment"]


def chosen_environment(words: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of *environment* that *words* name, and those that they set, in the order of *words*.

    What master(8) and programs with more rights than their caller go on with.  Raises ConfigError for a malformed word.
    """
    chosen: dict[str, str] = {}
    for name, value in _assignments(words, "clean_env"):
        if value is not None:
            chosen[name] = value
        elif name in environment:
            chosen[name] = environment[name]
    return chosen


def update_environment(words: Iterable[str]) -> None:
    """Set the variables of this process that *words* give a value; all others stay.

    What other commands do.  Raises ConfigError for a malformed word.
    """
    for name, value in _assignments(words, "update_env"):
        if value is not None:
            os.environ[name] = value
    time.tzset()


def take_environment(words: Iterable[str]) -> None:
    """Make what *words* choose the environment of this process.  Raises ConfigError for a malformed word."""
    chosen = chosen_environment(words, os.environ)
    os.environ.clear()
    os.environ.update(chosen)
    time.tzset()


def _assignments(words: Iterable[str], action: str) -> Iterator[tuple[str, str | None]]:
    """Yield names, with the value that is to be set; *action* is what the text of a fault begins with."""
    for word in words:
        try:
            text = strip_braces(word)
        except ConfigError as error:
            raise ConfigError(f"import_environment: {error}") from None
        if "=" not in text:
            yield text, None
            continue
        assignment = split_assignment(text)
        if isinstance(assignment, str):
            raise ConfigError(f"{action}: {assignment} in: {text}")
        yield assignment
