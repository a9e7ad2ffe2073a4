"""Tables that are waited for; that they do the same as others is in test_checks.py and tests/parity/cleanup/test_checks.py."""

from __future__ import annotations

import pytest

from pyfix.protocols.internal.cleanup import FILTER
from pyfix.tables.regexp import RegexpTable
from pyfix.tables.table import Table, TableError

from .conftest import Submit, message


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what tables are asked, of which each is waited for."""
    keys: list[str] = []

    async def find(table: Table, key: str) -> str | None:
        keys.append(key)
        return table.find_now(key)

    monkeypatch.setattr(Table, "local", False)
    monkeypatch.setattr(RegexpTable, "find", find, raising=False)
    return keys


CONTENT = (
    b"From: a@b.example\nMessage-Id: <x@y>\nContent-Type: multipart/mixed; boundary=q\n\npreamble\n--q\n"
    b"Content-Type: text/html\n\nbody\n--q--\nend\n"
)


def test_what_is_asked(submit: Submit, asked: list[str]) -> None:
    outcome = submit(message(CONTENT), flags=FILTER, header_checks="regexp:{{/^Content-Type: text/ REPLACE X: y}}")
    assert asked == [
        "Received: by here", "From: a@b.example", "Message-Id: <x@y>", "Content-Type: multipart/mixed; boundary=q", "Content-Type: text/html",
    ]  # fmt: skip
    assert outcome.content()[-7:] == [b"preamble", b"--q", b"X: y", b"", b"body", b"--q--", b"end"]


def test_the_order_is_kept(submit: Submit, asked: list[str]) -> None:
    outcome = submit(message(CONTENT), flags=FILTER, body_checks="regexp:{{/body|--q/ PREPEND before}}")
    assert asked == ["preamble", "--q", "body", "--q--", "end"]
    assert outcome.content()[-11:] == [
        b"", b"preamble", b"before", b"--q", b"Content-Type: text/html", b"", b"before", b"body", b"before", b"--q--", b"end",
    ]  # fmt: skip


def test_nothing_is_asked_after_a_refusal(submit: Submit, asked: list[str]) -> None:
    outcome = submit(message(CONTENT), flags=FILTER, header_checks="regexp:{{/^From/ REJECT no}}", body_checks="regexp:{{/x/ OK}}")
    assert outcome.reason == "5.7.1 no" and asked[-1] == "From: a@b.example"


def test_a_table_that_fails(submit: Submit, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_table: Table, _key: str) -> str | None:
        raise TableError

    monkeypatch.setattr(RegexpTable, "find_now", fail, raising=False)
    outcome = submit(message(CONTENT), flags=FILTER, header_checks="regexp:{{/^From/ REJECT no}}")
    assert outcome.queue is None and outcome.log[-2] == "warning: ID: header_checks map lookup problem -- message not accepted, try again later"
