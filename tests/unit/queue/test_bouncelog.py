from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pyfix.queue.bouncelog import (
    LogEntry,
    LogNotOpened,
    append_entry,
    encode_entry,
    load_entries,
    load_log,
    read_entries,
    read_log,
    remove_log,
)
from pyfix.queue.spool import Spool

FULL = LogEntry(
    "a@x.example", "b@x.example", 123, "rfc822;c@x.example", 12, "5.1.1", "failed", "smtp", "550 no", "dns", "mx.x.example",
    "host said: no",
)  # fmt: skip


def encoded(entry: LogEntry, *, old: bool = False) -> bytes:
    return encode_entry(entry, entry.recipient, entry.original_recipient, with_old_line=old)


def test_an_entry_as_it_stands_in_the_file() -> None:
    assert encoded(FULL, old=True).decode() == (
        "\n<a@x.example>: host said: no\nrecipient=a@x.example\noriginal_recipient=b@x.example\noffset=123\n"
        "dsn_orig_rcpt=rfc822;c@x.example\nnotify_flags=12\nstatus=5.1.1\naction=failed\ndiag_type=smtp\n"
        "diag_text=550 no\nmta_type=dns\nmta_mname=mx.x.example\nreason=host said: no\n\n"
    )


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    "entry",
    [FULL, LogEntry("a@x", reason="r"), LogEntry("<>", reason="r"), LogEntry("\u00e4@x", reason="\u00df"), replace(FULL, original_recipient="")],
)
def test_what_is_written_is_read(entry: LogEntry, old: bool) -> None:
    assert list(read_entries(encoded(entry, old=old) * 2)) == [entry, entry]


def test_an_original_recipient_that_differs_in_case_only_is_not_written() -> None:
    assert b"original_recipient" not in encoded(LogEntry("a@x", "A@X"))


def test_line_ends_cannot_make_attributes() -> None:
    [entry] = read_entries(encoded(LogEntry("a@x", reason="one\nrecipient=b@x\r\n\nstatus=2.0.0")))
    assert entry.recipient == "a@x" and entry.status == ""


def test_old_entries_and_rubbish() -> None:
    data = b"\n<a@x>: gone\n\nrubbish\n\nrecipient=b@x\noffset=x\nnotify_flags=-1\nreason=r\n\n=\nfoo=1\n\nrecipient=\n\n"
    nobody = LogEntry("(recipient address unavailable)", reason="(description unavailable)")
    assert list(read_log(data)) == [
        LogEntry("a@x", reason="gone"),
        "malformed record: missing '=' after attribute name",
        nobody,
        LogEntry("b@x", reason="r"),
        "malformed record: =...",
        "unknown attribute name: foo, ignored",
        nobody,
        replace(nobody, recipient="(MAILER-DAEMON)"),
    ]


@pytest.mark.parametrize("cut", range(1, 12))
def test_an_entry_that_a_crash_has_cut_is_none(cut: int) -> None:
    whole = encoded(LogEntry("a@x", reason="r"))
    assert list(read_entries(whole + whole[:-cut])) == [LogEntry("a@x", reason="r")]


@pytest.mark.parametrize(
    ("text", "found"), [("1", 1), ("12", 12), ("14", 14), ("3", 0), ("16", 0), ("4294967297", 0), (" 8", 8), ("4x", 4), ("x", 0)]
)
def test_events_that_there_are(text: str, found: int) -> None:
    """RFC 3461 section 4.1: NEVER is never together with another."""
    [entry] = read_entries(f"recipient=a@x\nnotify_flags={text}\n\n".encode())
    assert entry.notify == found


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


def test_a_log_that_cannot_be_opened(tmp_path: Path) -> None:
    spool = Spool((), 1, str(tmp_path))
    (tmp_path / "bounce").mkdir()
    (tmp_path / "bounce/ABC").symlink_to("ABC")
    (tmp_path / "bounce/ABD").symlink_to("nowhere")
    for queue_id in ("ABC", "ABD"):
        with pytest.raises(LogNotOpened):
            append_entry(spool, "bounce", queue_id, encoded(FULL))
    with pytest.raises(LogNotOpened):
        load_log(spool, "bounce", "ABC")
    assert not load_log(spool, "bounce", "ABE").exists
    (tmp_path / "bounce/nowhere").touch()
    append_entry(spool, "bounce", "ABD", encoded(FULL))
    assert load_log(spool, "bounce", "ABD").entries == [FULL]


def test_warnings_tell_of_the_log(tmp_path: Path) -> None:
    spool = Spool((), 1, str(tmp_path))
    (tmp_path / "bounce").mkdir()
    (tmp_path / "bounce/ABC").write_text("foo=bar\n")
    known = load_log(spool, "bounce", "ABC")
    assert known.exists and not known.entries
    assert known.faults == [f"{tmp_path}/bounce/ABC: unknown attribute name: foo, ignored"]


def test_what_would_break_a_line_is_a_question_mark() -> None:
    entry = LogEntry("a@x", diagnostic_type="smtp", diagnostic_text="a\nb", reason="one\rtwo\x01\udcff")
    assert b"diag_text=a?b\nreason=one?two??\n" in encoded(entry)
