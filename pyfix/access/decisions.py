"""Who decided: each restriction that is asked, with its place in main.cf, and what it said.

Nothing of this costs anything where nobody wants to know: the lists are as they are, without it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyfix.access.transaction import LookupFailed
from pyfix.access.verdict import DUNNO, PERMIT, DeferIfPermit, DeferIfReject, Reject, Verdict

if TYPE_CHECKING:
    from pyfix.access.evaluate import Check, CheckFunction, CheckList
    from pyfix.access.stage import Stage
    from pyfix.access.transaction import Transaction

__all__ = ["Decision", "Decisions", "log_decision"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What one restriction said."""

    place: str
    """The parameter or restriction class whose list it stands in, or a table's right-hand side in quotes."""
    position: int
    """Its number in that list, from 1; 0 for what is in no list."""
    restriction: str
    argument: str
    verdict: Verdict
    entry: tuple[str, str, str] | None = None
    """The table entry that it goes by: table, key, value."""

    @property
    def is_final(self) -> bool:
        """Whether nothing else of the list was asked."""
        return self.verdict is PERMIT or isinstance(self.verdict, Reject)

    @property
    def word(self) -> str:
        """The verdict in a word or two, with the reply that it means."""
        verdict = self.verdict
        if verdict is PERMIT:
            return "permit"
        if verdict is DUNNO:
            return "no opinion"
        if isinstance(verdict, Reject):
            return f"{'reject' if verdict.code >= 500 else 'defer'}: {verdict.reply}"
        if isinstance(verdict, DeferIfPermit):
            return f"defer if permitted: {verdict.reject.reply}"
        if isinstance(verdict, DeferIfReject):
            return f"defer if rejected: {verdict.reject.reply}"
        return "other restrictions"

    @property
    def where(self) -> str:
        """The restriction with its place: ``smtpd_recipient_restrictions #3 check_sender_access hash:/etc/x``."""
        number = f" #{self.position}" if self.position else ""
        argument = f" {self.argument}" if self.argument and self.argument != self.restriction else ""
        return f"{self.place}{number}{f' {self.restriction}' if self.restriction else ''}{argument}"


class Decisions:
    """Follows the evaluation of lists."""

    def __init__(self, tell: Callable[[Transaction, Decision], None]) -> None:
        """*tell* hears of each restriction that was asked."""
        self._tell: Final = tell

    def follow(self, place: str, checks: CheckList) -> CheckList:
        """Return *checks*, the list that stands in *place*, so that it tells."""
        for position, check in enumerate(checks, 1):
            if not isinstance(check.function, _Followed):
                check.function = _Followed(self._tell, place, position, check.function)
        return checks

    def of_no_list(self, transaction: Transaction, parameter: str, verdict: Verdict) -> None:
        """Tell of a verdict that *parameter* brings about without a list."""
        self._tell(transaction, Decision(parameter, 0, "", "", verdict))


class _Followed:
    """A restriction's function that tells."""

    __slots__ = ("_function", "_place", "_position", "_tell")

    def __init__(
        self, tell: Callable[[Transaction, Decision], None], place: str, position: int, function: CheckFunction
    ) -> None:
        self._tell = tell
        self._place = place
        self._position = position
        self._function = function

    def __call__(self, transaction: Transaction, stage: Stage, check: Check) -> Verdict | Awaitable[Verdict]:
        transaction.entry = None
        try:
            answer = self._function(transaction, stage, check)
        except LookupFailed as failed:
            self._say(transaction, check, failed.reject)
            raise
        if isinstance(answer, Verdict):
            self._say(transaction, check, answer)
            return answer
        return self._wait(transaction, check, answer)

    async def _wait(self, transaction: Transaction, check: Check, answer: Awaitable[Verdict]) -> Verdict:
        try:
            verdict = await answer
        except LookupFailed as failed:
            self._say(transaction, check, failed.reject)
            raise
        self._say(transaction, check, verdict)
        return verdict

    def _say(self, transaction: Transaction, check: Check, verdict: Verdict) -> None:
        name = f"warn_if_reject {check.name}" if check.warn else check.name
        decision = Decision(self._place, self._position, name, check.argument, verdict, transaction.entry)
        self._tell(transaction, decision)


def log_decision(transaction: Transaction, decision: Decision) -> None:
    """Log a verdict and who gave it; restrictions without an opinion are left out.

    Source: pyfix's own parameter pyfix_log_decisions.
    """
    if decision.verdict is DUNNO:
        return
    entry = ""
    if decision.entry is not None:
        table, key, value = decision.entry
        entry = f" by {'' if table == decision.argument else f'{table} '}key=<{key}> value=<{value}>"
    transaction.log_action("decision", f"{decision.where}{entry}: {decision.word}")
