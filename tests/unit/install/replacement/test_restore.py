"""Half of a replacement; the whole is in test_replace.py."""

from __future__ import annotations

from pathlib import Path

from pyfix.install.replacement.existing import Existing
from pyfix.install.replacement.keeping import PlainFiles, keep
from pyfix.install.replacement.record import Record
from pyfix.install.replacement.restore import restore
from pyfix.install.replacement.service import MailService


class Stopped(MailService):
    """A mail system that does not run."""

    def __init__(self) -> None:
        pass

    def is_running(self) -> bool:
        return False

    def reread_units(self) -> None:
        pass


def test_half_of_it(existing: Existing, tmp_path: Path) -> None:
    """One program only has its second name, one is ours, one was not touched, one never was there."""
    place = tmp_path / "record"
    record = Record(existing, tuple(existing.programs()), "plain", (tmp_path / "units/x.d/pyfix.conf",), complete=False)
    record.write(place)
    before = {path: path.read_bytes() for path in (tmp_path / "sbin").iterdir()}
    keep(tmp_path / "sbin/postmap")
    keep(tmp_path / "sbin/postqueue")
    (tmp_path / "sbin/postqueue").unlink()
    (tmp_path / "sbin/postqueue").write_text("pyfix")
    restore(record, PlainFiles(), Stopped(), place, print)
    assert {path: path.read_bytes() for path in (tmp_path / "sbin").iterdir()} == before
    assert not place.exists()
