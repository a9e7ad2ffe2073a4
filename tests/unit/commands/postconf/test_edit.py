"""Changing main.cf in place."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from pyfix.commands.postconf.edit import Rewriting, edit_main, requests
from pyfix.commands.postconf.messages import Fatal

MAIN_CF = "# head\na = 1\n  2\n# in\n   3\n\nb=2\na = 7\n# tail\nc=3\n  # x\n  d"


@pytest.fixture(autouse=True)
def program_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["postconf"])


@pytest.mark.parametrize(
    ("how", "arguments", "result"),
    [
        ("e", ["b=x"], MAIN_CF.replace("b=2", "b = x") + "\n"),
        ("e", ["z=1", "y = 2 "], MAIN_CF + "\ny = 2\nz = 1\n"),
        ("e", ["c="], MAIN_CF.replace("c=3\n", "c = \n").removesuffix("\n  d") + "\n"),
        ("X", ["c", "nosuch"], MAIN_CF.replace("c=3\n", "").removesuffix("\n  d") + "\n"),
        ("#", ["c"], MAIN_CF.replace("c=3", "#c=3").replace("  d", "#  d") + "\n"),
    ],
)
def test_main_cf(tmp_path: Path, how: str, arguments: list[str], result: str) -> None:
    path = tmp_path / "main.cf"
    path.write_text(MAIN_CF)
    edit_main(str(path), how, arguments)
    assert path.read_text() == result
    assert os.listdir(tmp_path) == ["main.cf"]


def test_all_entries_of_a_name_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "main.cf"
    path.write_text(MAIN_CF)
    edit_main(str(path), "e", ["a=4", "a=5"])
    assert path.read_text().startswith("# head\na = 5\n# in\n\nb=2\na = 5\n# tail\n")
    assert capsys.readouterr().err.splitlines() == [
        "postconf: warning: ignoring earlier request: 'a = 4'",
        f'postconf: warning: {path}: multiple entries for "a"',
    ]


@pytest.mark.parametrize(
    ("argument", "with_value", "complaint"),
    [
        ("foo", True, "missing '=' after attribute name: \"foo\""),
        ("=c", True, 'missing attribute name: "=c"'),
        (" #a=c", True, "-e, -X, or -# accepts no comment input"),
        ("a=x\ny", True, "-e, -X, or -# accepts no multi-line input"),
        ("b=2", False, "-X or -# requires parameter names without value"),
        ("", False, "-X or -# requires non-blank parameter names"),
    ],
)
def test_requests_that_make_no_sense(argument: str, with_value: bool, complaint: str) -> None:
    with pytest.raises(Fatal) as raised:
        requests([argument], with_value=with_value)
    assert str(raised.value) == complaint


def test_mode_and_owner_stay(tmp_path: Path) -> None:
    path = tmp_path / "main.cf"
    path.write_text("a = 1\n")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12345, 23456)
    before = path.stat()
    with Rewriting(str(path)) as file:
        file.replace("b = \udce9\n")
    after = path.stat()
    assert path.read_bytes() == b"b = \xe9\n"
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino


def test_the_new_file_is_on_disk_before_it_takes_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "main.cf"
    path.write_text("a = 1\n")
    order: list[str] = []
    sync, rename = os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda descriptor: (order.append("fsync"), sync(descriptor))[1])
    monkeypatch.setattr(os, "rename", lambda old, new: (order.append("rename"), rename(old, new))[1])
    with Rewriting(str(path)) as file:
        file.replace("a = 2\n")
    assert order == ["fsync", "rename"]


def test_a_failed_write_leaves_the_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "main.cf"
    path.write_text("a = 1\n")

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Fatal, match="No space left on device"), Rewriting(str(path)) as file:
        file.replace("a = 2\n")
    monkeypatch.undo()
    assert path.read_text() == "a = 1\n" and os.listdir(tmp_path) == ["main.cf"]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match=rf"^open {tmp_path}/main.cf for reading: No such file or directory$"):
        edit_main(f"{tmp_path}/main.cf", "e", ["a=b"])


def test_an_edit_sees_what_the_one_before_has_done(tmp_path: Path) -> None:
    path = tmp_path / "main.cf"
    path.write_text("a = 1\n")
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        edit_main(str(path), "e", ["c=3"])

    with Rewriting(str(path)) as file:
        other = threading.Thread(target=second)
        other.start()
        waiting.wait(10)
        time.sleep(0.05)  # it waits for the lock now
        file.replace("a = 1\nb = 2\n")
    other.join(10)
    assert path.read_text() == "a = 1\nb = 2\nc = 3\n"
    assert os.listdir(tmp_path) == ["main.cf"]


def test_many_editors_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "main.cf"
    path.write_text("")
    editors = [
        threading.Thread(target=edit_main, args=(str(path), "e", [f"p{number}={number}"])) for number in range(20)
    ]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join(20)
    assert sorted(path.read_text().splitlines()) == sorted(f"p{number} = {number}" for number in range(20))


def test_what_a_crash_has_left_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "main.cf"
    path.write_text("a = 1\n")
    (tmp_path / "main.cf.tmp").write_text("half of something longer than the new file\n")
    edit_main(str(path), "e", ["a=2"])
    assert path.read_text() == "a = 2\n" and os.listdir(tmp_path) == ["main.cf"]


def test_one_warning_however_often_a_name_stands_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "main.cf"
    path.write_text("a = 1\na = 2\na = 3\n")
    edit_main(str(path), "e", ["a=4"])
    assert path.read_text() == "a = 4\n" * 3
    assert capsys.readouterr().err.count('multiple entries for "a"') == 1
