"""TLS on a stream that is there already, by OpenSSL through its memory buffers.

The stream stays the object that it is: what is below it, the socket, is replaced by a layer that receives and sends
like a socket.  OpenSSL itself never sees the descriptor, so that events, time limits and the edges of epoll(7) are
those of any other stream.
"""

from __future__ import annotations

from _socket import socket as Socket
from collections.abc import Awaitable, Callable
from errno import EPIPE
from typing import Final

from pyfix.formats.clienthello import ClientHello, read_client_hello
from pyfix.runtime.libssl.library import ffi, lib, library_problems
from pyfix.runtime.libssl.names import SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE, SSL_ERROR_ZERO_RETURN
from pyfix.runtime.libssl.objects import Connection, TlsError
from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream, StreamClosed

__all__ = ["HandshakeFailed", "TlsLayer", "shake_hands"]


_READ: Final = 65536
_SLICE: Final = 65536
"""Bytes that are encrypted at a time: what waits to be sent is held in that form, too."""
_RECORD: Final = 16384
"""The most that one record holds."""
_buffer: Final = ffi.new("char[]", _RECORD)


class HandshakeFailed(Exception):
    """TLS did not come about; the text is what the log says of it, *problems* what the library says."""

    def __init__(self, text: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.problems = problems


class TlsLayer:
    """Receives and sends through TLS like a non-blocking socket.

    ``recv`` returns fewer bytes than it was asked for only when the socket below is empty, as a socket does.  ``send``
    counts the last byte of what it has encrypted only when all of it has left: who sends again what was not counted,
    as one must, drives out the rest with it.
    """

    __slots__ = ("_blocked", "_carrier", "_clear", "_connection", "_ended", "_ends", "_owed", "_ssl")

    def __init__(self, carrier: Socket, connection: Connection, ends: Callable[[], None]) -> None:
        """*ends* is called when nothing more can come, although the socket may not have ended."""
        self._carrier = carrier
        self._ends = ends
        self._connection = connection
        self._clear = b""
        """Decrypted, and not yet asked for."""
        self._blocked = b""
        """Encrypted, and not taken by the kernel yet."""
        self._owed = False
        """The first byte of the next send is encrypted already."""
        self._ended = False
        """The peer has said goodbye, or something that can't be understood."""
        self._ssl = connection.handle

    @property
    def carrier(self) -> Socket:
        """The socket below."""
        return self._carrier

    @property
    def connection(self) -> Connection:
        """OpenSSL's side of the session."""
        return self._connection

    # Receiving

    def recv(self, size: int) -> bytes:
        """Return up to *size* bytes, b"" at the end.  Raises BlockingIOError when there are none yet, OSError."""
        have = self._clear or self._decrypted()
        while len(have) < size and not self._ended:
            try:
                raw = self._carrier.recv(_READ)
            except BlockingIOError:
                break
            except OSError:
                if not have:
                    raise
                break  # what came before the reset can still be read; the next call meets it again
            if not raw:
                self._ended = True
                break
            self._connection.receive(raw)
            have += self._decrypted()
            if len(raw) < _READ:
                break
        self._push_answers()
        self._clear = have[size:]
        if not have and not self._ended:
            raise BlockingIOError
        return have[:size]

    def _decrypted(self) -> bytes:
        """Return what has come, of all records that are whole."""
        parts = []
        ssl = self._ssl
        while (count := lib.SSL_read(ssl, _buffer, _RECORD)) > 0:
            parts.append(ffi.buffer(_buffer, count)[:])
        if lib.SSL_get_error(ssl, count) != SSL_ERROR_WANT_READ:
            # The peer's goodbye, or records that are none: nothing more can come.
            self._ended = True
            self._ends()
        lib.ERR_clear_error()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _push_answers(self) -> None:
        """Send what the protocol itself answers to what came; a peer that is gone is met by who reads or writes."""
        try:
            self._push()
        except OSError:
            self._blocked = b""

    # Sending

    def send(self, data: bytes | memoryview) -> int:
        """Send what the kernel takes; return how many bytes of *data* need not be sent again.

        Raises BlockingIOError, OSError.
        """
        if not self._push():
            raise BlockingIOError
        done = 0
        if self._owed:
            self._owed = False
            done = 1
        while done < len(data):
            part = bytes(data[done : done + _SLICE])
            try:
                self._connection.encrypt(part)
            except TlsError as error:
                raise BrokenPipeError(EPIPE, "TLS session is over") from error
            done += len(part)
            if not self._push():
                self._owed = True
                return done - 1
        return done

    def _push(self) -> bool:
        """Give the kernel what is encrypted; tell whether all is gone.  Raises OSError."""
        blocked = self._blocked + self.output()
        while blocked:
            try:
                blocked = blocked[self._carrier.send(blocked) :]
            except BlockingIOError:
                break
        self._blocked = blocked
        return not blocked

    def output(self) -> bytes:
        """Take what OpenSSL wants the peer to get."""
        return self._connection.take_output()

    # What else is asked of a socket

    def fileno(self) -> int:
        """Return the descriptor below."""
        return self._carrier.fileno()

    def detach(self) -> int:
        """Give the descriptor away; what is said over it from here on is not encrypted."""
        return self._carrier.detach()

    def close(self) -> None:
        """Say goodbye, without waiting for the peer's, and close."""
        try:
            self._connection.say_goodbye()
            self._push()
        except OSError:
            pass  # it is gone
        self._carrier.close()


async def shake_hands(
    stream: Stream,
    connection: Connection,
    seconds: float,
    prepare: Callable[[ClientHello], Awaitable[None]] | None = None,
) -> None:
    """Bring up TLS over *stream* within *seconds*, and put it below the stream.

    *connection* knows already which side it is.  What the stream has read before belongs to the time without TLS and is
    dropped.  *prepare* is awaited with a client's first message before the library sees it.  Raises HandshakeFailed,
    StreamTimeout; the stream can then only be closed.
    """
    stream.discard_input()
    carrier = stream.socket
    layer = TlsLayer(carrier, connection, stream.input_ends)
    timeout = stream.timeout
    stream.timeout = seconds
    stream.until = current().now + seconds
    try:
        if prepare is not None:
            connection.receive(await _first_message(stream, prepare))
        while not _step(stream, layer):
            raw = await stream.read()
            if not raw:
                raise HandshakeFailed("lost connection")
            connection.receive(raw)
        # What is in the clear must have left before the layer encrypts all that leaves.
        await stream.drain()
    except StreamClosed as error:
        raise HandshakeFailed(str(error)) from None
    finally:
        stream.timeout = timeout
        stream.until = 0.0
    stream.lay(layer)


async def _first_message(stream: Stream, prepare: Callable[[ClientHello], Awaitable[None]]) -> bytes:
    data = b""
    while (hello := read_client_hello(data)) is None:
        raw = await stream.read()
        if not raw:
            raise HandshakeFailed("lost connection")
        data += raw
    if hello != ClientHello():
        await prepare(hello)
    return data


def _step(stream: Stream, layer: TlsLayer) -> bool:
    """Do what can be done of the handshake, and send what comes of it; tell whether it is complete."""
    lib.ERR_clear_error()
    ssl = layer.connection.handle
    result = lib.SSL_do_handshake(ssl)
    if result == 1:
        stream.write(layer.output())
        return True
    reason = lib.SSL_get_error(ssl, result)
    problems = library_problems()
    output = layer.output()
    if output:
        stream.write(output)
    if reason in (SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE):
        return False
    try:
        stream.flush()
    except StreamClosed:
        pass
    if reason == SSL_ERROR_ZERO_RETURN:
        raise HandshakeFailed("lost connection")
    raise HandshakeFailed("-1", problems)
