"""What the right-hand sides of access(5) tables order.

Source: access(5), "ACCEPT ACTIONS", "REJECT ACTIONS", "OTHER ACTIONS".
"""

from __future__ import annotations

import re
from typing import Final

from pyfix.access.evaluate import MISCONFIGURED, ask_instead
from pyfix.access.fitting_status import fitting_status
from pyfix.access.stage import Stage
from pyfix.access.transaction import Transaction
from pyfix.access.verdict import DUNNO, PERMIT, DeferIfPermit, DeferIfReject, Reject, Verdict
from pyfix.formats.status import split_status
from pyfix.runtime.log import log

__all__ = ["act"]

_CODE: Final = re.compile(r"[45][0-9][0-9](?=[ \t])")
_BLANKS: Final = re.compile(r"[ \t]+")
_HEADER: Final = re.compile(r"[!-9;-~]+[ \t]*:")
_FOR_QUEUE_FILES: Final = ("HOLD", "DISCARD", "FILTER", "REDIRECT", "BCC")
_FOR_MESSAGES: Final = (*_FOR_QUEUE_FILES, "PREPEND")
_LEAVING: Final = (421, 521)


def _is_too_early(transaction: Transaction, action: str) -> bool:
    """Say whether there is no message yet that an action could be for."""
    if transaction.sender is not None:
        return False
    return not transaction.policy.settings.smtpd_delay_reject or (action == "PREPEND" and transaction.where == "ETRN")


async def act(transaction: Transaction, stage: Stage, table: str, key: str, value: str, subject: str) -> Verdict:
    """Do what *value* says.

    *table* and *key*: where it was found, for warnings.  *subject*: what is judged, as the client gave it.
    """
    policy = transaction.policy
    settings = policy.settings
    word, *rest = _BLANKS.split(value, maxsplit=1)
    text = rest[0] if rest else ""  # blanks at its end are part of it; only policy services send some

    def refused(code: int, status: str, default: str, explanation: str = text) -> Reject:
        status, reason = split_status(explanation, status)
        status = fitting_status(f"{code // 100}{status[1:]}", stage)
        return Reject(code, status, f"<{subject}>: {stage.label} rejected: {reason or default}")

    def ordered(action: str) -> str:
        return f"<{subject}>: {stage.label} {text or f'triggers {action} action'}"

    match word.upper():
        case action if action in _FOR_QUEUE_FILES and policy.has_filter_before_queue:
            log.warning(f"access table {table}: with smtpd_proxy_filter specified, action {action} is unavailable")
            return DUNNO
        case action if action in _FOR_QUEUE_FILES and transaction.where == "ETRN":
            log.warning(f"access table {table}: action {action} is unavailable in smtpd_etrn_restrictions")
            return DUNNO
        case action if action in _FOR_MESSAGES and _is_too_early(transaction, action):
            log.warning(
                f"access table {table}: with smtpd_delay_reject=no, "
                f"action {action} is always skipped in Client host or Helo command restrictions"
            )
            return DUNNO
        case "OK" | "RELAY":
            if policy.logs_permits:
                await policy.log_permit(transaction, stage, word, subject, f"from {table}")
            return PERMIT
        case "DUNNO":
            return DUNNO
        case "REJECT":
            return refused(settings.access_map_reject_code, "5.7.1", "Access denied")
        case "DEFER":
            return refused(settings.access_map_defer_code, "4.7.1", "Access denied")
        case "DEFER_IF_PERMIT":
            return DeferIfPermit(refused(settings.access_map_defer_code, "4.7.1", "Service unavailable"))
        case "DEFER_IF_REJECT":
            return DeferIfReject(refused(settings.access_map_defer_code, "4.7.1", "Service unavailable"))
        case "HANGUP":
            transaction.hangup = True
            transaction.log_action("hangup", "")
            return Reject(421, "4.7.0", "")
        case "WARN" | "INFO":
            transaction.log_action(word.lower(), text)
            return DUNNO
        case "HOLD":
            if not transaction.hold:
                transaction.log_action("hold", ordered("HOLD"))
            transaction.hold = True
            return DUNNO
        case "DISCARD":
            transaction.log_action("discard", ordered("DISCARD"))
            transaction.discard = True
            if policy.logs_permits:
                await policy.log_permit(transaction, stage, word, subject, f"from {table}")
            return PERMIT
        case "FILTER":
            if not text:
                log.warning(f'access table {table} entry "{key}" has FILTER entry without value')
            elif ":" not in text:
                log.warning(f'access table {table} entry "{key}" requires transport:destination')
            else:
                transaction.log_action("filter", f"<{subject}>: {stage.label} triggers FILTER {text}")
                transaction.filter = text
            return DUNNO
        case "REDIRECT" | "BCC" as action:
            if "@" not in text:
                log.warning(f'access table {table} entry "{key}" requires user@domain target')
                return DUNNO
            transaction.log_action(action.lower(), f"<{subject}>: {stage.label} triggers {action} {text}")
            if action == "REDIRECT":
                transaction.redirect = text
            else:
                transaction.bcc.append(text)
            return DUNNO
        case "PREPEND":
            if transaction.where == "END-OF-MESSAGE":
                log.warning(f"access table {table}: action PREPEND must be used before smtpd_end_of_data_restrictions")
            elif _HEADER.match(text) is None:
                log.warning(f'access table {table} entry "{key}" requires header: text')
            else:
                transaction.prepend.append(text)
            return DUNNO
    if value.isascii() and value.isdigit():
        if policy.logs_permits:
            await policy.log_permit(transaction, stage, value, subject, f"from {table}")
        return PERMIT
    if _CODE.match(value):
        code = int(value[:3])
        if code in _LEAVING:
            transaction.hangup = code == 521 or transaction.hangup
        return refused(code, f"{code // 100}.7.1", "Access denied", value[4:].lstrip(" \t"))
    words = value.replace(",", " ").split()
    if any(":" in name for name in words):
        log.warning(f"access table {table} has entry with lookup table: {value}")
        log.warning("do not specify lookup tables inside SMTPD access maps")
        log.warning("define a restriction class and specify its name instead.")
        return MISCONFIGURED
    return ask_instead(value, stage)
