from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pyfix.daemons.smtp.checks import CheckFailed, Checks
from pyfix.daemons.smtp.editing import Editor, needs_no_conversion
from pyfix.runtime.task import run_now
from pyfix.tables.table import Table
from tests.unit.daemons.smtp.test_setup import settings

LIMITS = (102400, 100, 2048, 2048)


class Joes:
    """Every address becomes Joe's."""

    async def externals(self, addresses: Sequence[str]) -> list[str]:
        return ["joe@x.example" for _ in addresses]


def edited(
    content: bytes, *, convert: bool = False, generic: Any = None, checks: Checks | None = None, lines: bool = False
) -> bytes:
    editor = Editor("ABC", checks, generic, LIMITS)

    async def collect() -> bytes:
        blocks = content.splitlines(keepends=True) if lines else [content]
        return b"".join([block async for block in editor.edited(blocks, convert=convert)])

    return run_now(collect())


def test_conversion() -> None:
    content = b"Subject: x\nContent-Transfer-Encoding: 8bit\n\nh\xc3\xa9llo\n"
    whole = b"Subject: x\nContent-Transfer-Encoding: quoted-printable\n\nh=C3=A9llo\n"
    assert edited(content, convert=True) == whole
    assert edited(content, convert=True, lines=True) == whole
    assert edited(content) == content
    assert needs_no_conversion(b"Subject: x\n\n\xe9\n") and not needs_no_conversion(content)


def test_addresses_of_the_primary_header() -> None:
    content = b"From: a@b.example\nX: a@b.example\nContent-Type: message/rfc822\n\nFrom: a@b.example\n\nx\n"
    assert edited(content, generic=Joes()) == content.replace(b"a@b", b"joe@x", 1).replace(
        b"joe@x.example", b"joe@x.example"
    )
    assert edited(content, generic=Joes()).startswith(b"From: joe@x.example\nX: a@b.example\n")


@pytest.mark.parametrize("waits", [False, True])
def test_checks(monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
    if waits:
        monkeypatch.setattr(Table, "local", False)
    bodies = Checks(settings(smtp_body_checks="regexp:{{/^x/ REPLACE y} {/^z/ IGNORE} {/^p/ PREPEND q}}"), "smtp")
    assert edited(b"X: x\n\nx\nz\np\n", checks=bodies) == b"X: x\n\ny\nq\np\n"
    headers = Checks(settings(smtp_header_checks="regexp:{{/^X/ PREPEND To: a} {/^Cc/ REPLACE To: b} {/^Z/ IGNORE}}"), "smtp")
    content = b"X: x\nFrom: a\nCc: c\nZ: z\n\nX: x\n"
    assert edited(content, checks=headers) == b"To: a\nX: x\nFrom: a\nTo: b\n\nX: x\n"
    assert edited(content, checks=headers, generic=Joes()) == b"To: a\nX: x\nFrom: joe@x.example\nTo: joe@x.example\n\nX: x\n"


@pytest.mark.parametrize("waits", [False, True])
def test_what_came_before_a_table_fails_is_sent(monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
    if waits:
        monkeypatch.setattr(Table, "local", False)
    checks = Checks(settings(smtp_mime_header_checks="fail:x"), "smtp")
    editor, sent = Editor("ABC", checks, Joes(), LIMITS), []  # type: ignore[arg-type]  # Joes have what it needs

    async def collect() -> None:
        async for block in editor.edited([b"From: a\nMIME-Version: 1.0\nTo: b\n\nx\n"], convert=False):
            sent.append(block)

    with pytest.raises(CheckFailed):
        run_now(collect())
    assert b"".join(sent) == b"From: joe@x.example\n"


def test_checks_of_bodies() -> None:
    checks = Checks(settings(smtp_body_checks="inline:{{x=REPLACE y}}"), "smtp")
    assert edited(b"X: x\n\nx\nz\n", checks=checks) == b"X: x\n\ny\nz\n"


def test_too_deep() -> None:
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(110))
    editor = Editor("ABC", None, None, LIMITS)

    async def collect() -> bytes:
        return b"".join([block async for block in editor.edited([parts + b"\nx\n"], convert=True)])

    assert len(run_now(collect())) < len(parts)
    assert editor.error is not None and editor.error.code == "5.6.0"
