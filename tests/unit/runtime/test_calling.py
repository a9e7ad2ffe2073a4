"""What a daemon may be called with; the whole lines and their order are compared in tests/parity/master/test_calling.py."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pyfix.config.errors import ConfigError
from pyfix.runtime import calling
from pyfix.runtime.calling import check_call, check_caller
from pyfix.runtime.child import Invocation

BY_HAND = "do not run this command by hand"


@pytest.fixture(autouse=True)
def descriptors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A status pipe and one listener, as far as the check looks; no terminal."""
    reader, writer = os.pipe()
    monkeypatch.setattr(calling, "STATUS", writer)
    monkeypatch.setattr(calling, "FIRST_LISTENER", reader)
    monkeypatch.setattr(os, "isatty", lambda _fd: False)
    yield
    for fd in (reader, writer):
        os.close(fd)


def check(*words: str, limit: int | None = None, privileged: bool = False) -> None:
    invocation = Invocation.parse("smtpd", ["-n", "smtp", *words])
    check_call(invocation, process_limit=limit, privileged=privileged, transports={"inet", "unix"})


@pytest.mark.parametrize(
    ("words", "limit", "privileged"),
    [(["-t", "unix"], None, False), (["-t", "inet", "-l"], 1, True), (["-t", "unix", "-z", "-u"], 0, False), (["-t", "inet", "-l", "-z"], 1, False)],
)  # fmt: skip
def test_what_is_right(words: list[str], limit: int | None, privileged: bool) -> None:
    check(*words, limit=limit, privileged=privileged)


@pytest.mark.parametrize(
    ("words", "limit", "privileged", "text"),
    [
        (["-t", "unix"], 1, False, "service smtp requires a process limit of 1"),
        (["-t", "unix", "-l"], 0, False, "service smtp requires a process limit of 0"),
        (["-t", "unix", "-u"], None, True, "service smtp requires privileged operation"),
        ([], None, False, "no transport type specified"),
        (["-t", "fifo"], None, False, "unsupported transport type: fifo"),
        (["-u"], 1, True, "service smtp requires a process limit of 1"),
        (["-u"], None, True, "service smtp requires privileged operation"),
    ],
)
def test_what_is_wrong(words: list[str], limit: int | None, privileged: bool, text: str) -> None:
    with pytest.raises(ConfigError) as found:
        check(*words, limit=limit, privileged=privileged)
    assert str(found.value) == text


@pytest.mark.parametrize("name", ["STATUS", "FIRST_LISTENER"])
def test_a_descriptor_is_not_there(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    monkeypatch.setattr(calling, name, writer)
    with pytest.raises(ConfigError, match=f"^{BY_HAND}$"):
        check("-t", "unix")


def test_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda fd: fd == 0)
    with pytest.raises(ConfigError, match=f"^{BY_HAND}$"):
        check_caller(Invocation.parse("smtpd", ["-t", "unix"]))
    check_caller(Invocation.parse("smtpd", ["-t", "unix", "-d"]))
