"""Daemons that answer attribute-list requests over connections which clients keep open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pyfix.formats.attributes import AttributeListError, Attributes, Encoding, decode_pairs
from pyfix.runtime.daemon import Daemon
from pyfix.runtime.ipc import handshake, next_request, receive_list
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream


class RequestDaemon(Daemon):
    """Answers each list whose first attribute, ``request``, names one of REQUESTS."""

    capacity = 1000
    PROTOCOL: ClassVar[str] = ""
    ENCODING: ClassVar[Encoding] = "null"
    REQUESTS: ClassVar[dict[str, type[Attributes]]] = {}
    DROPS_MALFORMED: ClassVar[bool] = False
    """Whether a request that lacks something ends the connection without a reply."""
    DROPS_NAMELESS: ClassVar[bool] = False
    """Whether a list that does not begin with ``request`` does."""
    IGNORES_UNKNOWN: ClassVar[bool] = False
    """Whether a request that is not in REQUESTS gets neither reply nor warning; nor does an empty list."""
    NEEDED: ClassVar[tuple[str, ...]] = ()
    """What must follow the name even of a request that is not in REQUESTS."""

    async def answer(self, request: Attributes, stream: Stream) -> Attributes | None:
        """Return what to reply, or None when the reply was written to the stream already."""
        raise NotImplementedError  # for the subclass

    def refuse(self, name: str) -> Attributes | None:
        """Return the reply to a request that is malformed or not in REQUESTS, if there is one.

        *name* is empty if there is none.
        """
        raise NotImplementedError  # for the subclass

    def client_gone(self, stream: Stream) -> None:
        """The client closed its connection."""

    async def serve(self, stream: Stream) -> None:
        """Answer one client until it goes."""
        stream.write(handshake(self.PROTOCOL, self.ENCODING))
        await self.answer_all(stream)

    async def answer_one(self, stream: Stream) -> None:
        """Answer the only request of a client that has been greeted."""
        try:
            data = await receive_list(stream, self.ENCODING)
            reply = None if data is None else await self._reply(data, stream)
            if reply is not None:
                stream.write(reply.encode())
        except AttributeListError as error:
            log.warning(f"{self.invocation.service}: {error}")

    async def answer_all(self, stream: Stream) -> None:
        """Answer the requests of a client that has been greeted."""
        try:
            while (data := await next_request(stream, self.ENCODING)) is not None:
                reply = await self._reply(data, stream)
                if reply is not None:
                    stream.write(reply.encode())
        except AttributeListError as error:
            log.warning(f"{self.invocation.service}: {error}")
        except _Dropped:
            return
        finally:
            self.client_gone(stream)

    async def _reply(self, data: bytes, stream: Stream) -> Attributes | None:
        pairs = decode_pairs(data, self.ENCODING)
        where = f"{self.invocation.service} socket"
        message = self.REQUESTS.get(pairs[0][1]) if pairs and pairs[0][0] == "request" else None
        if message is None:
            return self._unknown(pairs, where)
        try:
            request = message.from_pairs(pairs)
        except AttributeListError as error:
            return self._malformed(pairs[0][1], error.complaint(where, strict=True), drop=self.DROPS_MALFORMED)
        return await self.answer(request, stream)

    def _unknown(self, pairs: Sequence[tuple[str, str]], where: str) -> Attributes | None:
        expected = ("request", *self.NEEDED)
        for (found, _value), wanted in zip(pairs, expected, strict=False):
            if found != wanted:
                complaint = f"unexpected attribute {found} from {where} (expecting: {wanted})"
                return self._malformed("", complaint, drop=self.DROPS_NAMELESS)
        if self.IGNORES_UNKNOWN:
            return None
        if len(pairs) < len(expected):
            complaint = f"missing attribute {expected[len(pairs)]} in input from {where}"
            return self._malformed("", complaint, drop=self.DROPS_NAMELESS)
        name = pairs[0][1]
        log.warning(f'unrecognized request: "{name}", ignored')
        return self.refuse(name)

    def _malformed(self, name: str, complaint: str, *, drop: bool) -> Attributes | None:
        log.warning(complaint)
        if drop:
            raise _Dropped
        return self.refuse(name)


class _Dropped(Exception):
    """The connection ends after a request that was complained of."""
