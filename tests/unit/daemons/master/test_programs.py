from __future__ import annotations

import gc
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from pyfix.config.parameter import DECLARED
from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.master import programs
from pyfix.daemons.master.programs import Programs
from pyfix.install.launchers import checkout_launcher

ROOT = Path(__file__).resolve().parents[4]


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


def test_what_all_daemons_need_is_there_before_the_forks(tmp_path: Path) -> None:
    """In a process that is as new as master's: each of its children would import and compile it again."""
    launch = launcher(tmp_path, "anvil")
    code = (
        "import sys; sys.path[:0] = sys.argv[1:2]; sys.path += sys.argv[2:]; from pyfix.daemons.master.programs import Programs; "
        f"Programs().module({launch!r}); from pyfix.config import catalogue; from pyfix.formats import attributes; "
        "from pyfix.tables import textfile; print(catalogue._complete, attributes._match_list is not None, len(textfile._compiled))"
    )
    argv = [sys.executable, "-ISXutf8", "-c", code, str(ROOT), *[path for path in sys.path if path.endswith("-packages")]]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "True True 2\n"


def test_defaults_are_converted_before_the_forks() -> None:
    """A default that no main.cf changes is a value already; one that main.cf sets is not touched."""
    assert QmgrSettings.queue_run_delay is DECLARED["queue_run_delay"]
    found = Programs()
    delay, limit = DECLARED["queue_run_delay"], DECLARED["default_process_limit"]
    delay._constant = limit._constant = None
    found.freeze(Snapshot({"default_process_limit": "7"}))
    assert delay._constant == 300
    assert limit._constant is None
    assert limit.read(Snapshot({})) == 100
    assert limit.read(Snapshot({"default_process_limit": "7"})) == 7
    assert gc.get_freeze_count() > 0
    gc.unfreeze()
