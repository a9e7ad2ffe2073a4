from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.install import __main__, system, trial


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []

    def run(*arguments: object) -> int:
        found.append(("run", *arguments))
        return 7

    def install(*arguments: object) -> int:
        found.append(("system", *arguments))
        return 8

    monkeypatch.setattr(trial, "run_in_foreground", run)
    monkeypatch.setattr(system, "main", install)
    return found


def test_what_the_makefile_calls(called: list[tuple[object, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert __main__.main(["run", ".", "var", "2525"]) == 7
    assert __main__.main(["system", ".", "/opt/mail"]) == 8
    assert called == [("run", tmp_path.resolve(), tmp_path.resolve() / "var", 2525), ("system", tmp_path.resolve(), Path("/opt/mail"))]


@pytest.mark.parametrize(
    "argv", [[], ["run"], ["run", ".", "var", "x"], ["run", ".", "var", "-1"], ["system", ".", "relative"], ["other", ".", "/x"]]
)
def test_usage(called: list[tuple[object, ...]], argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(argv) == 2
    assert "run SOURCE FOLDER PORT" in capsys.readouterr().err
    assert called == []
