from __future__ import annotations

from pathlib import Path

from pyfix.runtime.libssl import bound
from pyfix.runtime.libssl.declarations import write


def test_what_is_bound_is_what_is_declared(tmp_path: Path) -> None:
    write(str(tmp_path / "bound.py"))
    assert (tmp_path / "bound.py").read_bytes() == Path(bound.__file__).read_bytes()
