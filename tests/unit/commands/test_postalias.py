import sys
import time
from pathlib import Path

import pytest

from pyfix.commands import postalias


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "main.cf").write_text("compatibility_level = 3.11\nmyhostname = a.example\n")
    (tmp_path / "aliases").write_text("Root: me,you\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAIL_CONFIG", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["postalias"])
    monkeypatch.setattr(time, "time", lambda: 1000000000.5)
    return tmp_path


def test_make_and_list(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert postalias.main(["btree:aliases"]) == 0
    assert postalias.main(["-s", "btree:aliases"]) == 0
    assert postalias.main(["-q", "ROOT", "btree:aliases"]) == 0
    assert postalias.main(["-q", "none", "btree:aliases"]) == 1
    assert capfdbinary.readouterr().out.splitlines() == [
        b"@:\t@",
        b"YP_LAST_MODIFIED:\t1000000000",
        b"YP_MASTER_NAME:\ta.example",
        b"root:\tme, you",
        b"me, you",
    ]


def test_delete() -> None:
    assert postalias.main(["hash:aliases"]) == 0
    assert postalias.main(["-d", "root", "hash:aliases"]) == 0
    assert postalias.main(["-d", "root", "hash:aliases"]) == 1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "usage: postalias"),
        (["-b", "hash:x"], "usage: postalias"),
        (["-j", "hash:x"], "option -j requires -q or -s"),
        (["hash:none"], "open none: No such file or directory"),
    ],
)
def test_wrong_use(words: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert postalias.main(words) == 1
    assert f"postalias: fatal: {text}" in capsys.readouterr().err
