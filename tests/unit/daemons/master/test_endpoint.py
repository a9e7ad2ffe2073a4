from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.daemons.master import endpoint
from pyfix.daemons.master.endpoint import Address, Interfaces, inet_addresses, listen_fifo, listen_inet, listen_unix
from pyfix.runtime.identity import Owner

from .definitions import definition, settings

US = Owner(os.geteuid(), os.getegid())


def addresses(name: str, **main: str) -> list[tuple[str, int]]:
    entry = definition("1 inet n - n - - x").entry
    entry.name = name
    snapshot = settings(**main).snapshot
    found = inet_addresses(entry, snapshot, Interfaces(snapshot), "master.cf: line 7")
    return [(address.host, address.port) for address in found]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("127.0.0.1:2525", [("127.0.0.1", 2525)]),
        ("[::1]:2525", [("::1", 2525)]),
        ("::1:2525", [("::1", 2525)]),
        ("[127.0.0.1]:2525", [("127.0.0.1", 2525)]),
        ("2525", [("127.0.0.1", 2525), ("::1", 2525)]),
        ("127.0.0.1:smtp", [("127.0.0.1", 25)]),
        ("127.0.0.1:submissions", [("127.0.0.1", 465)]),
        ("127.0.0.1:0002525", [("127.0.0.1", 2525)]),
        ("127.0.0.1:68061", [("127.0.0.1", 2525)]),
        ("127.0.0.1:4294969821", [("127.0.0.1", 2525)]),
    ],
)
def test_addresses(name: str, found: list[tuple[str, int]]) -> None:
    assert addresses(name) == found


def test_all_interfaces_are_two_wildcards() -> None:
    assert addresses("2525", inet_interfaces="all") == [("0.0.0.0", 2525), ("::", 2525)]
    assert addresses("2525", inet_interfaces="all", inet_protocols="ipv6") == [("::", 2525)]


def test_interfaces_stay_what_they_were() -> None:
    interfaces = Interfaces(settings(inet_interfaces="127.0.0.1").snapshot)
    entry = definition("2525 inet n - n - - x").entry
    for changed in ("all", "", "no.such.host.invalid"):
        found = inet_addresses(entry, settings(inet_interfaces=changed).snapshot, interfaces, "master.cf: line 7")
        assert found == (Address("127.0.0.1", 2525),)


def test_interfaces_that_are_not_ours() -> None:
    with pytest.raises(ConfigError, match=r"no local interface found for 192\.0\.2\.1"):
        Interfaces(settings(inet_interfaces="192.0.2.1").snapshot)


def test_known_ports_come_from_main_cf() -> None:
    assert addresses("127.0.0.1:odd", known_tcp_ports="smtp=25, strange=odd=4711") == [("127.0.0.1", 4711)]


@pytest.mark.parametrize(
    ("name", "main", "text"),
    [
        ("[::1]", {}, 'master.cf: line 7: missing service information in "[::1]"'),
        ("2525", {"inet_interfaces": ""}, "master.cf: line 7: service definition requires valid host name or address, "
            "or non-empty inet_interfaces setting"),
        ("::1:25", {"inet_protocols": "ipv4", "inet_interfaces": "all"}, "master.cf: line 7: bad hostname or network address: ::1:25"),
        ("no.such.host.example:25", {}, "master.cf: line 7: bad hostname or network address: no.such.host.example:25"),
        ("[::1", {}, 'master.cf: line 7: missing "]" in "[::1"'),
        ("[::1]25", {}, 'master.cf: line 7: garbage after "]" in "[::1]25"'),
        ("[]:25", {}, 'master.cf: line 7: valid hostname or network address required in "[]:25"'),
        ("127.0.0.1:25x", {}, 'master.cf: line 7: garbage after numerical service in "127.0.0.1:25x"'),
        ("nosuchservice", {"inet_interfaces": "127.0.0.1"}, "127.0.0.1:nosuchservice: Servname not supported for ai_socktype"),
        ("127.0.0.1:2147483648", {}, "127.0.0.1:2147483648: Servname not supported for ai_socktype"),
        ("127.0.0.1:" + 25 * "0" + 25 * "9", {}, "127.0.0.1:" + 25 * "0" + 25 * "9" + ": Servname not supported for ai_socktype"),
        ("no host:25", {}, 'master.cf: line 7: valid hostname or network address required in "no host:25"'),
    ],
)  # fmt: skip
def test_bad_names(name: str, main: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        addresses(name, **main)
    assert str(raised.value) == text


def test_listen_inet() -> None:
    fd = listen_inet(Address("127.0.0.1", 0), 5)
    with socket.socket(fileno=fd) as listener:
        assert not os.get_blocking(fd)
        assert not os.get_inheritable(fd)
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        with socket.create_connection(listener.getsockname()) as client:
            listener.accept()[0].close()
            client.close()


def test_listen_on_a_used_port() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"bind 127.0.0.1 port {port}: Address already in use"):
            listen_inet(Address("127.0.0.1", port), 5)


def test_privileged_port_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden(socket.socket):
        def bind(self, address: object) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(endpoint, "is_rootless", lambda: True)
    monkeypatch.setattr(socket, "socket", Forbidden)
    with pytest.raises(ConfigError) as raised:
        listen_inet(Address("127.0.0.1", 25), 5)
    text = "bind 127.0.0.1 port 25: Permission denied (without root, a port must be above 1023)"
    assert str(raised.value) == text


def test_listen_unix(tmp_path: Path) -> None:
    path = tmp_path / "s"
    os.mkfifo(path)  # what was there before goes
    fd = listen_unix(str(path), US, 5)
    with socket.socket(fileno=fd), socket.socket(socket.AF_UNIX) as client:
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        client.connect(str(path))


def test_listen_datagrams(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    fd = listen_unix(path, US, 5, socket.SOCK_DGRAM)
    with socket.socket(fileno=fd) as listener, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.sendto(b"line", path)
        assert listener.recv(100) == b"line"


def test_listen_fifo(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.touch()
    fd = listen_fifo(str(path), US)
    try:
        assert stat.S_ISFIFO(path.stat().st_mode)
        assert stat.S_IMODE(path.stat().st_mode) == 0o622
        with pytest.raises(BlockingIOError):
            os.read(fd, 1)
    finally:
        os.close(fd)


@pytest.mark.parametrize("listen", [lambda path: listen_unix(path, US, 5), lambda path: listen_fifo(path, US)])
def test_no_such_folder(tmp_path: Path, listen: object) -> None:
    with pytest.raises(ConfigError, match="No such file or directory"):
        listen(str(tmp_path / "no/such"))  # type: ignore[operator]  # a lambda of the parameters above
