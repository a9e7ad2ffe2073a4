"""Who may have written a file of addresses; parity is in tests/parity/delivery."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.daemons.local.listfile import Lines, Refused, look_at_include, open_forward, open_include, status_of_forward
from pyfix.daemons.local.listfile import _owner_of_way as owner_of_way
from pyfix.daemons.local.users import User
from pyfix.runtime.identity import Owner

ME = User("me", Owner(os.getuid(), os.getgid()), "/")
NOBODY = User("nobody", Owner(65534, 65534), "/")


def lines(found: Lines) -> list[bytes]:
    try:
        return list(found)
    finally:
        found.close()


def test_forward_files(tmp_path: Path) -> None:
    path = tmp_path / ".forward"
    with pytest.raises(FileNotFoundError):
        status_of_forward(str(path), ME)
    path.write_text("a\n" + "b" * 3000)
    status = status_of_forward(str(path), ME)
    assert lines(open_forward(str(path), ME, status)) == [b"a\n", b"b" * 2048, b"b" * 952]
    path.chmod(0o646)
    with pytest.raises(Refused, match="is world writable"):
        open_forward(str(path), ME, status_of_forward(str(path), ME))


def test_a_link_that_takes_the_file_s_place(tmp_path: Path) -> None:
    path, other = tmp_path / ".forward", tmp_path / "other"
    path.write_text("a\n")
    other.write_text("b\n")
    status = status_of_forward(str(path), ME)
    path.unlink()
    path.symlink_to(other)
    with pytest.raises(Refused, match="cannot open file"):
        open_forward(str(path), ME, status)
    with pytest.raises(Refused, match="is not a regular file"):
        open_forward(str(path), ME, status_of_forward(str(path), ME))


def test_include_files(tmp_path: Path) -> None:
    path = tmp_path / "list"
    with pytest.raises(Refused, match="unable to lookup :include: file"):
        look_at_include(str(path), ME)
    path.write_text("a\n")
    include = look_at_include(str(path), ME)
    assert include.uid == os.getuid() and lines(open_include(include, ME)) == [b"a\n"]
    with pytest.raises(Refused, match="has changed its owner"):
        open_include(include._replace(uid=include.uid + 1), ME)
    path.chmod(0o666)
    with pytest.raises(Refused, match="is world writable"):
        open_include(include, ME)
    with pytest.raises(Refused, match="is not a regular file"):
        look_at_include(str(tmp_path), ME)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("")
    include = look_at_include(str(path), ME)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Refused, match="is not a regular file"):
        open_include(include, ME)


@pytest.mark.root
def test_nobody_reads_what_is_not_his(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = tmp_path / "secret"
    path.write_text("a\n")
    path.chmod(0o600)
    with pytest.raises(Refused, match=r"cannot open include file|unable to lookup"):
        open_include(look_at_include(str(path), NOBODY), NOBODY)
    with pytest.raises(Refused, match="cannot open file"):
        open_forward(str(path), NOBODY, os.stat(path))
    os.chown(path, 1, 1)
    with pytest.raises(Refused, match="has bad owner uid 1"):
        open_forward(str(path), NOBODY, os.stat(path))


def _given(path: Path, uid: int = 12345) -> Path:
    os.chown(path, uid, uid, follow_symlinks=False)
    return path


@pytest.mark.root
def test_who_owns_the_way(tmp_path: Path) -> None:
    """A user's folder or link makes all behind it his; his file in a folder of root's does not."""
    (tmp_path / "file").write_text("a\n")
    _given(tmp_path / "file")
    home = tmp_path / "home"
    (home / "below").mkdir(parents=True)
    (home / "below/file").write_text("a\n")
    _given(home)
    for name, target in (("roots", "file"), ("to home", "home/below/file"), ("circle", "circle"), ("up", f"{tmp_path}/home/../file")):
        (tmp_path / name).symlink_to(target)
    (tmp_path / "users").symlink_to("file")
    _given(tmp_path / "users")
    for name in ("file", "roots", "./file", "//file"):
        assert owner_of_way(f"{tmp_path}/{name}") == 0, name
    for name in ("home/below/file", "to home", "users", "up", "home/below/../../file"):
        assert owner_of_way(f"{tmp_path}/{name}") == 12345, name
    with pytest.raises(OSError, match="symbolic links"):
        owner_of_way(f"{tmp_path}/circle")
    with pytest.raises(FileNotFoundError):
        owner_of_way(f"{tmp_path}/none")


@pytest.mark.root
def test_root_reads_nothing_for_whoever_owns_the_way(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and not folder.stat().st_mode & 1:
            folder.chmod(folder.stat().st_mode | 0o111)
    secret, home = tmp_path / "secret", tmp_path / "home"
    secret.write_text("a\n")
    secret.chmod(0o600)
    home.mkdir()
    (home / "list").symlink_to(secret)
    _given(home)
    with pytest.raises(Refused, match=r"cannot open include file .*Permission denied"):
        open_include(look_at_include(str(home / "list"), None), None)
    assert lines(open_include(look_at_include(str(secret), None), None)) == [b"a\n"]
