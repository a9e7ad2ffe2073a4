"""header_checks and body_checks; parity is in tests/parity/cleanup."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.formats import status as bits
from pyfix.protocols.internal.cleanup import BCC_OK, FILTER, MAP_OK
from pyfix.tables.table import Table

from .conftest import Outcome, Submit, message, record

TEXT = message(b"From: a@b.example\nSubject: win money\nMessage-Id: <x@y>\nDate: now\n\nhello\nwin money\n")
Main = Callable[[str], dict[str, str]]
WHERE = "from local; from=<s@client.example> to=<user@ours.example>"


FLAGS = FILTER | MAP_OK | BCC_OK


@pytest.fixture(autouse=True, params=["at once", "waiting"])
def tables(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all tables answer at once, or let cleanup wait for them."""
    if request.param == "waiting":
        monkeypatch.setattr(Table, "local", False)


@pytest.fixture
def checked(submit: Submit) -> Submit:
    """Bring records to cleanup as a client that wants checks."""

    def send(stream: bytes, **settings: str) -> Outcome:
        return submit(stream, flags=FLAGS, **settings)

    return send


def header(action: str) -> dict[str, str]:
    return {"header_checks": "regexp:{{/^Subject: win money/ " + action + "}}"}


def body(action: str) -> dict[str, str]:
    return {"body_checks": "regexp:{{/^win money/ " + action + "}}"}


@pytest.mark.parametrize(("table", "context"), [(header, "header Subject: win money"), (body, "body win money")])
@pytest.mark.parametrize(
    ("action", "status", "reason", "shown"),
    [
        ("REJECT", bits.CONTENT, "5.7.1 message content rejected", "reject"),
        ("REJECT no spam", bits.CONTENT, "5.7.1 no spam", "reject"),
        ("REJECT 4.7.1 later", bits.DEFER, "4.7.1 later", "reject"),
    ],
)
def test_refusals(checked: Submit, table: Main, context: str, action: str, status: int, reason: str, shown: str) -> None:
    outcome = checked(TEXT, **table(action))
    assert (outcome.status, outcome.reason, outcome.queue) == (status, reason, None)
    assert f"ID: {shown}: {context} {WHERE}: {reason}" in outcome.log


def test_a_status_that_is_no_failure(checked: Submit) -> None:
    outcome = checked(TEXT, **header("REJECT 2.0.0 fine"))
    assert (outcome.status, outcome.reason) == (bits.DEFER, "4.0.0 fine")
    assert "warning: bad DSN action in 2.0.0 fine -- need 4.x.x or 5.x.x" in outcome.log


@pytest.mark.parametrize(
    ("action", "line"),
    [
        ("WARN look", f"ID: warning: header Subject: win money {WHERE}: look"),
        ("INFO", f"ID: info: header Subject: win money {WHERE}"),
        ("INFO hm", f"ID: info: header Subject: win money {WHERE}: hm"),
    ],
)
def test_lines_of_the_log(checked: Submit, action: str, line: str) -> None:
    outcome = checked(TEXT, **header(action))
    assert outcome.status == 0 and b"Subject: win money" in outcome.content()
    assert line in outcome.log


@pytest.mark.parametrize(
    ("table", "there", "gone"),
    [
        (header("IGNORE"), [b"hello", b"win money"], [b"Subject: win money"]),
        (header("STRIP why"), [b"hello"], [b"Subject: win money"]),
        (header("REPLACE Subject: [spam]"), [b"Subject: [spam]"], [b"Subject: win money"]),
        (header("PREPEND X-Spam: yes"), [b"X-Spam: yes", b"Subject: win money"], []),
        (body("IGNORE"), [b"Subject: win money", b"hello"], [b"win money"]),
        (body("REPLACE nothing to see"), [b"hello", b"nothing to see"], [b"win money"]),
        (body("PREPEND look:"), [b"look:", b"win money"], []),
        (header("DUNNO"), [b"Subject: win money"], []),
    ],
)
def test_changes(checked: Submit, table: dict[str, str], there: list[bytes], gone: list[bytes]) -> None:
    outcome = checked(TEXT, **table)
    content = outcome.content()
    assert outcome.status == 0
    assert [line for line in there if line not in content] == []
    assert [line for line in gone if line in content] == []
    if len(there) == 2 and not gone:
        assert content.index(there[0]) == content.index(there[1]) - 1


def test_hold_and_discard(checked: Submit) -> None:
    held = checked(TEXT, **header("HOLD why"))
    assert (held.status, held.queue) == (0, "hold")
    assert f"ID: hold: header Subject: win money {WHERE}: why" in held.log
    gone = checked(TEXT, **body("DISCARD why"))
    assert (gone.status, gone.queue, gone.log[-1]) == (0, None, "ID: removed (discarded)")


def test_orders_for_the_rest_of_the_way(checked: Submit) -> None:
    outcome = checked(TEXT, **header("FILTER smtp:[127.0.0.1]:10025"))
    assert ("L", b"smtp:[127.0.0.1]:10025") in outcome.records
    outcome = checked(TEXT, **header("REDIRECT other@x.example"))
    assert (">", b"other@x.example") in outcome.records
    outcome = checked(TEXT, **header("BCC copy@x.example"))
    assert ("R", b"copy@x.example") in outcome.records


@pytest.mark.parametrize("action", ["PASS", "REDIRECT a@x.example"])
def test_orders_that_end_the_checks(checked: Submit, action: str) -> None:
    outcome = checked(TEXT, **header(action), **body("REJECT"))
    assert outcome.status == 0


def test_bad_actions_are_warned_of_and_ignored(checked: Submit) -> None:
    outcome = checked(TEXT, **header("FROB x"))
    assert outcome.status == 0
    assert "warning: unknown command in header_checks map: FROB x" in outcome.log


def test_a_table_that_fails(checked: Submit) -> None:
    outcome = checked(TEXT, header_checks="fail:x")
    assert (outcome.status, outcome.queue) == (bits.WRITE, None)
    text = "header_checks map lookup problem -- message not accepted, try again later"
    assert f"warning: ID: {text}" in outcome.log


def test_clients_that_do_not_want_checks(submit: Submit) -> None:
    assert submit(TEXT, flags=MAP_OK, **header("REJECT")).status == 0


def test_a_header_of_several_lines_is_one_text(checked: Submit, tmp_path: Path) -> None:
    (tmp_path / "checks").write_text("/^X-A: one[[:space:]] two$/ REJECT\n")
    folded = message(b"From: a@b.example\nX-A: one\n two\nMessage-Id: <x@y>\nDate: now\n\n")
    outcome = checked(folded, header_checks=f"regexp:{tmp_path}/checks")
    assert outcome.status == bits.CONTENT


def test_headers_of_parts_have_tables_of_their_own(checked: Submit) -> None:
    parts = message(
        b'From: a@b.example\nMime-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\nMessage-Id: <x@y>\nDate: d\n\n'
        b"--b\nContent-Type: message/rfc822\n\nSubject: inner\n\nx\n--b--\n"
    )
    assert checked(parts, nested_header_checks="regexp:{{/^Subject: inner/ REJECT}}").status == bits.CONTENT
    assert checked(parts, mime_header_checks="regexp:{{#^Content-Type: message/rfc822# REJECT}}").status == bits.CONTENT
    assert checked(parts, header_checks="regexp:{{/^X-None: x/ REJECT}}").status == 0


def test_long_segments_of_the_body_are_looked_at_only_in_part(checked: Submit) -> None:
    long = message(b"From: a@b.example\n\n" + b"x" * 90 + b"\nwin money\n")
    assert checked(long, **body("REJECT"), body_checks_size_limit="50").status == 0
    assert checked(long, **body("REJECT"), body_checks_size_limit="200").status == bits.CONTENT


def test_unterminated_text_is_looked_at(checked: Submit) -> None:
    stream = message(b"From: a@b.example\n\nx\n").replace(record("N", b"x"), record("L", b"win money"))
    assert checked(stream, **body("REJECT")).status == bits.CONTENT
