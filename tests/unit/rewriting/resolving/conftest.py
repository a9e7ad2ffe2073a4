from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.config.snapshot import Snapshot
from pyfix.rewriting.resolving.complaint import complaints
from pyfix.runtime.log import log
from pyfix.tables.source import forget_tables

T = TypeVar("T")

MAIN_CF = """\
compatibility_level = 3.11
myhostname = mail.ours.example
mydomain = ours.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination = $myhostname, localhost, local.example
virtual_alias_domains = alias.example
virtual_mailbox_domains = mailbox.example
relay_domains = relay.example
recipient_delimiter = +
default_database_type = texthash
"""


def now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    raise AssertionError("it waits")


@pytest.fixture
def settings_of(tmp_path: Path) -> Iterator[Callable[[str], RewriteSettings]]:
    """Make settings from lines that are added to MAIN_CF."""

    def make(main: str = "") -> RewriteSettings:
        (tmp_path / "main.cf").write_text(MAIN_CF + main.replace("{dir}", str(tmp_path)) + "\n")
        return RewriteSettings(Snapshot.read(str(tmp_path), process_name="trivial-rewrite"))

    yield make
    forget_tables()


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of the log."""
    lines: list[str] = []
    monkeypatch.setattr(log, "_log", lambda severity, text: lines.append(f"{severity}: {text}"))
    complaints.count = 0
    return lines
