"""private/nbdb_reindex: make the table that takes the place of a Berkeley DB file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyfix.formats.attributes import Attributes

PROTOCOL: Final = "nbdb_reindex"

DONE: Final = 0
FAILED: Final = 1


@dataclass(frozen=True, slots=True)
class Reindex(Attributes):
    """A table that can't be opened, by its type and the path of its source file."""

    nbdb_type: str
    nbdb_path: str


@dataclass(frozen=True, slots=True)
class ReindexReply(Attributes):
    """The outcome; the reason is empty when the table is there."""

    status: int
    reason: str
