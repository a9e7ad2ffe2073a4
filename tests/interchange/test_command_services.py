"""pipe(8) and spawn(8) of one side in a system of the other."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from tests.kit.instance import Instance

pytestmark = [pytest.mark.reference, pytest.mark.root]

MASTER = {
    "keep": "keep unix - n n - - pipe flags=R user=nobody argv=/usr/bin/tee {dir}/mail/kept",
    "echo": "echo unix - n n - - spawn user=nobody argv=/bin/cat",
}


@pytest.mark.parametrize(("system", "programs"), [("pyfix", "reference"), ("reference", "pyfix"), ("reference37", "pyfix")])
def test_pipe_and_spawn(new_instance: Callable[..., Instance], system: str, programs: str) -> None:
    """A message goes to a command, and a client talks with another."""
    main = {"virtual_transport": "keep", "pyfix_internal_protocol": "3.7" if system == "reference37" else "3.11"}
    mta = new_instance(system, main=main, master=MASTER, replace={"pipe": programs, "spawn": programs})
    mta.start()
    queue_id = mta.send_message("user@ours.example", "Subject: x\n\nhello\n")
    mta.wait_for_log(rf"{queue_id}: to=<user@ours.example>, relay=keep, .*status=sent")
    kept = (mta.mail_directory / "kept").read_bytes()
    assert kept.startswith(b"Return-Path: <sender@client.example>\n") and kept.endswith(b"\nhello\n")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(mta.queue_directory / "private/echo"))
        client.sendall(b"hello\n")
        assert client.recv(100) == b"hello\n"
    mta.stop()
