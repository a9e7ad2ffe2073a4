"""A message without a Received: header, from the start or because of header_checks: when it is refused."""

from __future__ import annotations

import pytest

from .side import CompareAll, Submission, lines
from .test_by_hand import E, M, R, S, T, X

pytestmark = pytest.mark.reference

HEADERS: dict[str, tuple[bytes, ...]] = {
    "none": (), "to be removed": (b"Received: gone",), "to be replaced": (b"Received: other",), "to be stripped": (b"Received: strip",),
    "to be another": (b"Received: name",), "kept": (b"Received: x",), "both": (b"Received: x", b"Received: gone"),
    "made of another": (b"X-Was: x",), "put before": (b"X-Put: x",), "nothing but removed": (b"X-Gone: x",), "removed by body": (b"Subject: x", b"X-Gone: x"),
    "the fiftieth is removed": (b"Received: x",) * 49 + (b"Received: gone",), "the fiftieth is another": (b"Received: x",) * 49 + (b"Received: name",),
    "the fiftieth is replaced": (b"Received: x",) * 49 + (b"Received: other",), "the fiftieth was another": (b"Received: x",) * 49 + (b"X-Was: x",),
    "fifty and one made": (b"Received: gone",) * 50 + (b"X-Was: x",), "fifty and one put": (b"Received: gone",) * 50 + (b"X-Put: x",),
    "fifty, half of them removed": (b"Received: x", b"Received: gone") * 27, "fifty removed": (b"Received: gone",) * 55,
}  # fmt: skip
CHECKS = """
/^Received: gone/ IGNORE
/^Received: other/ REPLACE Received: another
/^Received: strip/ STRIP
/^Received: name/ REPLACE X-Name: y
/^X-Was: / REPLACE Received: was
/^X-Put: / PREPEND Received: put
/^X-Gone: / IGNORE
"""


def messages(flags: int) -> dict[str, Submission]:
    return {name: Submission(T + S + R + M + lines(*headers, b"Message-Id: <z>", b"", b"b") + X + E, flags) for name, headers in HEADERS.items()}


@pytest.mark.parametrize("checks", ["", "regexp:{dir}/etc/header", "proxy:regexp:{dir}/etc/header"])
@pytest.mark.parametrize("flags", [4 | 16 | 32, 2 | 4 | 16 | 32])
def test_received(compare_all: CompareAll, checks: str, flags: int) -> None:
    compare_all(messages(flags), main={"header_checks": checks}, files={"header": CHECKS})


@pytest.mark.parametrize("dropped", ["received", "message-id"])
def test_dropped(compare_all: CompareAll, dropped: str) -> None:
    compare_all(messages(2 | 4 | 16 | 32), main={"header_checks": "regexp:{dir}/etc/header", "message_drop_headers": dropped}, files={"header": CHECKS})
