"""What it says; what it does is in tests/install/test_replacement.py, on whole machines."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pyfix.install import command
from pyfix.install.replacement.existing import Existing, Program
from pyfix.install.replacement.record import Record


@pytest.fixture(autouse=True)
def _a_machine_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PLACE", tmp_path / "record")
    monkeypatch.setattr(command, "_POSTCONF", tmp_path / "postconf")
    monkeypatch.setattr(os, "getuid", lambda: 0)


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--help"]) == 0
    assert "pyfix-install --replace" in capsys.readouterr().out
    assert command.main([]) == 2
    assert command.main(["--replace", "--restore"]) == 2
    assert "pyfix-install --replace" in capsys.readouterr().err


def test_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    assert command.main(["--system"]) == 1
    assert f"{tmp_path}/venv is not PREFIX/lib/pyfix" in capsys.readouterr().err
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "lib/pyfix"))
    assert command.main(["--system"]) == 1
    assert "was not installed from a wheel" in capsys.readouterr().err
    done: list[tuple[Path, Path]] = []
    monkeypatch.setattr(command.system, "main", lambda source, prefix: done.append((source, prefix)) or 0)
    (tmp_path / "lib/pyfix/share/pyfix").mkdir(parents=True)
    assert command.main(["--system"]) == 0
    assert done == [(tmp_path / "lib/pyfix/share/pyfix", tmp_path)]


def test_no_root(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert command.main(["--status"]) == 1
    assert capsys.readouterr().err == "pyfix-install: fatal: needs root\n"


def test_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--retake"]) == 0
    assert command.main(["--status"]) == 1
    assert command.main(["--restore"]) == 1
    assert command.main(["--replace"]) == 1
    said = capsys.readouterr()
    assert said.out == "pyfix-install: Postfix is itself\n"
    assert "pyfix has not taken Postfix's place" in said.err
    assert "is Postfix installed?; nothing was changed" in said.err


def test_a_damaged_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "record").write_text("{")
    assert command.main(["--status"]) == 1
    assert "pyfix-install: fatal:" in capsys.readouterr().err


def test_status(existing: Existing, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = Program(tmp_path / "sbin/postmap", "command", "postmap", present=True)
    Record(existing, (program,), "plain", (), complete=True).write(tmp_path / "record")
    assert command.main(["--status"]) == 1
    assert f"but for {program.path}:" in capsys.readouterr().out
    program.path.write_text("pyfix")
    assert command.main(["--status"]) == 0
