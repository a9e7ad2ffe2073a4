from __future__ import annotations

import subprocess
from pathlib import Path

from pyfix.commands.postfix.tree import below


def test_order_of_find(tmp_path: Path) -> None:
    for name in ("b/c/d", "b/a", "a/x", "e"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("b")
    done = subprocess.run(["find", f"{tmp_path}/.", "-mindepth", "1"], capture_output=True, text=True, check=True)
    assert list(below(f"{tmp_path}/.")) == done.stdout.splitlines()


def test_missing_folder() -> None:
    assert list(below("/nowhere")) == []
