from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from pyfix.commands.postfix.doctor.host import Host
from tests.unit.commands.postfix.doctor.conftest import ERROR, NOTE, WARNING, Look, Site, only

GB = 2**30


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A disk of which half is free."""
    state = SimpleNamespace(f_frsize=4096, f_blocks=100 * GB // 4096, f_bavail=50 * GB // 4096, f_files=10**6, f_favail=10**5)
    monkeypatch.setattr(os, "statvfs", lambda path: state)
    return state


def test_right(look: Look, disk: SimpleNamespace) -> None:
    assert look() == []
    disk.f_files = disk.f_favail = 0  # a file system that makes inodes as it needs them
    disk.f_bavail = 2 * GB // 4096
    assert look() == []


@pytest.mark.parametrize(
    ("kind", "severity"),
    [("tmpfs", WARNING), ("overlay", WARNING), ("nfs4", NOTE), ("vfat", ERROR)],
)
def test_kind(look: Look, site: Site, kind: str, severity: int) -> None:
    site.host = Host(mounts=(("/", "ext4"), (str(site.spool), kind)))
    finding = only(look())
    assert finding.severity == severity
    assert f"({kind})" in finding.what
    assert finding.place.line == site.line("main.cf", "queue_directory")


@pytest.mark.parametrize(
    ("free", "main", "severity", "said"),
    [
        (10 * 2**20, "", ERROR, "15360000 are needed"),
        (GB, "queue_minfree = 2147483648\n", ERROR, "2147483648 are needed"),
        (200 * 2**20, "", WARNING, "200 MB are left"),
    ],
)
def test_space(look: Look, disk: SimpleNamespace, free: int, main: str, severity: int, said: str) -> None:
    disk.f_bavail = free // 4096
    finding = only(look(main))
    assert finding.severity == severity
    assert said in finding.what


def test_inodes(look: Look, disk: SimpleNamespace) -> None:
    disk.f_favail = 12
    assert "12 more files" in only(look()).what
