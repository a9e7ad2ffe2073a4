"""What a restriction says about a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyfix.formats.status import update_class

__all__ = ["DUNNO", "PERMIT", "DeferIfPermit", "DeferIfReject", "Reject", "Verdict", "refused"]


class Verdict:
    """Base of the verdicts."""

    __slots__ = ()


class _Plain(Verdict):
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


DUNNO: Final = _Plain("DUNNO")
"""No opinion: the next restriction is asked."""
PERMIT: Final = _Plain("PERMIT")
"""Permit: the rest of this list is not asked."""


@dataclass(frozen=True, slots=True)
class Reject(Verdict):
    """Refuse for now (4xx) or for good (5xx)."""

    code: int
    status: str
    """Enhanced status code; empty when there is none."""
    text: str
    notice: str = "policy"
    """The class of postconf(5) notify_classes that this belongs to."""

    @property
    def reply(self) -> str:
        """The reply as one line."""
        return f"{self.code} {self.status} {self.text}" if self.status else f"{self.code} {self.text}"


@dataclass(frozen=True, slots=True)
class DeferIfPermit(Verdict):
    """No opinion, but what would be permitted in the end is deferred."""

    reject: Reject


@dataclass(frozen=True, slots=True)
class DeferIfReject(Verdict):
    """No opinion, but what another restriction of this list refuses for good is deferred."""

    reject: Reject


def refused(code: int, status: str, text: str) -> Reject:
    """Return a refusal whose enhanced status code has the class of its reply code."""
    return Reject(code, update_class(status, str(code // 100)), text)
