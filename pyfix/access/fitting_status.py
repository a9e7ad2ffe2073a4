"""Enhanced status codes that say something about an address are for that address only.

A table that refuses a client with 5.1.1 (bad mailbox) means no mailbox; and what is said of a recipient is said
otherwise of a sender.  Source: RFC 3463 section 3.2; Postfix's replies.
"""

from __future__ import annotations

from typing import Final

from pyfix.access.stage import RECIPIENT, SENDER, Stage
from pyfix.runtime.log import log

__all__ = ["fitting_status"]

_OF_SENDERS: Final = {"0": "0", "1": "7", "2": "8", "3": "7", "4": "7", "6": "7", "7": "7", "8": "8"}
_OF_RECIPIENTS: Final = {"0": "0", "1": "1", "2": "2", "3": "3", "4": "4", "5": "5", "6": "6", "7": "3", "8": "2"}


def fitting_status(status: str, stage: Stage) -> str:
    """Return *status*, or the code of its kind that can be said of what *stage* judges; the log tells of a change."""
    kind, subject, detail = status.split(".")
    if subject != "1":
        return status
    if stage is SENDER:
        found = f"{kind}.1.{_OF_SENDERS.get(detail, '0')}"
    elif stage is RECIPIENT:
        found = f"{kind}.1.{_OF_RECIPIENTS.get(detail, '0')}"
    else:
        found = f"{kind}.0.0"
    if found != status:
        log.info(f"mapping DSN status {status} into {stage.label} status {found}")
    return found
