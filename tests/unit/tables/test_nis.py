import ctypes
from pathlib import Path

import pytest

from pyfix.tables import nis
from pyfix.tables.nis import NisTable
from pyfix.tables.table import Opening, TableError

_libc = ctypes.CDLL(None)
_libc.malloc.restype = ctypes.c_void_p


class Library:
    """Answers as libnsl does, with memory that the caller frees."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, bytes, bytes]] = []

    def yp_match(self, domain: bytes, name: bytes, key: bytes, size: int, value: object, length: object) -> int:
        self.asked.append((domain, name, key[:size]))
        if key == b"broken\0" or key == b"broken":
            return 12
        if key != b"root\0":
            return 5
        memory = _libc.malloc(6)
        ctypes.memmove(memory, b"admin\0", 6)
        ctypes.cast(value, ctypes.POINTER(ctypes.c_void_p))[0] = memory  # type: ignore[arg-type]  # what the C library writes there
        ctypes.cast(length, ctypes.POINTER(ctypes.c_int))[0] = 6  # type: ignore[arg-type]  # what the C library writes there
        return 0


@pytest.fixture(autouse=True)
def in_domain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "domainname"
    path.write_text("yp.example\n")
    monkeypatch.setattr(nis, "_DOMAIN_FILE", str(path))
    monkeypatch.setattr(nis, "_domain", [])
    return path


@pytest.mark.parametrize("text", ["(none)\n", "\n", None])
def test_no_domain_is_no_error(in_domain: Path, text: str | None, notices: list[str]) -> None:
    if text is None:
        in_domain.unlink()
    else:
        in_domain.write_text(text)
    table = NisTable("mail.aliases", Opening())
    assert table.find_now("root") is None
    assert table.find_now("other") is None
    assert notices == ["warning: dict_nis_init: NIS domain name not set - NIS lookups disabled"]


def test_lookups(notices: list[str]) -> None:
    table = NisTable("mail.aliases", Opening())
    library = table._library = Library()
    assert table.find_now("Root") == "admin"
    assert table.find_now("none") is None
    assert library.asked == [
        (b"yp.example", b"mail.aliases", b"root"),
        (b"yp.example", b"mail.aliases", b"root\0"),
        (b"yp.example", b"mail.aliases", b"none\0"),
    ]
    with pytest.raises(TableError):
        table.find_now("broken")
    assert "NIS domain yp.example, map mail.aliases" in notices[0]


def test_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError("no such library")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    with pytest.raises(TableError, match="libnsl is not installed"):
        NisTable("mail.aliases", Opening()).find_now("root")
