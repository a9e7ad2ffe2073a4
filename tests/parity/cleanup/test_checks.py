"""What header_checks and body_checks ask for, in each place: both cleanups do the same."""

from __future__ import annotations

import pytest

from tests.parity.milter.test_header_checks import ACTIONS as MILTER_ACTIONS

from .side import CompareAll, Submission, lines, record
from .test_by_hand import E, M, R, T, X

pytestmark = pytest.mark.reference

ACTIONS = [
    "REJECT", "REJECT no", "REJECT 5.6.1 x y", "REJECT 4.2.1 z", "REJECT 2.1.1 z", "REJECT 5.7", "WARN", "WARN text", "INFO", "INFO a b", "HOLD",
    "HOLD why", "DISCARD", "DISCARD t", "FILTER smtp:x", "FILTER x", "FILTER", "FILTER a:b c", "REDIRECT a@b", "REDIRECT ab", "REDIRECT", "BCC a@b",
    "BCC ab", "BCC a@b, c@d", "PREPEND X-P: q", "PREPEND bad", "PREPEND", "PREPEND \u00e9: x", "PREPEND X: \u00e9", "REPLACE X-R: q", "REPLACE bad",
    "REPLACE", "REPLACE To: a b@c, D <e>", "REPLACE Bcc: a@b", "REPLACE Subject:", "REPLACE X: " + "y" * 300, "IGNORE", "IGNORE x", "DUNNO",
    "DUNNO x", "OK", "STRIP", "STRIP t", "PASS", "PASS t", "DELAY", "DELAY 1h", "reject lower", "Unknown x", "554 foo", "4xx", "", "ACCEPT",
]  # fmt: skip


DOCUMENTED = {
    "BCC", "DISCARD", "DUNNO", "FILTER", "HOLD", "IGNORE", "INFO", "PASS", "PREPEND", "REDIRECT", "REJECT", "REPLACE", "STRIP", "WARN",
}  # fmt: skip
"""All actions of header_checks(5); tests/parity/smtp/test_content.py asks for ACTIONS, too."""


def test_no_action_is_left_out() -> None:
    for actions in (ACTIONS, MILTER_ACTIONS):
        assert {action.partition(" ")[0] for action in actions} >= DOCUMENTED


def _table(pattern: str, end: str = "") -> str:
    return "".join(f"/^{pattern % number}$/ {action}\n" for number, action in enumerate(ACTIONS)) + end


FILES = {
    "header": _table("Subject: h%d") + _table("To: h%d@x") + "/^X-Two: (.*)/ WARN $1\n",
    "mime": _table("X-M: h%d"),
    "nested": _table("X-N: h%d"),
    "body": _table("b%d"),
}
CHECKS = {
    "header_checks": "regexp:{dir}/etc/header", "mime_header_checks": "regexp:{dir}/etc/mime", "nested_header_checks": "regexp:{dir}/etc/nested",
    "body_checks": "regexp:{dir}/etc/body", "always_add_missing_headers": "yes",
}  # fmt: skip
LOOKED_AT = 2 | 4 | 16 | 32
CLIENT = record("A", "log_message_origin=cl[1.2.3.4]") + record("A", "log_protocol_name=ESMTP") + record("A", "log_helo_name=he lo")
PARTS = (b"MIME-Version: 1.0", b"Content-Type: multipart/mixed; boundary=q")
INSIDE = (b"--q", b"Content-Type: message/rfc822", b"")


def message(head: tuple[bytes, ...], body: tuple[bytes, ...], flags: int = LOOKED_AT, *, envelope: bytes = b"", sender: str = "s@x.example") -> Submission:
    text = lines(b"Received: x", b"Message-Id: <z>", *head, b"", *body)
    return Submission(T + envelope + record("S", sender) + R + M + text + X + E, flags)


def messages() -> dict[str, Submission]:
    """Return messages in which each action is asked for, in each kind of place."""
    made = {}
    for number, action in enumerate(ACTIONS):
        subject, line, other = b"Subject: h%d" % number, b"b%d" % number, (number * 7 + 3) % len(ACTIONS)
        made[f"{action}: header"] = message((subject, b"X-Two: x"), (b"b",))
        made[f"{action}: header, of pickup"] = message((subject, b"X-Two: x"), (b"b",), LOOKED_AT | 1)
        made[f"{action}: header with addresses"] = message((b"To: h%d@x" % number, b"X-Two: x"), (b"b",))
        made[f"{action}: body"] = message((b"X-Two: x",), (b"a", line, b"c"))
        made[f"{action}: not looked at"] = message((subject,), (line,), LOOKED_AT & ~2)
        part = (b"--q", b"X-M: h%d" % number, b"", b"x", line, *INSIDE, b"X-N: h%d" % number, subject, b"", b"t", b"--q--")
        made[f"{action}: parts"] = message(PARTS, part)
        made[f"{action}: two"] = message((subject, b"Subject: h%d" % other), (line, b"b%d" % other))
        made[f"{action}: of a client"] = message((subject,), (line,), envelope=CLIENT, sender="")
    return made


def test_actions(compare_all: CompareAll) -> None:
    compare_all(messages(), main=CHECKS, files=FILES)


@pytest.mark.parametrize("name", ["header_checks", "body_checks"])
def test_tables_that_fail(compare_all: CompareAll, name: str) -> None:
    compare_all(dict(list(messages().items())[:16]), main=CHECKS | {name: "fail:x"}, files=FILES)


def test_tables_that_wait(compare_all: CompareAll) -> None:
    """Tables of another process, for whose answers cleanup waits, ask for the same in the same order."""
    main = {name: value.replace("regexp:", "proxy:regexp:") for name, value in CHECKS.items()}
    compare_all(dict(list(messages().items())[::3]), main=main, files=FILES)


@pytest.mark.parametrize("name", ["header_checks", "body_checks"])
def test_tables_that_wait_and_fail(compare_all: CompareAll, name: str) -> None:
    compare_all(dict(list(messages().items())[:16]), main=CHECKS | {name: "proxy:fail:x"}, files=FILES)


def test_some_tables_wait(compare_all: CompareAll) -> None:
    """Bodies that no table looks at are copied in large pieces, also where headers of their parts wait."""
    main = {name: value.replace("regexp:", "proxy:regexp:") for name, value in CHECKS.items() if name != "body_checks"}
    compare_all(dict(list(messages().items())[::5]) | converted(), main=main | {"strict_8bitmime_body": "yes", "strict_7bit_headers": "yes"}, files=FILES)


def converted() -> dict[str, Submission]:
    """Return messages in which something is wrong beside what the tables find."""
    made = {}
    for number in (0, 5, 9, 23):
        bad = (b"--q", b"X-M: h%d" % number, b"X: \xe9", b"", b"\xe9", b"--q", b"X-M: h%d" % number, b"", b"y", b"--q--")
        made[f"{number}: 8 bits"] = message((*PARTS, b"Subject: h%d" % number), bad)
        made[f"{number}: 8 bits in the header"] = message((b"Subject: h%d" % number, b"X: \xe9", *PARTS), bad)
        made[f"{number}: no end of header"] = message((b"Subject: h%d" % number, b"no header"), (b"b%d" % number,))
    return made
