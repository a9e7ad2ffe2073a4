from __future__ import annotations

import array
import os
import socket
from pathlib import Path

import pytest

from pyfix.daemons.master.endpoint import Address
from pyfix.daemons.master.wakeup import REQUEST, wake
from pyfix.runtime.identity import Owner

from .definitions import definition

US = Owner(os.geteuid(), os.getegid())


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "public").mkdir()


def test_unix() -> None:
    made = definition("x unix n - n 5 1 pickup")
    with socket.socket(fileno=made.listen(US)[0]) as listener:
        wake(made)
        assert listener.accept()[0].recv(10) == REQUEST


def test_inet() -> None:
    made = definition("127.0.0.1:0 inet n - n 5 1 pickup")
    with socket.socket(fileno=made.listen(US)[0]) as listener:
        port = listener.getsockname()[1]
        object.__setattr__(made, "addresses", (Address("127.0.0.1", port),))
        wake(made)
        listener.setblocking(True)
        connection, _ = listener.accept()
        connection.setblocking(True)
        assert connection.recv(10) == REQUEST


def test_fifo() -> None:
    made = definition("x fifo n - n 5 1 pickup")
    (fd,) = made.listen(US)
    wake(made)
    assert os.read(fd, 10) == b"W"
    os.close(fd)


def test_pass() -> None:
    made = definition("x pass n - n 5 1 smtpd")
    with socket.socket(fileno=made.listen(US)[0]) as listener:
        wake(made)
        _, ancillary, _, _ = listener.accept()[0].recvmsg(10, socket.CMSG_SPACE(4))
        (fd,) = array.array("i", ancillary[0][2])
        with socket.socket(fileno=fd) as passed:
            assert passed.recv(10) == REQUEST


def test_datagrams_can_not_be_woken() -> None:
    with pytest.raises(OSError, match="Operation not supported"):
        wake(definition("x unix-dgram n - n 5 1 postlogd"))


def test_nobody_listens() -> None:
    with pytest.raises(FileNotFoundError):
        wake(definition("x unix n - n 5 1 pickup"))
