"""The kinds of service that smtpd may be: on a Unix-domain socket, and behind postscreen(8)."""

from __future__ import annotations

import array
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.instance import Instance

pytestmark = [pytest.mark.reference, pytest.mark.root]

SAID = b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<user@ours.example>\r\nDATA\r\n"


def talk(client: socket.socket) -> bytes:
    """Hold a session in large groups and return the replies."""
    client.settimeout(15)
    found = client.recv(4096)
    for group in (b"EHLO x\r\n", b"MAIL FROM:<a@b>\r\nRCPT TO:<user@ours.example>\r\nDATA\r\n", b"hi\r\n.\r\n", b"QUIT\r\n"):
        client.sendall(group)
        wanted = group.count(b"\r\n") if b"hi" not in group else 1
        replies = 0
        while replies < wanted:
            data = client.recv(4096)
            assert data, found
            found += data
            replies += len(re.findall(rb"(?m)^\d{3} ", data))
    return re.sub(rb"queued as \w+", b"queued as ID", found)


def on_unix_socket(mta: Instance) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(mta.queue_directory / "private/smtpd"))
        return talk(client)


def behind_postscreen(mta: Instance) -> bytes:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        accepted, _ = listener.accept()
        with accepted, socket.socket(socket.AF_UNIX) as door:
            door.connect(str(mta.queue_directory / "private/smtpd"))
            door.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [accepted.fileno()]))])
            words = ("client_address", "192.0.2.77", "client_port", "99", "server_address", "192.0.2.1", "server_port", "25")
            door.sendall("".join(f"{word}\0" for word in words).encode() + b"\0")
            accepted.close()
            return talk(client)


@pytest.mark.parametrize(("kind", "session"), [("unix", on_unix_socket), ("pass", behind_postscreen)])
def test_services(new_instance: Callable[..., Instance], kind: str, session: Callable[[Instance], bytes]) -> None:
    seen = []
    for replace in (None, {"smtpd": "pyfix"}):
        mta = new_instance("reference", master={"smtpd": f"smtpd {kind} - - n - - smtpd"}, replace=replace)
        mta.start()
        replies = session(mta)
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from")
        mta.wait_for_log("status=sent")
        texts = [line.partition("]: ")[2] for line in mta.log_lines() if "/smtpd[" in line]
        (content,) = mta.deliveries()["user/"]
        received = re.findall(rb"(?m)^Received: .*", content)
        seen.append((replies, [re.sub(r"^[0-9A-F]{6,}", "ID", text) for text in texts], received))
    theirs, ours = seen
    assert ours == theirs


def test_name_of_the_client(new_instance: Callable[..., Instance]) -> None:
    hosts = Path("/etc/hosts").read_text()
    assert "127.0.0.1" in hosts
    seen = []
    for replace in (None, {"smtpd": "pyfix"}):
        mta = new_instance("reference", main={"smtpd_peername_lookup": "yes"}, replace=replace)
        mta.start()
        for client in ("127.0.0.1", "127.0.0.5"):
            mta.dialogue("MAIL FROM:<a@b>", "RCPT TO:<x@elsewhere.example>", "QUIT", client=client)
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", count=2)
        seen.append([line.partition("]: ")[2] for line in mta.log_lines() if "/smtpd[" in line])
    theirs, ours = seen
    assert ours == theirs
