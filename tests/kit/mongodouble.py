"""A double of a MongoDB server: the wire protocol's OP_MSG (and the first OP_QUERY), and the simplest of queries.

No package of Debian or PyPI has the real server.  What this shows is what the client library sends and how its answers
are taken, not what MongoDB makes of a query.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import bson

_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013
_HELLO = {
    "helloOk": True, "ismaster": True, "isWritablePrimary": True, "maxBsonObjectSize": 1 << 24, "maxMessageSizeBytes": 48000000,
    "maxWriteBatchSize": 1000, "minWireVersion": 0, "maxWireVersion": 21, "readOnly": False, "ok": 1.0,
}  # fmt: skip


class MongoDouble:
    """Serves the documents of some collections; ``finds`` has the find commands that came."""

    def __init__(self, collections: Mapping[str, Sequence[Mapping[str, Any]]], context: ssl.SSLContext | None = None) -> None:
        self.collections = dict(collections)
        self.finds: list[dict[str, Any]] = []
        self.failure: dict[str, Any] | None = None
        """What find is answered with instead."""
        self.silent = False
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, EOFError), client:
            stream = self._context.wrap_socket(client, server_side=True) if self._context else client
            while True:
                size, number, _, operation = struct.unpack("<iiii", _exactly(stream, 16))
                body = _exactly(stream, size - 16)
                if operation == _OP_QUERY:
                    start = body.index(b"\0", 4) + 9
                    answer = self._answer(bson.decode(body[start:]))
                    reply = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(answer)
                    kind = _OP_REPLY
                else:
                    reply = struct.pack("<IB", 0, 0) + bson.encode(self._answer(bson.decode(body[5:])))
                    kind = _OP_MSG
                stream.sendall(struct.pack("<iiii", len(reply) + 16, 1, number, kind) + reply)

    def _answer(self, command: Mapping[str, Any]) -> dict[str, Any]:
        name = next(iter(command))
        if name.lower() in ("hello", "ismaster"):
            return _HELLO
        if name != "find":
            return {"ok": 1.0}
        self.finds.append(dict(command))
        if self.silent:
            threading.Event().wait(30)
        if self.failure is not None:
            return self.failure
        found = [document for document in self.collections.get(command["find"], ()) if matches(document, command["filter"])]
        chosen = [_projected(document, command.get("projection", {})) for document in found]
        return {"cursor": {"firstBatch": chosen, "id": bson.Int64(0), "ns": f"{command['$db']}.{command['find']}"}, "ok": 1.0}

    def close(self) -> None:
        """Serve nobody any more."""
        with suppress(OSError):  # it was closed before
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _exactly(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = stream.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def matches(document: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    """Say whether a document has the fields of a query, which may have ``$or`` and names with dots in it."""
    for name, wanted in query.items():
        if name == "$or":
            if not any(matches(document, each) for each in wanted):
                return False
        elif wanted not in list(_values(document, name.split("."))):
            return False
    return True


def _values(value: Any, path: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for each in value:
            yield from _values(each, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def _projected(document: Mapping[str, Any], projection: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {name for name, use in projection.items() if use}
    hidden = {name for name, use in projection.items() if not use}
    return {name: value for name, value in document.items() if name not in hidden and (not wanted or name in wanted)}


@contextmanager
def mongo_double(
    collections: Mapping[str, Sequence[Mapping[str, Any]]], context: ssl.SSLContext | None = None
) -> Iterator[MongoDouble]:
    """Run a double until the end of the block."""
    double = MongoDouble(collections, context)
    try:
        yield double
    finally:
        double.close()
