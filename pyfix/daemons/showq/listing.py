"""One message of the queue as showq(8) reports it: its attributes, then those of each recipient."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from pyfix.formats.address import internal_to_external
from pyfix.formats.attributes import encode_pairs
from pyfix.formats.records import RECIPIENT, SENDER, TIME, RecordError, read_records
from pyfix.queue.bouncelog import LogEntry, LogNotOpened, load_log
from pyfix.queue.envelope import Envelope
from pyfix.queue.message import Message, MessageDamaged
from pyfix.queue.spool import ACTIVE, BOUNCE, DEFER, DEFERRED, EXPIRE_BIT, HOLD, INCOMING, MAILDROP, Spool
from pyfix.runtime.log import log

QUEUES: Final = (MAILDROP, ACTIVE, INCOMING, DEFERRED, HOLD)
"""The queues that are listed, in the order of the listing."""

_COMPLETE: Final = 0o100
"""The owner's execute bit: the file is not being written any more."""
_MOST_DIGITS: Final = 18


class ListedRecipient(NamedTuple):
    """A recipient and why it was not delivered yet."""

    original_recipient: str
    recipient: str
    log_class: str
    """Which log the reason is from: defer, bounce, or empty."""
    reason: str


class ListedMessage(NamedTuple):
    """A queued message."""

    queue: str
    queue_id: str
    arrival: int
    size: int
    forced_expire: bool
    sender: str
    recipients: list[ListedRecipient]

    def encode(self, *, for_37: bool = False) -> bytes:
        """Return the attribute list of this message; *for_37*: as Postfix 3.7 has it, with less of each recipient."""
        pairs = [
            ("queue_name", self.queue),
            ("queue_id", self.queue_id),
            ("time", str(self.arrival)),
            ("size", str(self.size)),
            ("forced_expire", str(int(self.forced_expire))),
            ("sender", self.sender),
        ]
        for recipient in self.recipients:
            if for_37:
                pairs += [("recipient", recipient.recipient), ("reason", recipient.reason)]
            else:
                pairs += zip(("original_recipient", "recipient", "log_class", "reason"), recipient, strict=True)
        return encode_pairs(pairs)


def queue_files(spool: Spool, queue: str) -> Iterator[tuple[str, str]]:
    """Yield queue id and path of each file of a queue, hashed folders included."""
    folders = [(spool.folder(queue), spool.depth if spool.is_hashed(queue) else 0)]
    while folders:
        folder, depth = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            if depth and len(entry.name) == 1:
                folders.append((entry.path, depth - 1))
            elif entry.is_file(follow_symlinks=False):
                yield entry.name, entry.path


def list_message(
    spool: Spool, queue: str, queue_id: str, path: str, *, null_sender: str, most_recipients: int
) -> ListedMessage | None:
    """Describe one queue file; None when it is gone, being written or damaged.

    *null_sender* is postconf(5) empty_address_recipient; *most_recipients* bounds the memory that
    is used for telling recipients apart (duplicate_filter_limit).
    """
    try:
        status = os.stat(path)
        if queue != MAILDROP and not status.st_mode & _COMPLETE:
            return None
        with Message(path, lock=None, read_only=True) as message:
            return _describe(spool, queue, queue_id, message, status, null_sender, most_recipients)
    except (OSError, MessageDamaged, RecordError):
        return None


def _describe(
    spool: Spool,
    queue: str,
    queue_id: str,
    message: Message,
    status: os.stat_result,
    null_sender: str,
    most_recipients: int,
) -> ListedMessage:
    recipients: list[ListedRecipient] = []
    if queue == MAILDROP:
        size = status.st_size
        arrival, sender, waiting = _read_maildrop(message.read(0, size))
    else:
        envelope = Envelope(message)
        envelope.read()
        size = message.sizes.segment
        arrival, sender = int(envelope.arrival_time), envelope.sender or ""
        waiting = [(one.original_recipient or one.recipient, one.recipient) for one in envelope.recipients]
    logged: set[str] = set()
    for service in (DEFER, BOUNCE):
        try:
            known = load_log(spool, service, queue_id)
        except LogNotOpened:
            continue
        for fault in known.faults:
            log.warning(fault)
        recipients += _logged(known.entries, service, logged, most_recipients)
    waiting = [pair for pair in waiting if pair[1].casefold() not in logged]
    for original, recipient in waiting:
        recipients.append(ListedRecipient(internal_to_external(original), internal_to_external(recipient), "", ""))
    shown_sender = internal_to_external(sender) if sender else null_sender
    expire = bool(status.st_mode & EXPIRE_BIT)
    return ListedMessage(queue, queue_id, arrival or int(status.st_mtime), size, expire, shown_sender, recipients)


def _read_maildrop(data: bytes) -> tuple[int, str, list[tuple[str, str]]]:
    """Return arrival time, sender and recipients of a file that pickup(8) has not taken yet."""
    arrival, sender = 0, ""
    recipients = []
    for record in read_records(data):
        if record.kind == SENDER:
            sender = record.data.decode("utf-8", "surrogateescape")
        elif record.kind == TIME:
            seconds = record.data.partition(b" ")[0][:_MOST_DIGITS]
            arrival = int(seconds) if seconds.isdigit() else 0
        elif record.kind == RECIPIENT:
            recipient = record.data.decode("utf-8", "surrogateescape")
            recipients.append((recipient, recipient))
    return arrival, sender, recipients


def _logged(
    entries: Iterable[LogEntry], service: str, logged: set[str], most_recipients: int
) -> Iterator[ListedRecipient]:
    for entry in entries:
        if len(logged) < most_recipients:
            logged.add(_plain(entry.recipient).casefold())
        yield ListedRecipient(entry.original_recipient, entry.recipient, service, entry.reason)


def _plain(quoted: str) -> str:
    from pyfix.formats.address import external_to_internal

    if quoted == "<>":
        return ""
    return external_to_internal(quoted) if '"' in quoted else quoted


def list_queue(spool: Spool, *, null_sender: str, most_recipients: int) -> Iterator[ListedMessage]:
    """Yield every message of the queue."""
    for queue in QUEUES:
        for queue_id, path in queue_files(spool, queue):
            message = list_message(
                spool, queue, queue_id, path, null_sender=null_sender, most_recipients=most_recipients
            )
            if message is not None:
                yield message
