"""A trivial-rewrite(8) for its clients."""

from __future__ import annotations

import socket
from typing import Any

from tests.unit.clients.server import null_list, requests

TIMES = {"timeout": 5.0, "idle": 5.0, "ttl": 1000.0}


def trivial_rewrite(flags: str = "0") -> Any:
    def answer(connection: socket.socket) -> None:
        connection.sendall(null_list("protocol", "trivial_rewrite_protocol"))
        for request in requests(connection):
            words = request.split("\0")
            if words[1] == "rewrite":
                connection.sendall(null_list("flags", flags, "address", f"{words[5]}@{words[3]}"))
            else:
                reply = ("flags", flags, "transport", words[1], "nexthop", "n", "recipient", words[5], "flags", "256")
                connection.sendall(null_list(*reply))

    return answer
