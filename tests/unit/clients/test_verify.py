from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from pyfix.clients.verify import VerifyClient
from pyfix.runtime.ipc import ServiceError
from tests.unit.clients.rewriting import TIMES
from tests.unit.clients.server import null_list, requests, run, serving


def test_verify(tmp_path: Path) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(null_list("protocol", "address_verification_prrotocol"))
        for request in requests(connection):
            if request.startswith("request\0query"):
                connection.sendall(null_list("status", "0", "recipient_status", "2", "reason", "gone"))
            else:
                connection.sendall(null_list("status", "4294967295"))

    async def ask() -> Any:
        client = VerifyClient("verify", **TIMES)
        probe = await client.query("a@b")
        with pytest.raises(ServiceError, match="refused"):
            await client.update("a@b", 0, "")
        return probe

    with serving(tmp_path, "private/verify", answer):
        assert run(ask()) == (2, "gone")
