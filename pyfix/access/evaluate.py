"""Restriction lists: compiled once from main.cf, then asked in order until one decides.

Source: SMTPD_ACCESS_README; postconf(5) smtpd_client_restrictions and its neighbours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from pyfix.access.stage import CLIENT, RECIPIENT, Stage
from pyfix.access.transaction import LookupFailed, Transaction
from pyfix.access.verdict import DUNNO, PERMIT, DeferIfPermit, DeferIfReject, Reject, Verdict
from pyfix.config.errors import ConfigError
from pyfix.formats.status import update_class
from pyfix.formats.textforms import printable
from pyfix.runtime.log import log

if TYPE_CHECKING:
    from pyfix.access.policy import AccessPolicy

__all__ = [
    "MISCONFIGURED",
    "Check",
    "CheckFunction",
    "CheckList",
    "Deferral",
    "ask_instead",
    "compile_list",
    "evaluate",
    "refuse",
]

CheckFunction = Callable[[Transaction, Stage, "Check"], "Verdict | Awaitable[Verdict]"]

MISCONFIGURED: Final = Reject(451, "4.3.5", "Server configuration error", "software")
_DEEPEST: Final = 100
_FINAL: Final = ("permit", "reject", "defer")
_ABOUT_CLIENT: Final = (
    "permit_mynetworks", "permit_inet_interfaces", "permit_sasl_authenticated", "permit_dnswl_client",
    "permit_rhswl_client",
)  # fmt: skip
"""What these permit is the client, in whatever list they stand."""
_ABOUT_RECIPIENT: Final = ("permit_auth_destination", "permit_mx_backup")


class Check:
    """One restriction of a list, with its argument."""

    __slots__ = ("argument", "following", "function", "logs_itself", "name", "never_permits", "table", "warn")

    def __init__(self, name: str, function: CheckFunction, argument: str = "", *, warn: bool = False) -> None:
        self.name = name
        self.function = function
        self.argument = argument
        self.warn = warn
        """warn_if_reject stands before it."""
        self.following = ""
        """The next word of the list, which never matters after permit, reject and defer."""
        self.logs_itself = False
        """The function logs what it permits (smtpd_log_access_permit_actions)."""
        self.never_permits: Callable[[Transaction], str] | None = None
        """Given for what may refuse but not permit: returns what it is about."""
        self.table: object = None
        """What the function keeps of its argument: an open table, a compiled list."""


CheckList = tuple[Check, ...]


class Deferral:
    """What DeferIfReject said in the lists that are evaluated together, classes in them included."""

    __slots__ = ("depth", "home", "reject", "warn")

    def __init__(self) -> None:
        self.reject: Reject | None = None
        self.warn = 0
        self.depth = 0
        self.home: Stage | None = None
        """The stage of the list that main.cf has, whatever an access table in it is asked about."""


async def evaluate(
    transaction: Transaction, stage: Stage, checks: CheckList, deferral: Deferral | None = None
) -> Verdict:
    """Ask the restrictions in order; return PERMIT, DUNNO, or the Reject to reply, which is logged already."""
    if deferral is None:
        deferral = Deferral()
    elif deferral.reject is not None and transaction.defer_if_permit is not None:
        return DUNNO  # It is deferred whatever comes.
    if deferral.home is None:
        deferral.home = stage
    for check in checks:
        if check.warn:
            deferral.warn += 1
        try:
            nested = check.table if type(check.table) is tuple else None
            if nested is not None:
                if deferral.depth >= _DEEPEST:
                    log.warning(f"restriction class {check.name}: nested too deeply")
                    verdict: Verdict = MISCONFIGURED
                else:
                    deferral.depth += 1
                    verdict = await evaluate(transaction, stage, nested, deferral)
                    deferral.depth -= 1
                    if isinstance(verdict, Reject):
                        return verdict
            else:
                answer = check.function(transaction, stage, check)
                verdict = answer if isinstance(answer, Verdict) else await answer
        except LookupFailed as failed:
            verdict = failed.reject
        logged = nested is not None or check.logs_itself
        if type(verdict) is _Nested:
            instead = transaction.policy.named_list(verdict.names, deferral.home)
            verdict = await evaluate(transaction, verdict.stage, instead, deferral)
            if isinstance(verdict, Reject):
                return verdict
        warn = deferral.warn > 0
        if check.warn:
            deferral.warn -= 1
        if verdict is DUNNO:
            continue
        if verdict is PERMIT and check.never_permits is not None and not transaction.discard:
            log.warning(f"restriction {check.name} returns OK for {check.never_permits(transaction)}")
            log.warning("this is not allowed for security reasons")
            log.warning("use DUNNO instead of OK if you want to make an exception")
            verdict = MISCONFIGURED
        if verdict is PERMIT:
            if transaction.policy.logs_permits and not logged:
                about = CLIENT if check.name in _ABOUT_CLIENT else stage
                if check.name in _ABOUT_RECIPIENT:
                    about = RECIPIENT
                await transaction.policy.log_permit(transaction, about, check.name)
            _say_what_is_ignored(check)
            return PERMIT
        if isinstance(verdict, DeferIfPermit):
            if warn:
                transaction.log_action("reject_warning", _text(transaction, verdict.reject))
            elif transaction.defer_if_permit is None:
                transaction.defer_if_permit = verdict.reject
                if deferral.reject is not None:
                    return DUNNO
        elif isinstance(verdict, DeferIfReject):
            if deferral.reject is None:
                deferral.reject = verdict.reject
            if transaction.defer_if_permit is not None:
                return DUNNO
        elif isinstance(verdict, Reject):
            if warn and verdict is not MISCONFIGURED:
                transaction.log_action("reject_warning", _text(transaction, _softened(transaction, verdict)))
                continue
            refused = refuse(transaction, verdict, deferral)
            _say_what_is_ignored(check)
            return refused
    return DUNNO


def _say_what_is_ignored(check: Check) -> None:
    if check.following:
        log.warning(f"restriction `{check.following}' after `{check.name}' is ignored")


class _Nested(Verdict):
    """An access table gave a list of restrictions: it is asked in the place of the table."""

    __slots__ = ("names", "stage")

    def __init__(self, names: str, stage: Stage) -> None:
        self.names = names
        self.stage = stage


def ask_instead(names: str, stage: Stage) -> Verdict:
    """Return a verdict that means: ask the restrictions of these names, about what the table was asked about."""
    return _Nested(names, stage)


def _softened(transaction: Transaction, reject: Reject) -> Reject:
    """Return *reject* with a 4xx code if soft_bounce asks for it."""
    if transaction.policy.settings.soft_bounce and reject.code >= 500:
        status = update_class(reject.status, "4") if reject.status else ""
        return Reject(reject.code - 100, status, reject.text, reject.notice)
    return reject


def _text(transaction: Transaction, reject: Reject) -> str:
    return printable(reject.reply, " ", utf8=transaction.policy.settings.smtputf8_enable)


def refuse(transaction: Transaction, reject: Reject, deferral: Deferral | None = None) -> Reject:
    """Log a refusal and return it as it is to be replied: as a deferral, when *deferral* has one."""
    if deferral is not None and deferral.reject is not None and reject.code >= 500:
        reject = deferral.reject
    if transaction.hangup and not reject.text:
        return reject
    reject = _softened(transaction, reject)
    text = printable(reject.text, " ", utf8=transaction.policy.settings.smtputf8_enable)
    if text != reject.text:
        reject = Reject(reject.code, reject.status, text, reject.notice)
    transaction.log_action("reject", reject.reply)
    return reject


def compile_list(
    policy: AccessPolicy, stage: Stage | None, words: Sequence[str], classes: dict[str, CheckList]
) -> CheckList:
    """Return the restrictions that *words* name.

    A word that names nothing becomes a restriction that logs a warning and replies 451 each time.
    """
    from pyfix.access.restrictions import RESTRICTIONS, TAKES_ARGUMENT, bad_argument, broken
    from pyfix.access.unavailable import REMOVED, refuse_removed

    checks: list[Check] = []
    warn = False
    position = 0
    while position < len(words):
        word = words[position]
        name = word.lower()
        position += 1
        if name == "warn_if_reject":
            warn = True
            continue
        check: Check
        if name in TAKES_ARGUMENT:
            argument = words[position] if position < len(words) else ""
            position += 1
            check = Check(name, RESTRICTIONS[name], argument)
            TAKES_ARGUMENT[name](policy, check)
        elif name in RESTRICTIONS:
            check = Check(name, RESTRICTIONS[name])
        elif word in policy.settings.smtpd_restriction_classes:
            check = Check(word, broken, word)
            check.table = _restriction_class(policy, stage, word, classes)
        elif ":" in word and stage is not None and stage.table:
            check = Check(stage.table, RESTRICTIONS[stage.table], word)
            TAKES_ARGUMENT[stage.table](policy, check)
        elif name in REMOVED:
            check = Check(name, refuse_removed)
        elif ":" in word:
            check = Check(word, bad_argument, word)
        else:
            check = Check(word, broken, word)
        check.warn = warn
        warn = False
        if name in _FINAL and position < len(words):
            check.following = words[position]
        checks.append(check)
    return tuple(checks)


def _restriction_class(
    policy: AccessPolicy, stage: Stage | None, name: str, classes: dict[str, CheckList]
) -> CheckList | None:
    """Return the restrictions of a class; None while it is being compiled, because it contains itself."""
    if name in classes:
        return classes[name] or None
    classes[name] = ()
    from pyfix.config.parameter import split_words

    words = split_words(policy.snapshot.value(name))
    if not words:
        raise ConfigError(f"restriction class `{name}' needs a definition")
    found = classes[name] = policy.followed(name, compile_list(policy, stage, words, classes))
    return found
