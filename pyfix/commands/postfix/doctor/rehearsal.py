"""What smtpd(8) would reply to a stranger: the real restrictions and tables, asked without a session.

The lists are compiled and evaluated by the code that smtpd runs.  Address classes come from the rules of
trivial-rewrite(8), asked directly, so that nothing has to run.  What only somebody else can answer (DNS, DNS lists,
policy services, databases on servers, probes) has no opinion here: a rehearsal shows what a client may do that has a
good name, and is on no list.
"""

from __future__ import annotations

import re
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar

from pyfix.access.evaluate import Check, CheckList
from pyfix.access.judge import judge_client, judge_data, judge_end_of_data, judge_helo, judge_recipient, judge_sender
from pyfix.access.policy import AccessPolicy
from pyfix.access.stage import Stage
from pyfix.access.transaction import Client, LookupFailed, Transaction
from pyfix.access.verdict import Reject
from pyfix.commands.postfix.doctor.restriction_words import KNOWN, Item, items, lists
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.protocols.internal.rewrite import ResolveReply
from pyfix.rewriting.resolving.direct import DirectResolver
from pyfix.runtime.log import log
from pyfix.tables.table import Table, TableError

__all__ = ["Attempt", "Rehearsal", "without_servers"]

T = TypeVar("T")

_PROXY: Final = re.compile(r"(?<![\w-])proxy:(?=[a-z]+:)")
_ON_SERVERS: Final = re.compile(
    r"(?<![\w-])(?:ldap|mysql|pgsql|sqlite|mongodb|memcache|tcp|socketmap|nis|nisplus):[^\s,{}]+"
)
_EMPTY_TABLE: Final = "internal:nothing"
_NO_OPINION: Final = "check_client_access static:DUNNO"
_PLAIN: Final = frozenset(
    {
        *("permit", "reject", "defer", "defer_if_permit", "defer_if_reject", "permit_mynetworks"),
        *("permit_sasl_authenticated", "permit_tls_clientcerts", "permit_tls_all_clientcerts"),
        "permit_inet_interfaces",
        *("check_client_access", "check_reverse_client_hostname_access", "check_helo_access", "check_sender_access"),
        *("check_recipient_access", "check_etrn_access", "check_recipient_maps", "permit_auth_destination"),
        *("reject_invalid_helo_hostname", "reject_invalid_hostname", "reject_non_fqdn_helo_hostname"),
        *("reject_non_fqdn_hostname", "reject_non_fqdn_sender", "reject_non_fqdn_recipient"),
        *("reject_unlisted_sender", "reject_unlisted_recipient", "reject_unauth_destination"),
        *("defer_unauth_destination", "reject_multi_recipient_bounce"),
    }
)
"""The restrictions that need nobody else's answer."""
_PERMITTED: Final = re.compile(r" action=(?P<name>\S+) for .*?(?: from (?P<table>[a-z]+:[^\s;]+))?(?: *;| *$)")
_CLIENT: Final = "mail.stranger.example"
_MOST_KEYS: Final = 200
_MOST_READ: Final = 50_000
"""Entries of a table that are looked through; a large one would take long."""


def without_servers(snapshot: Snapshot) -> Snapshot:
    """Return *snapshot* with its tables asked directly, an empty one for each that a server has, and lists to match.

    Raises ConfigError.
    """
    changed = {"smtpd_log_access_permit_actions": "static:all", "smtpd_peername_lookup": "no"}
    if snapshot.raw("local_recipient_maps") is None:
        changed["local_recipient_maps"] = "unix:passwd.byname $alias_maps"
    for name in snapshot.names:
        value = snapshot.raw(name) or ""
        direct = _ON_SERVERS.sub(_EMPTY_TABLE, _PROXY.sub("", value))
        if direct != value:
            changed[name] = direct
    asked = snapshot.with_overrides(list(changed.items()))
    return asked.with_overrides([(name, _answerable(value)) for name, value in lists(asked)])


def now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run what never waits.  Raises LookupFailed where something would have to."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    coroutine.close()
    raise LookupFailed(Reject(451, "4.3.0", "Temporary lookup failure", "resource"))


def _answerable(value: str) -> str:
    """Return a restriction list with what needs somebody else's answer replaced by what has no opinion."""
    return ", ".join(_NO_OPINION if _needs_others(item) else item.whole for item in items(value))


def _needs_others(item: Item) -> bool:
    return item.name.lower() in KNOWN and item.name.lower() not in _PLAIN


class _Policy(AccessPolicy):
    """The restrictions, those that access tables name included."""

    def named_list(self, text: str, home: Stage | None = None) -> CheckList:
        return super().named_list(_answerable(text), home)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way in which a stranger may try."""

    address: str
    helo: str
    sender: str
    recipient: str


class Rehearsal:
    """The access control of one smtpd(8) service.  Raises ConfigError where smtpd would not start."""

    def __init__(self, snapshot: Snapshot, rewriting: Snapshot) -> None:
        """*rewriting*: the values that trivial-rewrite(8) has, who decides about address classes."""
        direct = without_servers(snapshot)
        self.unasked: Final = tuple(
            dict.fromkeys(
                " ".join(filter(None, (item.name, item.argument)))
                for _, value in lists(snapshot)
                for item in items(value)
                if _needs_others(item)
            )
        )
        """The restrictions that only others could answer, and which have no opinion here."""
        self.settings = SmtpdSettings(direct)
        self.policy = _Policy(direct, self.settings, DirectResolver(without_servers(rewriting)))
        policy = self.policy
        self._lists = (
            policy.client, policy.helo, policy.sender, policy.relay, policy.recipient, policy.data, policy.end_of_data
        )  # fmt: skip

    def reply(self, attempt: Attempt) -> tuple[Reject | None, str]:
        """Return the refusal, None when the message would be taken, and what permitted it: a table, else a restriction.

        A message that is taken and thrown away counts as refused.
        """
        lines: list[str] = []
        before = log.keep_apart(lines)
        try:
            refusal = now(self._session(attempt))
        except LookupFailed as failed:
            refusal = failed.reject
        finally:
            log.keep_apart(before)
        permits = [match for line in lines if ": permit: RCPT from " in line and (match := _PERMITTED.search(line))]
        by = [match["table"] or "" for match in permits if match["table"]] or [match["name"] for match in permits[-1:]]
        return refusal, by[-1] if by else ""

    def destination(self, attempt: Attempt) -> ResolveReply | None:
        """Return where the mail would go, None when that can't be found out."""
        before = log.keep_apart([])
        try:
            return now(self.policy.resolver.resolve(attempt.sender, attempt.recipient))
        except LookupFailed:
            return None
        finally:
            log.keep_apart(before)

    async def _session(self, attempt: Attempt) -> Reject | None:
        family = 10 if ":" in attempt.address else 2
        client = Client(_CLIENT, attempt.address, "2525", reverse_name=_CLIENT, family=family)
        transaction = Transaction(self.policy, client)
        at_once = not self.settings.smtpd_delay_reject
        if at_once and (refusal := await judge_client(transaction)) is not None:
            return refusal
        transaction.helo_name, transaction.protocol, transaction.where = attempt.helo, "ESMTP", "EHLO"
        if at_once and (refusal := await judge_helo(transaction)) is not None:
            return refusal
        transaction.sender, transaction.where = attempt.sender, "MAIL"
        if at_once and (refusal := await judge_sender(transaction)) is not None:
            return refusal
        transaction.recipient, transaction.where = attempt.recipient, "RCPT"
        if (refusal := await judge_recipient(transaction)) is not None:
            return refusal
        transaction.accepted, transaction.where = 1, "DATA"
        if (refusal := await judge_data(transaction)) is not None:
            return refusal
        transaction.where = "END-OF-MESSAGE"
        if (refusal := await judge_end_of_data(transaction)) is not None:
            return refusal
        return Reject(550, "5.7.1", "discarded") if transaction.discard else None

    def permitted_keys(self, name: str) -> Iterator[str]:
        """Yield the keys that a table of the restriction *name* permits, where the table can be read through.

        A stranger can know or guess them: what a list permits by sender or HELO name is not protected at all.
        """
        count = 0
        for checks in self._lists:
            for check in _deep(checks):
                table = check.table
                if check.name.lower() != name or not isinstance(table, Table) or not hasattr(table, "items"):
                    continue
                try:
                    for key, value in islice(table.items(), _MOST_READ):
                        if _permits(value):
                            count += 1
                            yield key
                        if count >= _MOST_KEYS:
                            return
                except TableError:
                    continue


def _deep(checks: CheckList) -> Iterator[Check]:
    for check in checks:
        if isinstance(check.table, tuple):
            yield from _deep(check.table)
        else:
            yield check


def _permits(value: str) -> bool:
    word = value.strip().partition(" ")[0].upper()
    return word in ("OK", "RELAY", "PERMIT") or (word.isascii() and value.strip().isdigit())
