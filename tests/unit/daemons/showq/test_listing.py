"""Queue files as showq(8) describes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.daemons.showq.listing import ListedMessage, ListedRecipient, list_queue, queue_files
from pyfix.formats import records
from pyfix.formats.attributes import decode_pairs
from pyfix.formats.records import encode_lines, encode_record
from pyfix.queue.bouncelog import LogEntry, encode_entry
from pyfix.queue.spool import Spool
from tests.unit.queue.test_message import build


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    for name in ("maildrop", "incoming", "active", "deferred", "hold", "defer", "bounce"):
        (tmp_path / name).mkdir()
    return Spool(("deferred", "defer"), 1, str(tmp_path))


def put(spool: Spool, queue: str, queue_id: str, *recipients: str, mode: int = 0o700) -> Path:
    path = Path(spool.path(queue, queue_id))
    path.parent.mkdir(exist_ok=True)
    build(path, list(recipients), encode_lines([b"Subject: x", b"", b"hello"]))
    path.chmod(mode)
    return path


def listed(spool: Spool, most: int = 1000) -> list[ListedMessage]:
    return list(list_queue(spool, null_sender="MAILER-DAEMON", most_recipients=most))


def waiting(recipient: str) -> ListedRecipient:
    return ListedRecipient(recipient, recipient, "", "")


def test_each_queue_in_its_turn(spool: Spool) -> None:
    for queue in ("hold", "deferred", "incoming", "active"):
        put(spool, queue, f"A{queue.upper()}", "r@x")
    found = listed(spool)
    assert [(one.queue, one.queue_id) for one in found] == [
        ("active", "AACTIVE"), ("incoming", "AINCOMING"), ("deferred", "ADEFERRED"), ("hold", "AHOLD"),
    ]  # fmt: skip
    assert found[0] == ListedMessage("active", "AACTIVE", 1000, 21, False, "s@x", [waiting("r@x")])


def test_hashed_folders_are_looked_through(spool: Spool) -> None:
    put(spool, "deferred", "ABC123", "r@x")
    assert list(queue_files(spool, "deferred")) == [("ABC123", spool.path("deferred", "ABC123"))]
    assert "/deferred/A/ABC123" in spool.path("deferred", "ABC123")


def test_a_message_that_is_being_written_is_not_shown(spool: Spool) -> None:
    put(spool, "incoming", "ABC123", "r@x", mode=0o600)
    assert listed(spool) == []


@pytest.mark.parametrize("damage", [b"", b"junk", b"C\x10" + b"x" * 16])
def test_damaged_files_are_passed_over(spool: Spool, damage: bytes) -> None:
    put(spool, "active", "ABC123", "r@x").write_bytes(damage)
    put(spool, "active", "ABC124", "r@x")
    assert [one.queue_id for one in listed(spool)] == ["ABC124"]


def test_forced_expiry_shows(spool: Spool) -> None:
    put(spool, "hold", "ABC123", "r@x", mode=0o710)
    assert [one.forced_expire for one in listed(spool)] == [True]


def test_a_posted_message(spool: Spool) -> None:
    """pickup(8) has not looked at it: the size is that of the file, and recipients may be missing."""
    data = encode_record(records.TIME, b"1234 5") + encode_record(records.SENDER, b"me")
    data += encode_record(records.RECIPIENT, b"you@x") + encode_record(records.MESSAGE) + encode_record(records.END)
    path = Path(spool.path("maildrop", "ABC123"))
    path.write_bytes(data)
    path.chmod(0o644)
    assert listed(spool) == [ListedMessage("maildrop", "ABC123", 1234, len(data), False, "me", [waiting("you@x")])]


def test_a_posted_message_without_a_time_has_the_files(spool: Spool) -> None:
    path = Path(spool.path("maildrop", "ABC123"))
    path.write_bytes(encode_record(records.TIME, b"x" * 40) + encode_record(records.SENDER, b""))
    os.utime(path, (777, 777))
    (found,) = listed(spool)
    assert (found.arrival, found.sender, found.recipients) == (777, "MAILER-DAEMON", [])


def logged(spool: Spool, service: str, queue_id: str, recipient: str, reason: str) -> None:
    path = Path(spool.path(service, queue_id))
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        file.write(encode_entry(LogEntry(recipient, reason=reason, offset=5), recipient, recipient, with_old_line=True))


def test_reasons_come_first_and_nobody_is_named_twice(spool: Spool) -> None:
    put(spool, "deferred", "ABC123", "a@x", "B@x", "c@x")
    logged(spool, "defer", "ABC123", "b@X", "busy")
    logged(spool, "bounce", "ABC123", "d@x", "unknown")
    assert listed(spool)[0].recipients == [
        ListedRecipient("", "b@X", "defer", "busy"), ListedRecipient("", "d@x", "bounce", "unknown"),
        waiting("a@x"), waiting("c@x"),
    ]  # fmt: skip


def test_memory_for_telling_recipients_apart_is_bounded(spool: Spool) -> None:
    put(spool, "deferred", "ABC123", "a@x", "b@x")
    logged(spool, "defer", "ABC123", "a@x", "busy")
    logged(spool, "defer", "ABC123", "b@x", "busy")
    shown = [one.recipient for one in listed(spool, most=1)[0].recipients]
    assert shown == ["a@x", "b@x", "b@x"]


def test_addresses_are_quoted_as_in_a_header(spool: Spool) -> None:
    put(spool, "active", "ABC123", "a b@x")
    assert [one.recipient for one in listed(spool)[0].recipients] == ['"a b"@x']


def test_forms_on_the_wire() -> None:
    message = ListedMessage("hold", "ABC", 5, 7, True, "s@x", [ListedRecipient("o@x", "r@x", "defer", "busy")])
    head = [
        ("queue_name", "hold"), ("queue_id", "ABC"), ("time", "5"), ("size", "7"), ("forced_expire", "1"), ("sender", "s@x"),
    ]  # fmt: skip
    assert decode_pairs(message.encode()) == [
        *head, ("original_recipient", "o@x"), ("recipient", "r@x"), ("log_class", "defer"), ("reason", "busy"),
    ]  # fmt: skip
    assert decode_pairs(message.encode(for_37=True)) == [*head, ("recipient", "r@x"), ("reason", "busy")]
