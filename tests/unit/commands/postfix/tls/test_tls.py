from __future__ import annotations

from importlib import import_module

from pyfix.commands.postfix.tls import COMMANDS
from pyfix.commands.postfix.tls.words import USAGES
from tests.unit.commands.postfix.conftest import Run


def test_each_command_is_there_and_has_its_usage() -> None:
    assert set(COMMANDS) == set(USAGES)
    for module, function in COMMANDS.values():
        assert callable(getattr(import_module(f"pyfix.commands.postfix.tls.{module}"), function))


def test_unknown_command(run: Run) -> None:
    status, lines = run("tls", "x")
    assert status == 1
    assert lines[0] == "postfix/postlog: error: unknown tls command: 'x'"
    assert lines[1].startswith("postfix/postlog: fatal: usage: postfix tls enable-client (or enable-server, new-server-key, ")
