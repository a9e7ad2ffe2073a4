from __future__ import annotations

import os
from typing import Any

import pytest

from pyfix.delivery.command import Command, run_command, words_of_command
from pyfix.queue.message import ContentDamaged
from pyfix.runtime.identity import Owner
from pyfix.runtime.process import Program
from tests.unit.runtime.forked import on_loop

USER = Owner(65534, 65534) if os.getuid() == 0 else Owner(os.getuid(), os.getgid())


class _Message:
    path = "active/ABC"


async def outcome(text: str, limit: float = 10, damaged: bool = False) -> object:
    def content() -> Any:
        yield b"Subject: x\n\nx\n"
        if damaged:
            raise ContentDamaged

    message: Any = _Message()
    command = Command(Program(["sh", "-c", f"cat >/dev/null; {text}"], USER), "cmd", limit)
    return tuple(await run_command(command, message, content()))[:4]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("echo fine", (2, "2.0.0", "fine ", "delivered")),
        ("exit 1", (5, "5.3.0", 'Command died with status 1: "cmd"', "failed")),
        ("echo why; exit 1", (5, "5.3.0", 'Command died with status 1: "cmd". Command output: why ', "failed")),
        ("exit 67", (5, "5.1.1", "user unknown", "failed")),
        ("echo who; exit 75", (4, "4.3.0", "temporary failure. Command output: who ", "delayed")),
        ("echo 4.2.2 full; exit 1", (4, "4.2.2", "full ", "delayed")),
        ("echo 5.2.2 full; exit 75", (5, "5.2.2", "full ", "failed")),
        ("kill -15 $$", (4, "4.3.0", 'Command died with signal 15: "cmd"', "delayed")),
        ("printf 'a\\tb\\033'; exit 1", (5, "5.3.0", 'Command died with status 1: "cmd". Command output: a b_', "failed")),
    ],
)
def test_outcomes(text: str, expected: object) -> None:
    assert on_loop(outcome, text) == expected


def test_too_slow() -> None:
    expected = (5, "5.3.0", 'Command time limit exceeded: "cmd". Command output: x ', "failed")
    assert on_loop(outcome, "echo x; sleep 60", 0.3) == expected


def test_a_damaged_message() -> None:
    kind, code, text, _ = on_loop(outcome, "exit 0", 10, True)  # type: ignore[misc]  # what on_loop returns is an object
    assert (kind, code) == (0, "")
    assert "corrupted queue file: active/ABC" in text


@pytest.mark.parametrize(
    ("text", "shell", "words", "otherwise"),
    [
        ("/usr/bin/procmail -a ext", "", ["/usr/bin/procmail", "-a", "ext"], ["sh", "-c", "/usr/bin/procmail -a ext"]),
        ("exit 67", "", ["exit", "67"], ["sh", "-c", "exit 67"]),
        ("a | b", "", ["sh", "-c", "a | b"], ()),
        ('a "b"', "", ["sh", "-c", 'a "b"'], ()),
        ("a $b", "", ["sh", "-c", "a $b"], ()),
        ("  ", "", ["sh", "-c", "  "], ()),
        ("a b", "/bin/smrsh -c", ["/bin/smrsh", "-c", "a b"], ()),
    ],
)
def test_words_of_command(text: str, shell: str, words: list[str], otherwise: list[str]) -> None:
    assert words_of_command(text, shell) == (words, otherwise)
