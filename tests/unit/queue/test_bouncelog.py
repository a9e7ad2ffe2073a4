from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pyfix.queue.bouncelog import (
    LogEntry,
    append_entry,
    encode_entry,
    load_entries,
    read_entries,
    remove_log,
)
from pyfix.queue.spool import Spool

FULL = LogEntry(
    "a@x.example", "b@x.example", 123, "rfc822;c@x.example", 3, "5.1.1", "failed", "smtp", "550 no", "dns", "mx.x.example",
    "host said: no",
)  # fmt: skip


def encoded(entry: LogEntry, *, old: bool = False) -> bytes:
    return encode_entry(entry, entry.recipient, entry.original_recipient, with_old_line=old)


def test_an_entry_as_it_stands_in_the_file() -> None:
    assert encoded(FULL, old=True).decode() == (
        "\n<a@x.example>: host said: no\nrecipient=a@x.example\noriginal_recipient=b@x.example\noffset=123\n"
        "dsn_orig_rcpt=rfc822;c@x.example\nnotify_flags=3\nstatus=5.1.1\naction=failed\ndiag_type=smtp\n"
        "diag_text=550 no\nmta_type=dns\nmta_mname=mx.x.example\nreason=host said: no\n\n"
    )


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    "entry",
    [FULL, LogEntry("a@x"), LogEntry(""), LogEntry("\u00e4@x", reason="\u00df"), replace(FULL, original_recipient="")],
)
def test_what_is_written_is_read(entry: LogEntry, old: bool) -> None:
    assert list(read_entries(encoded(entry, old=old) * 2)) == [entry, entry]


def test_an_original_recipient_that_differs_in_case_only_is_not_written() -> None:
    assert b"original_recipient" not in encoded(LogEntry("a@x", "A@X"))


def test_line_ends_cannot_make_attributes() -> None:
    [entry] = read_entries(encoded(LogEntry("a@x", reason="one\nrecipient=b@x\r\n\nstatus=2.0.0")))
    assert entry.recipient == "a@x" and entry.status == ""


def test_old_entries_and_rubbish() -> None:
    data = b"\n<a@x>: gone\n\nrubbish\n\nrecipient=b@x\noffset=x\nnotify_flags=-1\nreason=r\n\n=\n\n"
    assert list(read_entries(data)) == [LogEntry("a@x", reason="gone"), LogEntry("b@x", reason="r")]


def test_file(tmp_path: Path) -> None:
    spool = Spool({"bounce"}, 1, str(tmp_path))
    assert load_entries(spool, "bounce", "ABCDEF1") == []
    append_entry(spool, "bounce", "ABCDEF1", encoded(FULL))
    append_entry(spool, "bounce", "ABCDEF1", encoded(LogEntry("b@x", reason="r")))
    assert load_entries(spool, "bounce", "ABCDEF1") == [FULL, LogEntry("b@x", reason="r")]
    assert Path(spool.path("bounce", "ABCDEF1")).stat().st_mode & 0o777 == 0o600
    remove_log(spool, "bounce", "ABCDEF1")
    remove_log(spool, "bounce", "ABCDEF1")
    assert load_entries(spool, "bounce", "ABCDEF1") == []


def test_a_log_that_cannot_be_written_is_cut_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool((), 1, str(tmp_path))
    (tmp_path / "bounce").mkdir()
    append_entry(spool, "bounce", "ABC", encoded(FULL))

    def fail(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        append_entry(spool, "bounce", "ABC", encoded(FULL))
    assert load_entries(spool, "bounce", "ABC") == [FULL]


def test_what_would_break_a_line_is_a_question_mark() -> None:
    entry = LogEntry("a@x", diagnostic_type="smtp", diagnostic_text="a\nb", reason="one\rtwo\x01\udcff")
    assert b"diag_text=a?b\nreason=one?two??\n" in encoded(entry)
