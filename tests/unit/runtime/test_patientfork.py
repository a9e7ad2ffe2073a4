from __future__ import annotations

import os

import pytest

from pyfix.runtime import patientfork
from pyfix.runtime.log import log
from pyfix.runtime.patientfork import fork_patiently


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(log, "warning", lines.append)
    monkeypatch.setattr(patientfork.time, "sleep", lambda seconds: lines.append(f"slept {seconds}"))
    return lines


def test_it_forks(told: list[str]) -> None:
    pid = fork_patiently("x", 1, 1.0)
    if pid == 0:
        os._exit(7)
    assert pid is not None
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert told == []


@pytest.mark.parametrize("refusals", [1, 2, 3])
def test_it_tries_again(told: list[str], monkeypatch: pytest.MonkeyPatch, refusals: int) -> None:
    left = [BlockingIOError(11, "no room")] * refusals

    def fork() -> int:
        if left:
            raise left.pop()
        return 123

    monkeypatch.setattr(patientfork.os, "fork", fork)
    assert fork_patiently("x", 3, 2.0) == (123 if refusals < 3 else None)
    assert told == ["fork x: no room", "slept 2.0"] * min(refusals, 2) + ["fork x: no room"] * (refusals == 3)
