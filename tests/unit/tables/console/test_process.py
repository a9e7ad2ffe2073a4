import os
import sys
from pathlib import Path

import pytest

from pyfix.config.snapshot import Snapshot
from pyfix.tables.console import process
from pyfix.tables.console.options import Fatal
from pyfix.tables.notice import info, warn
from pyfix.tables.table import TableError


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "main.cf").write_text(
        f"maillog_file = {tmp_path}/log\nqueue_directory = {tmp_path}\nmyhostname = a.example\nmyhostname = b.example\n"
    )
    monkeypatch.setattr(sys, "argv", ["postmap"])
    monkeypatch.setattr(process, "_log_ready", [])
    monkeypatch.setattr(process, "_log_to", [])
    return str(tmp_path)


def test_status_and_configuration(directory: str, capsys: pytest.CaptureFixture[str]) -> None:
    def body(snapshot: Snapshot) -> int:
        info("said")
        print(snapshot.value("myhostname"))
        return 7

    assert process.run(body, directory) == 7
    out, err = capsys.readouterr()
    assert out == "b.example\n"
    assert "overriding earlier entry: myhostname=a.example" in err
    assert err.splitlines()[-1] == "postmap: said"


@pytest.mark.parametrize("problem", [Fatal("it's over"), TableError("it's over")])
def test_problems_end_the_command(directory: str, problem: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    def body(snapshot: Snapshot) -> int:
        warn("careful\n\udcff")
        raise problem

    assert process.run(body, directory) == 1
    assert capsys.readouterr().err.splitlines()[-2:] == ["postmap: warning: careful??", "postmap: fatal: it's over"]


def test_no_configuration(directory: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert process.run(lambda snapshot: 0, directory + "/none") == 1
    assert capsys.readouterr().err == f"postmap: fatal: open {directory}/none/main.cf: No such file or directory\n"


def test_refused(directory: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert process.refuse(Fatal("usage: postmap")) == 1
    assert capsys.readouterr().err == "postmap: fatal: usage: postmap\n"


def test_nobody_reads_the_answers(directory: str) -> None:
    child = os.fork()
    if not child:
        status = 70
        try:
            reading, writing = os.pipe()
            os.close(reading)
            os.dup2(writing, 1)
            sys.stdout = os.fdopen(1, "w")

            def body(snapshot: Snapshot) -> int:
                print("x" * 100000)
                return 0

            status = process.run(body, directory)
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
