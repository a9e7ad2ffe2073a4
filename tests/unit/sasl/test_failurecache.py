from __future__ import annotations

import time
from typing import Any

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.log import log
from pyfix.sasl import failurecache
from pyfix.sasl.failurecache import FailureCache, Refusal
from pyfix.tables.table import TableError
from tests.unit.runtime.forked import on_loop

NO = Refusal("5.7.8", "535 5.7.8 no; really")


class Table:
    """A table in memory."""

    name = "proxy:btree:cache"

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}
        self.broken = False

    def make(self) -> None:
        pass

    async def find(self, key: str) -> str | None:
        if self.broken:
            raise TableError("broken")
        return self.entries.get(key)

    def store(self, key: str, value: str) -> None:
        self.entries[key] = value

    def remove(self, key: str) -> bool:
        return self.entries.pop(key, None) is not None


def test_what_is_remembered(monkeypatch: Any) -> None:
    async def test() -> list[object]:
        monkeypatch.setattr(log, "warning", lambda _text: None)
        table = Table()
        cache = FailureCache(table, 60)  # type: ignore[arg-type]  # a fake with what it needs
        await cache.keep("mx.example", "joe", "s3cret", NO)
        found: list[object] = [await cache.find("mx.example", "joe", "s3cret") == NO, "s3cret" in repr(table.entries)]
        found.append(await cache.find("mx.example", "jim", "s3cret"))
        found.append(await cache.find("mx.example", "joe", "another"))
        found.append(dict(table.entries))
        table.entries["mx.example;joe"] = "nonsense"
        found.append(await cache.find("mx.example", "joe", "s3cret"))
        table.broken = True
        found.append(await cache.find("mx.example", "joe", "s3cret"))
        return found

    assert on_loop(test) == [True, False, None, None, {}, None, None]


def test_refusals_are_forgotten(monkeypatch: Any) -> None:
    async def test() -> bool:
        table = Table()
        cache = FailureCache(table, 60)  # type: ignore[arg-type]  # a fake with what it needs
        now = time.time()
        await cache.keep("mx.example", "joe", "pw", NO)
        monkeypatch.setattr(failurecache.time, "time", lambda: now + 120)
        return await cache.find("mx.example", "joe", "pw") is None and not table.entries

    assert on_loop(test) is True


@pytest.mark.parametrize(("name", "problem"), [("btree:x", "must start with"), ("proxy:btree:x proxy:btree:y", "contains multiple values")])
def test_names(name: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        FailureCache.open(name, 1, Snapshot({}))
    assert FailureCache.open("", 1, Snapshot({})) is None
