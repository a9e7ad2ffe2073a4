from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.smtp.client_reply import Reply, ReplyReader


def replies(data: bytes, limit: int = 2048, step: int = 0) -> tuple[list[Reply], list[str]]:
    """Return all replies in *data*, which comes in pieces of *step* bytes, and the warnings."""
    warnings: list[str] = []
    reader = ReplyReader(limit, warnings.append)
    found = []
    for start in range(0, len(data), step or len(data) or 1):
        reader.feed(data[start : start + (step or len(data))])
        while (reply := reader.next()) is not None:
            found.append(reply)
    return found, warnings


def test_codes_and_statuses() -> None:
    cases = {
        b"250 2.1.5 Ok\r\n": Reply(250, "2.1.5", "250 2.1.5 Ok"),
        b"250 Ok\n": Reply(250, "2.0.0", "250 Ok"),
        b"550\r\n": Reply(550, "5.0.0", "550"),
        b"550 4.1.1 no\r\n": Reply(550, "5.0.0", "550 4.1.1 no"),
        b"354 3.0.0 go on\r\n": Reply(354, "5.5.0", "354 3.0.0 go on"),
        b"450-one\r\n450 4.2.2 two\r\n": Reply(450, "4.2.2", "450-one\n450 4.2.2 two"),
        b"550 caf\xe9\r\n": Reply(550, "5.0.0", "550 caf\udce9"),
    }
    for data, reply in cases.items():
        assert replies(data) == ([reply], []), data
        assert replies(data, step=1) == ([reply], []), data
    assert cases[b"450-one\r\n450 4.2.2 two\r\n"].line == "450-one 450 4.2.2 two"


def test_what_is_no_reply_is_left_out() -> None:
    garbage: list[str] = []
    reader = ReplyReader(2048, garbage.append)
    reader.garbage = garbage.append
    reader.feed(b"hello\r\n25 x\r\n250x\r\n\r\n250 ok\r\n")
    assert reader.next() == Reply(250, "2.0.0", "250 ok")
    assert garbage == ["hello", "25 x", "250x", ""]


def test_long_lines_are_cut() -> None:
    found, warnings = replies(b"550 " + 100 * b"x" + b"\r\n250 ok\r\n", limit=20)
    assert [reply.text for reply in found] == ["550 " + 16 * "x", "250 ok"]
    assert warnings == ["response longer than 20: 550 " + 26 * "x" + "..."]
    assert replies(b"550 " + 100 * b"x" + b"\r\n250 ok\r\n", limit=20, step=7)[0] == found


def test_many_lines_are_cut() -> None:
    found, warnings = replies(b"550-5.1.1 no\r\n" * 100 + b"550 5.1.1 end\r\n250 ok\r\n", limit=40)
    assert [reply.text.count("\n") for reply in found] == [3, 0]
    assert found[0].status == "5.1.1"
    assert warnings == ["multi-line response longer than 40 550-5.1.1 no..."]


def test_a_filter_sees_each_line() -> None:
    reader = ReplyReader(2048, print)
    reader.replace = lambda line: "450 4.7.1 later" if line.startswith("550") else line
    reader.feed(b"250-a\r\n550 no\r\n")
    assert reader.next() == Reply(450, "4.7.1", "250-a\n450 4.7.1 later")


@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes_in_any_pieces(data: bytes, step: int) -> None:
    whole, _ = replies(data)
    pieces, _ = replies(data, step=step)
    assert pieces == whole
    assert all(0 <= reply.code <= 999 and reply.status for reply in whole)
