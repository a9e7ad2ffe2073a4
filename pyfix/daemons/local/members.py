"""The members of a list: of an alias, an :include: file or a .forward file.

Source: aliases(5); local(8), ALIASES and USER FORWARDING.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pyfix.formats.address import external_to_internal
from pyfix.formats.address_list import AddressList

__all__ = ["include_path", "members_of_file", "members_of_text"]

_INCLUDE: Final = ":include:"


def members_of_text(text: str) -> Iterator[str]:
    """Yield each member of a list in internal form: without quotes, not completed with a domain."""
    for address in AddressList(text).addresses:
        member = external_to_internal(address)
        if member:
            yield member


def members_of_file(lines: Iterable[bytes]) -> Iterator[str]:
    """Yield the members in the lines of a file, of which those with a ``#`` at their beginning are comments."""
    for line in lines:
        if not line.startswith(b"#"):
            yield from members_of_text(line.decode("utf-8", "surrogateescape").rstrip("\n"))


def include_path(member: str) -> str | None:
    """Return the path in ``:include:path``, None if the member is none."""
    return member[len(_INCLUDE) :] if member[: len(_INCLUDE)].lower() == _INCLUDE else None
