"""What master(8) says to its children and hears of them."""

from __future__ import annotations

import os
import struct

import pytest

from pyfix.runtime import child
from pyfix.runtime.child import Invocation, MasterStatus, UsageError


def test_options_of_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENERATION", "17")
    found = Invocation.parse("smtpd", ["-n", "smtp", "-t", "inet", "-u", "-c", "-o", "stress=", "-s", "2"])
    assert (found.program, found.service, found.transport_type, found.listeners) == ("smtpd", "smtp", "inet", 2)
    assert (found.unprivileged, found.chroot, found.overrides, found.generation) == (True, True, [("stress", "")], 0o17)
    assert (found.single, found.unlimited, found.verbosity) == (False, False, 0)


def test_more_options() -> None:
    found = Invocation.parse("qmgr", ["-lzSVDd", "-v", "-v", "-m5", "-i", "7", "--", "-x", "word"])
    assert found.service == "qmgr", "the name of the program when none is given"
    assert all((found.single, found.unlimited, found.stand_alone, found.log_to_stderr, found.debug, found.do_not_detach))
    assert (found.verbosity, found.arguments) == (2, ["-x", "word"])
    assert found.overrides == [("max_use", "5"), ("max_idle", "7")], "their values are judged as those of main.cf are"


@pytest.mark.parametrize(("value", "count"), [("3", 3), ("2x", 2), (" +4", 4)])
def test_number_of_listeners(value: str, count: int) -> None:
    assert Invocation.parse("x", ["-s", value]).listeners == count


@pytest.mark.parametrize(
    ("words", "overrides"),
    [
        (["-o", "a=b"], [("a", "b")]), (["-oa=b=c"], [("a", "b=c")]), (["-o", " a = b "], [("a", "b")]),
        (["-o", "{a=b}"], [("{a", "b}")]), (["-o", "a="], [("a", "")]), (["-o", "a=1", "-o", "a=2"], [("a", "1"), ("a", "2")]),
    ],
)  # fmt: skip
def test_overrides(words: list[str], overrides: list[tuple[str, str]]) -> None:
    assert Invocation.parse("x", words).overrides == overrides


@pytest.mark.parametrize(
    ("value", "fault"), [("=x", "missing attribute name"), ("a b=c", "missing '=' after attribute name"), ("{ a = b }", "missing '='")]
)
def test_bad_overrides(value: str, fault: str) -> None:
    for words in ([], ["-V"]):
        with pytest.raises(UsageError, match=fault) as raised:
            Invocation.parse("x", [*words, "-o", value])
        assert raised.value.log_to_stderr is bool(words)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-x"], "invalid option: x"), (["-n"], "invalid option: n"), (["-lx"], "invalid option: x"),
        (["-o", "a"], "invalid \"-o a\" option value: missing '=' after attribute name"),
        (["-s", "0"], "invalid socket_count: 0"), (["-s", "x"], "invalid socket_count: x"), (["-s", "-1"], "invalid socket_count: -1"),
    ],
)  # fmt: skip
def test_bad_options(words: list[str], text: str) -> None:
    with pytest.raises(UsageError, match=f"^{text}$"):
        Invocation.parse("x", words)


def test_states(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    monkeypatch.setattr(child, "STATUS", writer)
    status = MasterStatus(5)
    status.available()
    status.taken()
    status.taken()
    status.available()
    status.used()
    said = os.read(reader, 1000)
    assert [struct.unpack_from("=iIi", said, at) for at in range(0, len(said), 12)] == [
        (os.getpid(), 5, state) for state in (0, 1, 0, 1)
    ], "what is said already is not said again"
    os.close(reader)
    assert not status.gone
    status.taken()
    assert status.gone
    os.close(writer)
