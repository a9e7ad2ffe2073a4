"""Which headers are copied without a closer look, and what makes the parser look at all of them."""

from __future__ import annotations

import pytest

from pyfix.daemons.cleanup.quickheader import HeaderNames, scan_header

from .conftest import lines, record

LIMITS = (2048, 102400)


def scan(data: bytes, names: HeaderNames | None = None, limits: tuple[int, int] = LIMITS) -> list[tuple[str, bytes]] | None:
    """Return the names and texts of the headers that matter; None when the parser must be asked."""
    found = scan_header(data, 0, HeaderNames(()) if names is None else names, *limits)
    if found is None:
        return None
    specials, titles, end = found
    assert data[end : end + 2] == b"N\0"
    for _known, name, body, start, stop in specials:
        assert data[start:stop].startswith(b"N") and name + b":" + body.partition(b"\n")[0] in data[start:stop]
    matter = [(known.name, body) for known, _name, body, _start, _stop in specials]
    return [*matter, *((title, b"") for title in titles)]


def test_headers_that_matter() -> None:
    text = b"Received: by x\n\tid y\nSubject: hi\nX-Foo: bar\nto: a@b,\n c@d\nMessage-ID: <x@y>\n\nbody\n"
    assert scan(lines(text)) == [
        ("To", b" a@b,\n c@d"), ("Message-Id", b" <x@y>"), ("Received", b""), ("Subject", b""),
    ]  # fmt: skip


def test_headers_that_are_only_noted_may_be_dropped() -> None:
    text = lines(b"Received: x\nSubject: hi\n\n")
    assert scan(text, HeaderNames([b"subject"])) == [("Subject", b" hi"), ("Received", b"")]


def test_hops_that_are_dropped_are_for_the_parser() -> None:
    assert scan(lines(b"Received: x\nSubject: hi\n\n"), HeaderNames([b"received"])) is None


def test_nothing_that_matters() -> None:
    assert scan(lines(b"X-A: x\nX-B: y\n z\n\n")) == []
    assert scan(lines(b"\n")) == []


def test_names_to_drop() -> None:
    found = scan(lines(b"X-Drop: x\nX-Keep: y\n\n"), HeaderNames([b"x-drop"]))
    assert found == [("", b" x")]


@pytest.mark.parametrize(
    "data",
    [
        lines(b"Subject: x\n"),
        b"",
        record("N", b"Subject: x") + record("L", b"To: y") + record("N"),
        record("N", b"Subject: x") + record("X"),
        lines(b" continuation first\n\n"),
        lines(b"no colon here\n\n"),
        lines(b"Subject : x\n\n"),
        lines(b": x\n\n"),
        lines(b"Sub ject: x\n\n"),
        lines(b"Subj\xe9: x\n\n"),
        lines(b"X-A: \xe9\n\n"),
        lines(b"X-A: a\0b\n\n"),
        record("N", b"X-A: a\rb") + record("N"),
        record("N", b"X-A: a\nb") + record("N"),
        lines(b"X-A: " + b"x" * 3000 + b"\n\n"),
        lines(b"Subject: x\n\n")[:5],
    ],
)
def test_what_is_odd_is_left_to_the_parser(data: bytes) -> None:
    assert scan(data) is None


@pytest.mark.parametrize("length", [4, 5, 8, 122, 123, 1280 - 5, 1664 - 5, 2043])
def test_lengths_that_look_like_something_else(length: int) -> None:
    """A length of 10 or 13 is a byte like a line end, and those from 128 on are two bytes of which one is not ASCII."""
    assert scan(lines(b"X-A: " + b"x" * length + b"\n\n")) == []
    assert scan(lines(b"X-A: " + b"x" * length + b"\nX-B: \xe9\n\n")) is None
    assert scan(record("N", b"X-A: " + b"x" * length) + record("N", b"X-B: \r") + record("N")) is None


def test_limits() -> None:
    data = lines(b"X-A: x\nX-B: y\n\n")
    size = len(data) - 2
    assert scan(data, limits=(6, size)) == []
    assert scan(data, limits=(6, size - 1)) is None
    long_line = lines(b"X-A: " + b"x" * 200 + b"\n\n")
    assert scan(long_line, limits=(205, 1000)) == []
    assert scan(long_line, limits=(204, 1000)) is None


def test_names_are_remembered_but_not_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyfix.daemons.cleanup import quickheader

    monkeypatch.setattr(quickheader, "_MOST_NAMES", 2)
    names = HeaderNames(())
    for number in range(5):
        assert names[b"X-%d" % number] is False
    assert len(names) == 2
    assert names[b"bad name"] is True
