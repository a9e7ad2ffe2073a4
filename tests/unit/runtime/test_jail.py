"""What must be in memory before a daemon goes where its program's files are out of reach."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pyfix.runtime.jail import take_along
from tests.unit.runtime.forked import in_child


def test_everything_that_daemons_share_is_there() -> None:
    def body() -> list[str]:
        take_along()
        root = Path(__file__).resolve().parents[3]
        shared = [path for path in (root / "pyfix").rglob("*.py") if path.name != "__init__.py"]
        names = [".".join(path.relative_to(root).with_suffix("").parts) for path in shared]
        mine = [name for name in names if name.split(".")[1] not in ("commands", "daemons", "install")]
        return [name for name in mine if name not in sys.modules]

    assert in_child(body) == "[]"


def test_a_daemon_takes_its_own_modules_along() -> None:
    def body() -> bool:
        for name in [name for name in sys.modules if name.startswith("pyfix.daemons.showq")]:
            del sys.modules[name]
        take_along("pyfix.daemons.showq")
        return "pyfix.daemons.showq.listing" in sys.modules

    assert in_child(body) == "True"


def test_a_library_that_is_missing() -> None:
    """What needs it would fail outside as well; all else comes along."""

    def body() -> tuple[bool, bool]:
        import importlib

        really = importlib.import_module

        def without(name: str, package: str | None = None) -> object:
            if name == "pyfix.tls":
                raise ModuleNotFoundError(name)
            return really(name, package)

        importlib.import_module = without  # type: ignore[assignment]  # in a process that ends with this test
        for name in [name for name in sys.modules if name.startswith(("pyfix.tls", "pyfix.tables.cidr"))]:
            del sys.modules[name]
        take_along()
        return "pyfix.tls.policy" in sys.modules, "pyfix.tables.cidr" in sys.modules

    assert in_child(body) == "(False, True)"


@pytest.mark.root
def test_the_time_zone_stays(tmp_path: Path) -> None:
    def body() -> str:
        import time

        os.environ["TZ"] = "Asia/Tokyo"
        time.tzset()
        take_along()
        os.chroot(tmp_path)
        return time.strftime("%H:%M %Z", time.localtime(0))

    assert in_child(body) == repr("09:00 JST")
