"""The kit's own parts that need no mail system."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from tests.kit import services, smtp, spool
from tests.kit.comparison import KnownDifference, differences, group_differences
from tests.kit.normalise import Normaliser
from tests.kit.ports import ReservedPort


@pytest.fixture
def normaliser() -> Normaliser:
    return Normaliser(Path("/tmp/pyfix-abc"), 12150)


def test_queue_ids_are_numbered_in_order_everywhere(normaliser: Normaliser) -> None:
    assert normaliser.text("250 2.0.0 Ok: queued as 5DDF520C118") == "250 2.0.0 Ok: queued as <ID1>"
    assert normaliser.text("250 2.0.0 Ok: queued as 3XyvZ21Hcfz1Nx") == "250 2.0.0 Ok: queued as <ID2>"
    assert normaliser.text("with ESMTP id 5DDF520C118;") == "with ESMTP id <ID1>;"


def test_queue_ids_are_numbered_by_the_programs_that_are_compared(normaliser: Normaliser) -> None:
    """Two cleanup processes log in any order; smtpd's sessions come one after the other."""
    begun = [f"Jan  1 00:00:00 mail postfix/smtpd[1]: {queue_id}: client=x" for queue_id in ("5DDF520C118", "6DDF520C118")]
    ended = [f"Jan  1 00:00:00 mail postfix/cleanup[2]: {queue_id}: message-id=<>" for queue_id in ("6DDF520C118", "5DDF520C118")]
    log = normaliser.log([*begun, *ended], ["smtpd"])
    assert log["postfix/smtpd"] == ["<ID1>: client=x", "<ID2>: client=x"]
    assert log["postfix/cleanup"] == ["<ID2>: message-id=<>", "<ID1>: message-id=<>"]


def test_a_queue_id_of_digits_is_known_by_its_place(normaliser: Normaliser) -> None:
    assert normaliser.text("a 12345678901 b") == "a 12345678901 b"
    assert normaliser.text("queued as 12345678901") == "queued as <ID1>"
    assert normaliser.text("a 12345678901 b") == "a <ID1> b"


def test_a_queue_id_of_digits_is_known_from_the_log(normaliser: Normaliser) -> None:
    normaliser.learn(["Nov 23 02:32:26 mail postfix/qmgr[9680]: 12345678901: removed", "no log line", "87654321: x"])
    assert normaliser.text("warning: 12345678901: undeliverable") == "warning: <ID1>: undeliverable"
    assert normaliser.text("warning: 87654321: undeliverable") == "warning: 87654321: undeliverable"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Date: Mon, 23 Nov 2026 02:32:26 +0000 (UTC)", "Date: <DATE>"),
        ("From a@b.example  Mon Nov 23 02:32:26 2026", "From a@b.example  <CTIME>"),
        ("delay=0.02, delays=0/0.01/0/0, dsn=2.0.0", "delay=<DELAY>, dsn=2.0.0"),
        ("in /tmp/pyfix-abc/spool/active", "in <DIR>/spool/active"),
        ("connect to 127.0.0.1[127.0.0.1]:12150: refused", "connect to 127.0.0.1[127.0.0.1]:<PORT>: refused"),
        ("warning: process smtpd pid 4711 exit status 1", "warning: process smtpd pid <PID> exit status 1"),
        ("<20261123023226.5DDF520C118@mail.ours.example>", "<<STAMP>.<ID1>@mail.ours.example>"),
        ("450 4.2.0 <user@ours.example>: Greylisted", "450 4.2.0 <user@ours.example>: Greylisted"),
    ],
)
def test_tokens(normaliser: Normaliser, text: str, expected: str) -> None:
    assert normaliser.text(text) == expected


def test_log_lines_by_program(normaliser: Normaliser) -> None:
    log = normaliser.log(
        [
            "Nov 23 02:32:26 mail postfix/smtpd[9680]: connect from unknown[127.0.0.1]",
            "Nov 23 02:32:26 mail postfix/cleanup[9683]: 5DDF520C118: message-id=<>",
            "Nov 23 02:32:26 mail postfix/smtpd[9680]: 5DDF520C118: client=unknown[127.0.0.1]",
        ]
    )
    assert log == {
        "postfix/cleanup": ["<ID1>: message-id=<>"],
        "postfix/smtpd": ["connect from unknown[127.0.0.1]", "<ID1>: client=unknown[127.0.0.1]"],
    }


def test_records(tmp_path: Path, normaliser: Normaliser) -> None:
    long_line = b"x" * 200
    (tmp_path / "file").write_bytes(
        b"T\x111795401239 639977A\x16create_time=1795401239N\xc8\x01" + long_line + b"E\x00"
    )
    found = spool.records(tmp_path / "file")
    assert found[2] == spool.Record("N", long_line, 43)
    assert normaliser.records(found) == ["T <SECONDS> <MICROSECONDS>", "A create_time=<N>", "N " + "x" * 200, "E"]


def test_a_cut_record_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"N\x05ab")
    with pytest.raises(ValueError, match="ends within a record"):
        spool.records(tmp_path / "file")


def test_differences_name_both_lines() -> None:
    assert differences("log", ["a", "b"], ["a", "b"]) == []
    (found,) = differences("log", ["a", "b", "c"], ["a", "x", "c"])
    assert "reference: b" in found and "pyfix:     x" in found
    (found,) = differences("log", ["a", "c"], ["a", "b", "c"])
    assert "reference: (no such line)" in found


def test_a_known_difference_is_not_reported_elsewhere() -> None:
    known = [KnownDifference("log", "b", "x", "on purpose"), KnownDifference("log", None, "more .*", "on purpose")]
    assert differences("log", ["b"], ["x", "more text"], known) == []
    assert differences("transcript", ["b"], ["x"], known)
    assert differences("log", ["b"], ["y"], known)
    assert group_differences("log", {"smtpd": ["b"]}, {"cleanup": ["b"]}, known)


def test_dot_stuffing() -> None:
    assert smtp.dot_stuffed(b"a\n.b\n..\n") == b"a\r\n..b\r\n...\r\n.\r\n"
    assert smtp.dot_stuffed(b"a\r\nb") == b"a\r\nb\r\n.\r\n"


def test_ports_are_different() -> None:
    first, second = ReservedPort(), ReservedPort()
    try:
        assert first.number != second.number
    finally:
        first.release()
        second.release()


def test_master_cf_changes() -> None:
    text = services.edited(
        "a unix - - n - - a\nb unix - - n - - b\n", {"b": None, "a": "a unix n - n - - x", "c": "c unix - - n - - c"}
    )
    assert text == "a unix n - n - - x\nc unix - - n - - c\n"


def test_a_reply_before_the_end_of_the_connection_is_seen_after_a_failed_send() -> None:
    def serve(server: socket.socket) -> None:
        served, _ = server.accept()
        with served:
            served.sendall(b"220 x\r\n421 too many\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        with smtp.Dialogue("127.0.0.1", server.getsockname()[1]) as dialogue:
            dialogue.socket.shutdown(socket.SHUT_WR)  # sending fails from now on
            assert dialogue.say(smtp.Raw(b"NOOP\r\n", 2)) == ["421 too many", smtp.CLOSED]
        thread.join()
