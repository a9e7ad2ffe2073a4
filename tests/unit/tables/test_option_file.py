from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.tables.option_file import read_options, standard_files


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[client]\nuser=a\n", {"user": "a"}),
        ("  [ client-server ]\n\tport = 1 \n[client-mariadb]\nsocket=/x\n[mysql]\nuser=b\n", {"port": "1", "socket": "/x"}),
        ("[client]\nuser=a\n[mine]\nuser=b\n", {"user": "b"}),
        ("[mine]\nuser=b\n[client]\nuser=a\n", {"user": "a"}),
        ("# x\n; y\n\n[client]\nuser = a # b\n", {"user": "a # b"}),
        ("[client]\nuser='a'\ninit_command=\"set @a=1\"\ncompress\n", {"user": "a", "init-command": "set @a=1", "compress": ""}),
        ("[client]\nuser=a\\\\b\\sc\\x\\t\n", {"user": "a\\b c\\x\t"}),
        ("user=a\n[client]\nuser=b\n", {}),
        ("[client]\nuser=a\n[client\nuser=b\n", {"user": "a"}),
        ("[CLIENT]\nuser=a\n", {}),
        ("", {}),
    ],
)
def test_lines(tmp_path: Path, text: str, found: dict[str, str]) -> None:
    (tmp_path / "my.cnf").write_text(text)
    assert read_options([str(tmp_path / "my.cnf")], "mine") == found


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more/b.cnf").write_text("[client]\nuser=b\n")
    (tmp_path / "more/a.cnf").write_text("[client]\nuser=a\nport=1\n")
    (tmp_path / "more/c.txt").write_text("[client]\nuser=c\n")
    (tmp_path / "one").write_text(f"!includedir {tmp_path}/more\n!includedir /nonexistent\n!unknown x\n")
    (tmp_path / "my.cnf").write_text(f"!include {tmp_path}/one\n!include {tmp_path}/none\n!include {tmp_path}/my.cnf\n")
    assert read_options([str(tmp_path / "my.cnf")], "") == {"user": "b", "port": "1"}
    assert read_options([str(tmp_path)], "") == read_options([str(tmp_path / "none")], "") == {}


def test_standard_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/joe")
    assert standard_files() == ["/etc/my.cnf", "/etc/mysql/my.cnf", "/home/joe/.my.cnf"]
    monkeypatch.delenv("HOME")
    assert standard_files() == ["/etc/my.cnf", "/etc/mysql/my.cnf"]
