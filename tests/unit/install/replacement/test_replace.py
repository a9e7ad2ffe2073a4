"""The order of what is done; what becomes of a machine is in tests/install/test_replacement.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pyfix.install.accounts import Accounts
from pyfix.install.launchers import LaunchTarget
from pyfix.install.layout import Ids
from pyfix.install.replacement import replace as replacing
from pyfix.install.replacement.existing import Existing, is_ours
from pyfix.install.replacement.keeping import PlainFiles, kept_name
from pyfix.install.replacement.record import Record
from pyfix.install.replacement.replace import Impossible, planned, replace, retake
from pyfix.install.replacement.restore import restore
from pyfix.install.replacement.service import MailService
from pyfix.install.setgid import SetGidUnavailable


class System(MailService):
    """A mail system that notes when it is stopped and started."""

    def __init__(self, place: Path, said: list[str]) -> None:
        self._place = place
        self._said = said

    def is_running(self) -> bool:
        return True

    def stop(self) -> None:
        record = Record.read(self._place)
        self._said.append(f"stop, complete={record.complete if record else None}")

    def start(self) -> None:
        self._said.append("start")

    def reread_units(self) -> None:
        self._said.append("units")


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LaunchTarget:
    ids = Ids(os.getuid(), os.getgid(), os.getgid())
    monkeypatch.setattr(Accounts, "ids", lambda _self: ids)
    monkeypatch.setattr(replacing, "added_to_units", lambda _root, _retaking="": {tmp_path / "units/x.d/pyfix.conf": "[Service]\n"})

    def build(binary: Path, _python: Path, _script: Path) -> None:
        binary.write_text("pyfix compiled")

    monkeypatch.setattr(replacing.setgid, "build", build)
    (tmp_path / "lib/bin").mkdir(parents=True)
    (tmp_path / "lib/bin/python3").symlink_to(sys.executable)
    return LaunchTarget(tmp_path / "lib/bin/python3", (), defaults={"daemon_directory": "/there"})


def test_there_and_back(existing: Existing, target: LaunchTarget, tmp_path: Path) -> None:
    said: list[str] = []
    place = tmp_path / "record"
    before = {path: path.read_bytes() for folder in ("sbin", "daemons") for path in (tmp_path / folder).iterdir()}
    system = System(place, said)
    record = planned(existing, PlainFiles())
    replace(record, target, PlainFiles(), system, place, said.append)
    count = len(record.programs)
    assert said == [
        "stopping the mail system", "stop, complete=False", f"{count} programs are pyfix's now", "units", "start",
        "the mail system runs again",
    ]  # fmt: skip
    assert all(is_ours(program.path) for program in record.programs)
    assert "defaults={'daemon_directory': '/there'}" in (tmp_path / "daemons/smtpd").read_text()
    assert (tmp_path / "sbin/postdrop").stat().st_mode & 0o7777 == 0o2755
    assert (tmp_path / "units/x.d/pyfix.conf").exists()
    done = Record.read(place)
    assert done is not None and done.complete
    del said[:]
    restore(done, PlainFiles(), system, place, said.append)
    assert said == [
        "stopping the mail system", "stop, complete=False", "Postfix's programs are back", "units", "start",
        "the mail system runs again",
    ]  # fmt: skip
    assert before == {path: path.read_bytes() for folder in ("sbin", "daemons") for path in (tmp_path / folder).iterdir()}
    assert not place.exists()
    assert not (tmp_path / "units/x.d").exists()


def test_a_kept_program_that_is_gone(existing: Existing, target: LaunchTarget, tmp_path: Path) -> None:
    said: list[str] = []
    place = tmp_path / "record"
    record = planned(existing, PlainFiles())
    replace(record, target, PlainFiles(), System(place, said), place, said.append)
    kept_name(tmp_path / "sbin/postmap").unlink()
    (tmp_path / "sbin/postdrop").write_bytes(b"\x7fELF of a newer package")
    restore(record, PlainFiles(), System(place, said), place, said.append)
    assert any("postmap.distrib is gone" in line for line in said)
    assert not (tmp_path / "sbin/postmap").exists()
    assert (tmp_path / "sbin/postdrop").read_bytes() == b"\x7fELF of a newer package"
    assert not list(tmp_path.rglob("*.distrib"))


def test_impossible(
    existing: Existing, target: LaunchTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found out before anything is done."""
    place = tmp_path / "record"

    def no_compiler(*_paths: Path) -> None:
        raise SetGidUnavailable("no C compiler")

    monkeypatch.setattr(replacing.setgid, "build", no_compiler)
    record = planned(existing, PlainFiles())
    with pytest.raises(Impossible, match=r"postdrop has to be set-gid: no C compiler"):
        replace(record, target, PlainFiles(), System(place, []), place, print)
    monkeypatch.setattr(Accounts, "ids", lambda _self: None)
    with pytest.raises(Impossible, match="there is no user postfix, or no group postdrop"):
        replace(record, target, PlainFiles(), System(place, []), place, print)
    assert not place.exists()


def test_what_an_upgrade_brings_back_is_taken_again(
    existing: Existing, target: LaunchTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a program that the package did not have before, and without a compiler."""
    said: list[str] = []
    place = tmp_path / "record"
    record = planned(existing, PlainFiles())
    new = next(program.path for program in record.programs if not program.present)
    replace(record, target, PlainFiles(), System(place, []), place, said.append)
    done = Record.read(place)
    assert done is not None

    def no_compiler(*_paths: Path) -> None:
        raise SetGidUnavailable("no C compiler")

    monkeypatch.setattr(replacing.setgid, "build", no_compiler)
    del said[:]
    retake(done, target, PlainFiles(), place, said.append)
    assert said == [], "nothing came back"
    brought = dict.fromkeys((new, tmp_path / "sbin/postdrop", tmp_path / "sbin/postmap"), b"\x7fELF of a newer package")
    for path, content in brought.items():
        path.unlink()
        path.write_bytes(content)
    retake(done, target, PlainFiles(), place, said.append)
    assert said == ["3 programs that Postfix's package brought back are pyfix's again"]
    assert all(is_ours(path) for path in brought)
    assert (tmp_path / "sbin/postdrop").stat().st_mode & 0o7777 == 0o2755
    done = Record.read(place)
    assert done is not None
    restore(done, PlainFiles(), System(place, []), place, said.append)
    assert {path: path.read_bytes() for path in brought} == brought
    assert not list(tmp_path.rglob("*.distrib"))


def test_what_came_and_was_not_taken_stays(existing: Existing, target: LaunchTarget, tmp_path: Path) -> None:
    """A newer package has a program that the earlier one lacked: it is no longer ours when Postfix comes back."""
    place = tmp_path / "record"
    record = planned(existing, PlainFiles())
    new = next(program.path for program in record.programs if not program.present)
    replace(record, target, PlainFiles(), System(place, []), place, print)
    new.write_bytes(b"\x7fELF of a newer package")
    restore(record, PlainFiles(), System(place, []), place, print)
    assert new.read_bytes() == b"\x7fELF of a newer package"
