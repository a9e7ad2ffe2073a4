from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.install.replacement import keeping
from pyfix.install.replacement.keeping import (
    DpkgDiversions,
    PlainFiles,
    keep,
    keeping_of_this_machine,
    kept_name,
    put_back,
)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "postmap"
    path.write_bytes(b"\x7fELF one")
    path.chmod(0o2755)
    return path


def test_there_and_back(program: Path) -> None:
    keep(program)
    kept = kept_name(program)
    assert kept.samefile(program)
    keep(program)
    program.unlink()
    program.write_text("#!/usr/bin/python3\npyfix")
    keep(program)
    assert kept.read_bytes() == b"\x7fELF one"
    assert put_back(program)
    assert program.read_bytes() == b"\x7fELF one"
    assert program.stat().st_mode & 0o7777 == 0o2755
    assert not kept.exists()
    assert not put_back(program)


def test_back_before_ours_came(program: Path) -> None:
    """Two names of one file."""
    keep(program)
    assert put_back(program)
    assert [path.name for path in program.parent.iterdir()] == ["postmap"]


def test_a_newer_one_is_kept_instead(program: Path) -> None:
    keep(program)
    program.unlink()
    program.write_bytes(b"\x7fELF two")
    keep(program)
    assert kept_name(program).read_bytes() == b"\x7fELF two"
    assert sorted(path.name for path in program.parent.iterdir()) == ["postmap", "postmap.distrib"]


def test_without_links(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_paths: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refused)
    keep(program)
    assert not kept_name(program).samefile(program)
    assert kept_name(program).stat().st_mode & 0o7777 == 0o2755


def test_diversions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "dpkg-divert"
    script.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\ncase "$*" in *broken*) echo no >&2; exit 2;; esac\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    diversions = keeping_of_this_machine()
    assert isinstance(diversions, DpkgDiversions)
    diversions.divert(Path("/usr/sbin/postmap"))
    diversions.undivert(Path("/usr/sbin/postmap"))
    diversions.divert(Path("/usr/sbin/postconf"))
    diversions.undivert(Path("/usr/sbin/postconf"))
    words = "--quiet --local --no-rename --divert /usr/sbin/postmap.distrib"
    assert (tmp_path / "calls").read_text() == f"{words} --add /usr/sbin/postmap\n{words} --remove /usr/sbin/postmap\n"
    with pytest.raises(OSError, match="broken: no"):
        diversions.divert(Path("/usr/sbin/broken"))


def test_without_dpkg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping.shutil, "which", lambda _name: None)
    plain = keeping_of_this_machine()
    assert isinstance(plain, PlainFiles)
    plain.divert(Path("/nowhere"))
    plain.undivert(Path("/nowhere"))
