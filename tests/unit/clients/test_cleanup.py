from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from pyfix.clients.cleanup import NewMessage, UnknownOverride, input_flags
from pyfix.formats.records import TEXT, encode_record
from pyfix.protocols.internal import cleanup as bits
from pyfix.runtime.ipc import ServiceError
from tests.unit.clients.server import null_list, run, serving


def test_flags() -> None:
    everything = bits.FILTER | bits.BCC_OK | bits.MAP_OK
    assert input_flags([]) == everything
    assert input_flags(["no_address_mappings"]) == bits.FILTER
    assert input_flags(["no_header_body_checks", "no_unknown_recipient_checks"]) == bits.BCC_OK | bits.MAP_OK
    assert input_flags([], milters=True) == everything | bits.MILTER
    with pytest.raises(UnknownOverride, match="nonsense"):
        input_flags(["nonsense"])


def test_new_message(tmp_path: Path) -> None:
    received: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        connection.sendall(null_list("protocol", "cleanup_protocol", "queue_id", "ABC"))
        data = b""
        while not data.endswith(b"E\0"):
            more = connection.recv(65536)
            if not more:
                break
            data += more
        received.append(data)
        connection.sendall(null_list("status", "8", "reason", "550 5.7.1 no"))

    async def send(count: int) -> Any:
        message = await NewMessage.open("cleanup", 178, 5)
        assert message.queue_id == "ABC"
        for _ in range(count):
            message.write(encode_record(TEXT, b"x" * 1000))
            await message.relieve()
        message.write(b"E\0")
        return await message.finish()

    async def cancel() -> None:
        (await NewMessage.open("cleanup", 178, 5)).cancel()

    with serving(tmp_path, "public/cleanup", answer):
        status = run(send(3000))
        run(cancel())
    assert (status.status, status.reason) == (8, "550 5.7.1 no")
    assert received[0].startswith(null_list("flags", "178"))
    assert received[0].count(b"x" * 1000) == 3000


def test_cleanup_that_hangs_up(tmp_path: Path) -> None:
    with serving(tmp_path, "public/cleanup", lambda connection: None), pytest.raises(ServiceError):
        run(NewMessage.open("cleanup", 0, 5))
