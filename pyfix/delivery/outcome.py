"""What became of one delivery: sent, deferred or bounced; or nothing, because the queue file is damaged."""

from __future__ import annotations

from typing import Final, NamedTuple

DAMAGED: Final = 0
SENT: Final = 2
DEFERRED: Final = 4
BOUNCED: Final = 5

_ACTIONS: Final = {SENT: "delivered", DEFERRED: "delayed", BOUNCED: "failed"}


class Outcome(NamedTuple):
    """One recipient's outcome.  Make one with Sent, Deferred, Bounced or Damaged."""

    kind: int
    code: str
    """Enhanced status code (RFC 3463)."""
    text: str
    action: str
    """``delivered``, ``relayed``, ``expanded``, ``delayed`` or ``failed`` (RFC 3464)."""
    diag_type: str = ""
    diag_text: str = ""
    mta_type: str = ""
    mta_name: str = ""


def Sent(text: str, code: str = "2.0.0", *, action: str = "delivered") -> Outcome:
    """The message is where it belongs, or in the hands of the next MTA (action ``relayed``)."""
    return Outcome(SENT, code, text, action)


def Deferred(code: str, text: str) -> Outcome:
    """Try again later."""
    return Outcome(DEFERRED, code, text, "delayed")


def Bounced(code: str, text: str) -> Outcome:
    """It will never be delivered."""
    return Outcome(BOUNCED, code, text, "failed")


def Damaged(text: str) -> Outcome:
    """The queue file is damaged: *text* is for the log, in lines; qmgr(8) saves the file in the corrupt queue."""
    return Outcome(DAMAGED, "", text, "")


_CLASSES: Final = {SENT: "2", DEFERRED: "4", BOUNCED: "5"}
_DEFAULTS: Final = {SENT: "2.0.0", DEFERRED: "4.0.0", BOUNCED: "5.0.0"}
_CALLERS: Final = {SENT: "sent", DEFERRED: "defer_append", BOUNCED: "bounce_append"}


def misfit(outcome: Outcome) -> str | None:
    """Return the warning for a code whose class is not that of the outcome, or None."""
    if outcome.code[:1] == _CLASSES[outcome.kind]:
        return None
    return f'{_CALLERS[outcome.kind]}: ignoring dsn code "{outcome.code}"'


def fitting(outcome: Outcome) -> Outcome:
    """Return the outcome with the default code of its class."""
    return outcome._replace(code=_DEFAULTS[outcome.kind])


def changed(outcome: Outcome, kind: int) -> Outcome:
    """Return the same facts as another kind, as soft_bounce and delivery status filters ask for."""
    return outcome._replace(kind=kind, code=_CLASSES[kind] + outcome.code[1:], action=_ACTIONS[kind])
