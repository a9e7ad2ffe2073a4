"""Which rules of a large table can hold for a key at all, by pieces of text that they need.

Every rule is filed under a few letters of a text that it needs; a key has some thirty such pieces, whatever the
number of rules.  A rule of which nothing is known is always one to try.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from pyfix.formats.needed_text import Need

_PIECE: Final = 3
"""Letters in a piece, where the text is long enough: fewer are in too many keys, more are in too few texts."""
_SHORT_IS_WORSE: Final = 30
"""How often a piece of three letters may stand in other rules before one of two is better."""


def _pieces(text: bytes) -> list[bytes]:
    size = min(_PIECE, len(text))
    return [text[at : at + size] for at in range(len(text) - size + 1)]


class Candidates:
    """Answers which rules to try, by their places in the table."""

    __slots__ = ("_always", "_places", "_sizes")

    def __init__(self, places: Mapping[bytes, list[int]], always: Sequence[int]) -> None:
        """*places*: by a piece of text the rules that need it; *always*: the others."""
        self._places: Final = places
        self._always: Final = always
        self._sizes: Final = tuple({len(piece) for piece in places})

    @property
    def spared(self) -> int:
        """How many pieces rules are filed under; 0 means that all rules are always to be tried."""
        return len(self._places)

    def of(self, key: bytes) -> Sequence[int]:
        """Return the places of the rules to try, in their order."""
        places, text = self._places, key.lower()
        found: list[int] = []
        for size in self._sizes:
            for at in range(len(text) - size + 1):
                if (piece := text[at : at + size]) in places:
                    found += places[piece]
        if not found:
            return self._always
        return sorted({*found, *self._always})


def candidates_in_steps(needs: Iterable[list[Need]]) -> Generator[None, None, Candidates]:
    """Find out about rules, little by little, two steps for each: a large table takes some tenths of a second.

    *needs*: for each rule what needed_text() says of it, asked for when it is used.
    """
    counts: dict[bytes, int] = {}
    known = []
    for need in needs:
        known.append(need)
        for piece in {piece for texts in need for text in texts for piece in _pieces(text)}:
            counts[piece] = counts.get(piece, 0) + 1
        yield

    def cost(piece: bytes) -> int:
        return counts[piece] + _SHORT_IS_WORSE * (_PIECE - len(piece)) ** 2

    places: dict[bytes, list[int]] = {}
    always: list[int] = []
    for place, need in enumerate(known):
        ways = [{min(_pieces(text), key=cost) for text in texts} for texts in need]
        way = min(ways, key=lambda pieces: sum(map(cost, pieces)), default=None)
        if way is None:
            always.append(place)
        else:
            for piece in way:
                places.setdefault(piece, []).append(place)
        yield
    return Candidates(places, always)
