from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.daemons.master import title as module
from pyfix.daemons.master.title import TitleArea, detach_environment
from tests.unit.runtime.forked import in_child


def shown(*argv: str) -> list[object]:
    """Return what a child shows that is named so: its command line and its short name."""

    def body() -> list[object]:
        area = TitleArea()
        detach_environment({"A": "b"})
        area.show(argv)
        return [Path("/proc/self/cmdline").read_bytes().rstrip(b"\0"), Path("/proc/self/comm").read_text(), dict(os.environ)]

    said = in_child(body)
    assert said.startswith("["), said
    return list(eval(said))  # of our own making


def test_a_title() -> None:
    assert shown("smtpd", "-n", "smtp") == [b"smtpd\0-n\0smtp", "smtpd\n", {"A": "b"}]


def test_a_long_name_is_cut_where_the_kernel_cuts() -> None:
    assert shown("trivial-rewrite-x")[1] == "trivial-rewrite\n"


def test_a_title_longer_than_the_first_command_line() -> None:
    line = shown("smtpd", *["-o", "x=y"] * 2000)[0]
    assert isinstance(line, bytes) and line.startswith(b"smtpd")


def test_without_proc_titles_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_arguments: object, **_named: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", missing)
    area = TitleArea()
    monkeypatch.setattr(module.os, "open", missing)
    before = Path("/proc/self/cmdline").read_bytes()
    area.show(["x"])
    assert Path("/proc/self/cmdline").read_bytes() == before


def test_the_environment_is_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_child(lambda: (detach_environment({"A": "b"}), os.environ.get("PATH"), os.environ["A"])) == repr((None, None, "b"))
