from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from pyfix.daemons.master import programs
from pyfix.daemons.master.programs import Programs
from pyfix.install.launchers import checkout_launcher


def launcher(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text(checkout_launcher("daemon", name))
    return str(path)


def test_our_launchers(tmp_path: Path, lines: list[str]) -> None:
    found = Programs()
    assert found.module(launcher(tmp_path, "anvil")) == "pyfix.daemons.anvil.daemon"
    assert found.module(launcher(tmp_path, "trivial-rewrite")) == "pyfix.daemons.trivial_rewrite.daemon"
    assert lines == []


def test_other_programs(tmp_path: Path, lines: list[str]) -> None:
    script = tmp_path / "smtpd"
    script.write_text("#!/bin/sh\nexec /somewhere/else\n")
    found = Programs()
    assert found.module(str(script)) is None
    assert found.module(str(tmp_path / "missing")) is None
    assert found.module(launcher(tmp_path, "master")) is None
    assert lines == []


def test_a_module_that_fails_is_tried_once(tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    import_module = importlib.import_module

    def failing(name: str) -> object:
        tried.append(name)
        return import_module(name)

    monkeypatch.setattr(programs.importlib, "import_module", failing)
    broken = launcher(tmp_path, "nosuchdaemon")
    found = Programs()
    assert found.module(broken) is None
    assert found.module(broken) is None
    assert tried == ["pyfix.daemons.nosuchdaemon.daemon"]
    assert lines == [
        f"warning: {broken}: can't be started by a fork: ModuleNotFoundError: No module named "
        "'pyfix.daemons.nosuchdaemon'"
    ]
    found.reset()
    assert found.module(broken) is None
    assert len(tried) == 2


def test_warm_modules_exist() -> None:
    for name in programs.WARM:
        assert importlib.import_module(name)
