from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.runtime.libssl.configuration import forget_configuration, read_configuration
from pyfix.runtime.libssl.library import ffi, lib, library_problems
from pyfix.runtime.libssl.objects import Context

_CTRL_GET_MAX_PROTO_VERSION = 131


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    assert read_configuration("", "")


def _highest() -> int:
    return int(lib.SSL_CTX_ctrl(Context().handle, _CTRL_GET_MAX_PROTO_VERSION, 0, ffi.NULL))


def _written(folder: Path, first: str, *, value: str = "TLSv1.2") -> str:
    path = folder / "openssl.cnf"
    path.write_text(f"{first} = modules\n[modules]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\nMaxProtocol = {value}\n")
    return str(path)


def test_a_file(tmp_path: Path) -> None:
    assert read_configuration(_written(tmp_path, "openssl_conf"), "") and _highest() == 0x0303
    forget_configuration()
    assert _highest() == 0


def test_a_section(tmp_path: Path) -> None:
    file = _written(tmp_path, "mine")
    assert read_configuration(file, "") and _highest() == 0
    assert read_configuration(file, "mine") and _highest() == 0x0303
    assert read_configuration(file, "others") and _highest() == 0


def test_what_is_none(tmp_path: Path) -> None:
    assert not read_configuration(str(tmp_path / "nothing"), "")
    assert "no such file" in library_problems()[-1]
    (tmp_path / "bad").write_text("[x\n")
    assert not read_configuration(str(tmp_path / "bad"), "mine")
    assert "missing close square bracket" in library_problems()[-1]


def test_the_machines_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSSL_CONF", _written(tmp_path, "openssl_conf"))
    assert read_configuration("", "") and _highest() == 0x0303
    forget_configuration()
    assert read_configuration("", "absent") and _highest() == 0x0303
    monkeypatch.setenv("OPENSSL_CONF", str(tmp_path / "nothing"))
    assert read_configuration("", "") and _highest() == 0
