from __future__ import annotations

import pytest

from pyfix.daemons.cleanup import attributes
from pyfix.daemons.cleanup.attributes import PlainAttributes


@pytest.mark.parametrize(
    ("payload", "plain"),
    [
        (b"log_client_name=client.example", (b"log_client_name", b"client.example")),
        (b"helo_name=a b", (b"helo_name", b"a b")),
        (b"sasl_username=x=y", (b"sasl_username", b"x=y")),
        (b"log_client_name=", None),
        (b"log_client_name=x ", None),
        (b"log_client_name= x", None),
        (b"log_client_name =x", None),
        (b"log_client_name=\xc3\xa9", None),
        (b"log_client_name=a\0b", None),
        (b"encoding=8bit", None),
        (b"log_client_name", None),
        (b"helo_name=" + b"x" * 117, (b"helo_name", b"x" * 117)),
        (b"helo_name=" + b"x" * 118, None),
    ],
)
def test_what_needs_no_second_look(payload: bytes, plain: tuple[bytes, bytes] | None) -> None:
    known = PlainAttributes()
    assert known[payload] == plain
    assert known[payload] == plain, "the second time too"


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributes, "_MOST", 3)
    known = PlainAttributes()
    for number in range(10):
        assert known[b"helo_name=%d" % number] == (b"helo_name", b"%d" % number)
        assert len(known) <= 3
