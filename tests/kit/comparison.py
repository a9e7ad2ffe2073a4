"""Comparing what the two sides did, with the known differences taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True)
class KnownDifference:
    """A line in which pyfix differs from the reference on purpose."""

    where: str
    """``transcript``, ``log``, ``delivered``, ``queue`` or ``spool`` (what lies in its folders)."""
    reference: str | None
    """Regular expression for the reference's whole line (normalised); None: the reference has no such line."""
    pyfix: str | None
    """The same for pyfix's."""
    reason: str
    """Why it differs."""

    def explains(self, where: str, reference: str | None, pyfix: str | None) -> bool:
        """Tell whether this is the difference between two lines."""
        return where == self.where and _matches(self.reference, reference) and _matches(self.pyfix, pyfix)


def _matches(pattern: str | None, line: str | None) -> bool:
    if pattern is None or line is None:
        return pattern is None and line is None
    return re.fullmatch(pattern, line, re.DOTALL) is not None


def differences(
    where: str, reference: Sequence[str], pyfix: Sequence[str], known: Iterable[KnownDifference] = ()
) -> list[str]:
    """Return the lines that differ and are not known to, as a readable list; empty when the two sides are the same."""
    known = list(known)
    found = []
    matcher = SequenceMatcher(None, reference, pyfix, autojunk=False)
    for operation, start, end, other_start, other_end in matcher.get_opcodes():
        if operation == "equal":
            continue
        left, right = list(reference[start:end]), list(pyfix[other_start:other_end])
        for index in range(max(len(left), len(right))):
            ours = right[index] if index < len(right) else None
            theirs = left[index] if index < len(left) else None
            if not any(difference.explains(where, theirs, ours) for difference in known):
                found.append(f"{where}\n  reference: {_shown(theirs)}\n  pyfix:     {_shown(ours)}")
    return found


def group_differences(
    where: str,
    reference: Mapping[str, Sequence[str]],
    pyfix: Mapping[str, Sequence[str]],
    known: Iterable[KnownDifference] = (),
) -> list[str]:
    """Compare lines that come in named groups (log lines by program, mail by mailbox)."""
    found = []
    for name in sorted(reference.keys() | pyfix.keys()):
        for text in differences(where, reference.get(name, ()), pyfix.get(name, ()), known):
            found.append(f"{name}: {text}")
    return found


def _shown(line: str | None) -> str:
    return "(no such line)" if line is None else line.replace("\n", "\n             ")
