"""Daemons that answer attribute-list requests over connections which clients keep open."""

from __future__ import annotations

from typing import ClassVar

from pyfix.formats.attributes import AttributeListError, Attributes, Encoding, decode_pairs
from pyfix.runtime.daemon import Daemon
from pyfix.runtime.ipc import handshake, receive_list
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

    async def answer(self, request: Attributes, stream: Stream) -> Attributes | None:
        """Return what to reply, or None when the reply was written to the stream already."""
        raise NotImplementedError

    def refuse(self, name: str) -> Attributes | None:
        """Return the reply to a request that is malformed or not in REQUESTS, if there is one."""
        raise NotImplementedError

    def client_gone(self, stream: Stream) -> None:
        """The client closed its connection."""

    async def serve(self, stream: Stream) -> None:
        """Answer one client until it goes or is silent for too long."""
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
            while (data := await receive_list(stream, self.ENCODING)) is not None:
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
        if not pairs or pairs[0][0] != "request":
            first = pairs[0][0] if pairs else ""
            return self._malformed("", f"unexpected attribute {first} from {where} (expecting: request)")
        name = pairs[0][1]
        message = self.REQUESTS.get(name)
        if message is None:
            log.warning(f'unrecognized request: "{name}", ignored')
            return self.refuse(name)
        try:
            request = message.from_pairs(pairs)
        except AttributeListError as error:
            return self._malformed(name, error.complaint(where))
        return await self.answer(request, stream)

    def _malformed(self, name: str, complaint: str) -> Attributes | None:
        log.warning(complaint)
        if self.DROPS_MALFORMED:
            raise _Dropped
        return self.refuse(name)


class _Dropped(Exception):
    """The connection ends after a request that was complained of."""
