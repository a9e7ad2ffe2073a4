"""What a text must contain to be matched by an expression: literal pieces of it, of which one at least is there.

Large tables of expressions are asked quickly that way: most rules need not be tried.  Where an expression has
anything that is not plainly understood here, nothing is said about it.  Source: regex(7), pcre2pattern(3).
"""

from __future__ import annotations

import re
from typing import Final

Need = frozenset[bytes]
"""Pieces in lower case (of ASCII); one of them is in each text, made lower, that the expression matches."""

_INTERVAL: Final = re.compile(rb"\{([0-9]+)(,[0-9]*)?\}")
_POSIX_SIGNS: Final = b"\\.^$*+?()[]{}|/@-_ ,:;<>=!\"#%&'~"
"""What a backslash makes nothing else of, in any C library."""
_POSIX_NOT_SIGNS: Final = b"<>'`"
"""Signs that the GNU library takes for word boundaries and the like."""
_PERL_CLASSES: Final = b"dDwWsSbBAZzhHvVRN"
"""Letters that behind a backslash match one character of a kind, or a place."""
_DEEPEST: Final = 50


class _Unclear(Exception):
    """The expression has something that is not understood here."""


def needed_text(pattern: bytes, *, perl: bool) -> list[Need]:
    """Return what each text that *pattern* matches contains: one piece of every set.

    *perl*: as PCRE2 reads it without its extended flag; else as POSIX extended expressions are read.  The list is
    empty where nothing can be said.
    """
    try:
        reader = _Reader(pattern, perl)
        needs = reader.alternatives(0)
        if reader.at < len(pattern):
            return []
    except _Unclear:
        return []
    return needs


class _Reader:
    """Reads an expression from left to right; ``at`` is where it is."""

    __slots__ = ("at", "pattern", "perl")

    def __init__(self, pattern: bytes, perl: bool) -> None:
        self.pattern: Final = pattern
        self.perl: Final = perl
        self.at = 0

    def alternatives(self, depth: int) -> list[Need]:
        """Read up to the end or the closing parenthesis."""
        if depth > _DEEPEST:
            raise _Unclear
        branches = [self._branch(depth)]
        while self.pattern[self.at : self.at + 1] == b"|":
            self.at += 1
            branches.append(self._branch(depth))
        if len(branches) == 1:
            return branches[0]
        if not all(branches):
            return []
        # One set that has something of each branch: the set whose shortest piece is longest.
        best = [max(branch, key=lambda need: min(map(len, need))) for branch in branches]
        return [frozenset().union(*best)]

    def _branch(self, depth: int) -> list[Need]:
        pattern, needs, run = self.pattern, list[Need](), bytearray()

        def end_run() -> None:
            if run:
                needs.append(frozenset((bytes(run).lower(),)))
                run.clear()

        while self.at < len(pattern) and pattern[self.at] not in b"|)":
            literal, inside = self._atom(depth)
            optional, repeated = self._quantified()
            if literal is None:
                end_run()
                if not optional:
                    needs += inside
            elif optional:
                end_run()
            else:
                run.append(literal)
                if repeated:
                    end_run()
        end_run()
        return needs

    def _atom(self, depth: int) -> tuple[int | None, list[Need]]:
        """Read one thing that a quantifier may follow: a literal byte, or something else and what that needs."""
        code = self.pattern[self.at]
        self.at += 1
        if code in b"*+?{":
            raise _Unclear
        if code in b".^$":
            return None, []
        if code == ord("["):
            self._skip_bracket()
            return None, []
        if code == ord("("):
            return None, self._group(depth)
        if code == ord("\\"):
            return self._escaped(), []
        return code, []

    def _group(self, depth: int) -> list[Need]:
        pattern, ignored = self.pattern, False
        if pattern[self.at : self.at + 1] in (b"?", b"*"):
            if not self.perl:
                raise _Unclear
            for start, looks_around in ((b"?:", False), (b"?=", True), (b"?!", True), (b"?<=", True), (b"?<!", True)):
                if pattern.startswith(start, self.at):
                    self.at += len(start)
                    ignored = looks_around
                    break
            else:
                raise _Unclear
        needs = self.alternatives(depth + 1)
        if pattern[self.at : self.at + 1] != b")":
            raise _Unclear
        self.at += 1
        return [] if ignored else needs

    def _escaped(self) -> int | None:
        code = self.pattern[self.at : self.at + 1]
        self.at += 1
        if not code:
            raise _Unclear
        if self.perl:
            if code in _PERL_CLASSES:
                if code == b"N" and self.pattern[self.at : self.at + 1] == b"{":
                    raise _Unclear
                return None
            if not code.isalnum() and code[0] < 128:
                return code[0]
        elif code in _POSIX_SIGNS and code not in _POSIX_NOT_SIGNS:
            return code[0]
        raise _Unclear

    def _skip_bracket(self) -> None:
        """Go behind the bracket expression whose first bracket was read."""
        pattern, at = self.pattern, self.at
        if pattern[at : at + 1] == b"^":
            at += 1
        first = at
        while True:
            code = pattern[at : at + 1]
            if not code:
                raise _Unclear
            if code == b"]" and at > first:
                self.at = at + 1
                return
            if code == b"[" and pattern[at + 1 : at + 2] in (b":", b".", b"="):
                close = pattern.find(b":]", at + 2)
                if pattern[at + 1 : at + 2] != b":" or close < 0 or not pattern[at + 2 : close].strip(b"^").isalpha():
                    raise _Unclear
                at = close + 2
            elif code == b"\\" and self.perl:
                if pattern[at + 1 : at + 2] in (b"Q", b"E", b"c"):
                    raise _Unclear
                at += 2
            else:
                at += 1

    def _quantified(self) -> tuple[bool, bool]:
        """Read the quantifiers behind an atom: whether it may be missing, and whether there was any."""
        pattern, optional, repeated = self.pattern, False, False
        while (code := pattern[self.at : self.at + 1]) and code in b"*+?{":
            repeated = True
            if code == b"{":
                interval = _INTERVAL.match(pattern, self.at)
                if interval is None:
                    raise _Unclear
                optional = optional or not int(interval[1])
                self.at = interval.end()
            else:
                optional = optional or code != b"+"
                self.at += 1
        return optional, repeated
