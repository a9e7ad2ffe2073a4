from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pyfix.commands.smtp_sink.dump import Dump
from pyfix.runtime.console import CommandError

SESSION = SimpleNamespace(address="192.0.2.1", helo=b"x", protocol=b"ESMTP", mail=b"<a@b>", recipients=[b"<c@d>", b"<e>"])


def test_one_file_each(tmp_path: Path) -> None:
    dump = Dump(f"{tmp_path}/in/m.", "", b"sink", one_file=False)
    for _ in range(2):
        dump.write(SESSION, b"text\n")  # type: ignore[arg-type]  # what of a session is in the header
    files = list((tmp_path / "in").iterdir())
    assert len(files) == 2
    lines = files[0].read_bytes().split(b"\n")
    assert lines[:2] == [b"X-Client-Addr: 192.0.2.1", b"X-Client-Proto: ESMTP"]
    assert lines[4:6] == [b"X-Rcpt-Args: <c@d>", b"X-Rcpt-Args: <e>"]


def test_all_in_one_file(tmp_path: Path) -> None:
    dump = Dump(f"{tmp_path}/all", r"From \101\n", b"sink", one_file=True)
    for _ in range(2):
        dump.write(SESSION, b"text\n")  # type: ignore[arg-type]  # what of a session is in the header
    assert (tmp_path / "all").read_bytes().count(b"From A\nX-Client-Addr: ") == 2


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match=r"open .*: Not a directory"):
        Dump(f"{tmp_path}/file/m", "", b"sink", one_file=True).write(SESSION, b"")  # type: ignore[arg-type]  # as above
