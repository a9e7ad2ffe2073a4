from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from pyfix.formats.maildate import mail_date


@pytest.fixture
def zone() -> Iterator[None]:
    before = os.environ.get("TZ")
    yield
    if before is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = before
    time.tzset()
    mail_date.cache_clear()


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("UTC0", "Mon, 23 Nov 2026 02:50:04 +0000 (UTC)"),
        ("EST5", "Sun, 22 Nov 2026 21:50:04 -0500 (EST)"),
        ("IST-5:30", "Mon, 23 Nov 2026 08:20:04 +0530 (IST)"),
        ("NST3:30", "Sun, 22 Nov 2026 23:20:04 -0330 (NST)"),
    ],
)
@pytest.mark.usefixtures("zone")
def test_date(name: str, date: str) -> None:
    os.environ["TZ"] = name
    time.tzset()
    mail_date.cache_clear()
    assert mail_date(1795402204) == date
