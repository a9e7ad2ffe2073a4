"""A connected socket that one coroutine reads and writes."""

from __future__ import annotations

import array
import select
import socket
from _socket import socket as Socket
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Final, Protocol

from pyfix.runtime.loop import READ_EDGE, WRITE_EDGE, current
from pyfix.runtime.task import Task, Waiter

_FIRST_READ: Final = 16384
_LARGE_READ: Final = 262144
_INPUT: Final = int(select.EPOLLIN)
_HANGUP: Final = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_FLUSH_SIZE: Final = 65536


class StreamTimeout(Exception):
    """The peer did not send or take a byte in time."""


class StreamClosed(Exception):
    """The peer is gone: it closed the connection while we still had to write, or it was reset."""


class Layer(Protocol):
    """What can stand between a stream and its socket, such as TLS: it has the socket's manners."""

    @property
    def carrier(self) -> Socket:
        """The socket below."""

    def recv(self, size: int, /) -> bytes:
        """Receive; fewer bytes than asked for mean that the socket is empty."""

    def send(self, data: bytes | memoryview, /) -> int:
        """Send; what is not counted must be sent again."""

    def detach(self) -> int:
        """Give the descriptor away."""

    def close(self) -> None:
        """Close the socket."""


class Stream:
    """A non-blocking socket; reads and writes wait for timeout seconds at most (0: without limit).

    What is written stays in memory until the coroutine reads, drains or closes, so that several
    replies leave in one packet.
    """

    __slots__ = (
        "_buffer", "_fd", "_hangup", "_input", "_leaving", "_loop", "_only_ready", "_out", "_problem",
        "_size", "_socket", "_task", "_writer", "_writing", "deadline", "readable", "timeout", "until",
    )  # fmt: skip

    def __init__(self, connection: Socket, timeout: float = 0) -> None:
        self._socket: Socket | Layer = connection
        self._fd = connection.fileno()
        self._loop = current()
        self._out: list[bytes] = []
        self._size = _FIRST_READ
        self._task: Task | None = None
        """The coroutine that waits for input."""
        self._only_ready = False
        """It reads by itself when there is something to read."""
        self._writer: Waiter[None] | None = None
        self.readable = False
        """A read would probably find something in the kernel."""
        self._hangup = False
        self._buffer = b""
        self._input = b""
        """What was read for the coroutine that waits."""
        self._problem: StreamClosed | StreamTimeout | None = None
        self._leaving = False
        self._writing = False
        self.timeout = timeout
        self.until = 0.0
        """A deadline of the loop's clock for several reads together; 0 means none."""
        self.deadline = 0.0
        self._loop.watch(self._fd, READ_EDGE, self._event)

    # From the loop

    def _event(self, event: int) -> None:
        if event != _INPUT:
            if event & select.EPOLLOUT:
                if self._writer is not None:
                    writer, self._writer = self._writer, None
                    writer.wake(None)
                elif self._writing:
                    self._send()
            if not event & (select.EPOLLIN | _HANGUP):
                return
            if event & _HANGUP:
                # Edges do not repeat: from here on every read asks the kernel, until it returns the end.
                self._hangup = True
                if self._writer is not None:
                    writer, self._writer = self._writer, None
                    writer.wake(None)
        if self._task is None:
            self.readable = True
        elif self._only_ready:
            self._resume()
        else:
            self._receive()

    def _receive(self) -> None:
        """Read for the coroutine that waits; of many, it goes on when the other descriptors have been read, too."""
        try:
            data = self._input = self._socket.recv(self._size)
        except BlockingIOError:
            return
        except OSError as error:
            self._problem = StreamClosed(error.strerror)
        else:
            # A short read empties a stream socket; what comes later makes an event of its own.
            if len(data) == self._size:
                self.readable = True
                self._size = _LARGE_READ
            elif self._hangup:
                self.readable = True
        task = self._task
        if task is not None:
            self._task = None
            if self._loop.batching:
                self._loop.arrived.append(task.step)
            else:
                task.step()

    def _resume(self) -> None:
        task = self._task
        if task is not None:
            self._task = None
            task.step()

    def __await__(self) -> Generator[Stream, None, None]:
        """Wait for input, or for the problem that stands in its place."""
        # An iterator made in C: this is on the way of every byte.
        return iter((self,))  # type: ignore[return-value]  # await takes any iterator

    def expired(self) -> None:
        """Called by the loop when the deadline of a wait is over."""
        self.deadline = 0.0
        if self._task is not None:
            self._problem = StreamTimeout()
            self._resume()
        elif self._writer is not None:
            writer, self._writer = self._writer, None
            writer.fail(StreamTimeout())

    def _arm(self) -> None:
        timeout = self.timeout
        if timeout or self.until:
            deadline = self._loop.now + timeout if timeout else self.until
            if self.until:
                deadline = min(deadline, self.until)
            self._loop.expire_at(self, deadline)
        elif self.deadline:
            self._disarm()

    def _disarm(self) -> None:
        self._loop.expire_never(self)
        self.deadline = 0.0

    # Reading

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._fd < 0

    def fileno(self) -> int:
        """Return the descriptor, -1 after close."""
        return self._fd

    @property
    def socket(self) -> Socket:
        """The socket itself, for options and addresses."""
        below = self._socket
        return below if isinstance(below, Socket) else below.carrier

    def lay(self, layer: Layer) -> None:
        """Put *layer* between the socket and this stream, from now on."""
        self._socket = layer
        self.readable = True  # it may have something already

    def unread(self, data: bytes) -> None:
        """Give bytes back; the next read returns them first."""
        self._buffer = data + self._buffer

    def input_ends(self) -> None:
        """Know that behind what was read nothing can come: said by a layer, as no event of the socket's tells it."""
        self._hangup = True

    def discard_input(self) -> None:
        """Drop what was read and not yet asked for."""
        self._buffer = self._input = b""

    @property
    def peer_left(self) -> bool:
        """Whether the peer is known to have closed its end; what it said before can still be read."""
        return self._hangup or self._problem is not None

    @property
    def pending(self) -> bool:
        """Whether a read would probably return at once."""
        return bool(self._buffer) or self.readable

    def peek_input(self) -> bytes:
        """Return what the peer has sent that nobody has read, without waiting for more."""
        if self.readable and self._fd >= 0:
            data = b""
            with suppress(OSError):
                data = self._socket.recv(_FIRST_READ)
            self._buffer += data
            # As everywhere: only a short read has emptied the socket.
            self.readable = self._hangup or len(data) == _FIRST_READ
        return self._buffer

    async def read(self) -> bytes:
        """Return the next bytes, b"" at the end of the stream.

        Raises StreamTimeout, or StreamClosed when the connection was reset.
        """
        data = self.begin_read()
        if data is None:
            await self
            data = self.received()
        return data

    def begin_read(self) -> bytes | None:
        """Send what waits, and return what is there already; when that is None, ``await`` the stream, then received().

        The parts of read(), for those who can't have another coroutine between the loop and themselves.
        Raises StreamClosed.
        """
        if self._buffer:
            data, self._buffer = self._buffer, b""
            return data
        if self._out:
            self.send_soon()
        if self.readable and (found := self._read_ready()) is not None:
            return found
        if self._problem is not None:
            return self.received()
        if self._fd < 0:
            raise StreamClosed("closed")
        deadline = self._loop.now + self.timeout
        if deadline >= self.deadline > 0 and self.timeout and not self.until:
            # The loop looks again when the earlier one is over.
            self.deadline = deadline
        else:
            self._arm()
        return None

    def received(self) -> bytes:
        """Return what came after begin_read had nothing, b"" at the end.  Raises StreamTimeout, StreamClosed."""
        if self._problem is None:
            data, self._input = self._input, b""
            return data
        problem, self._problem = self._problem, None
        raise problem

    def _read_ready(self) -> bytes | None:
        """Return what a socket that should be readable has, None when it has nothing after all."""
        try:
            data = self._socket.recv(self._size)
        except BlockingIOError:
            self.readable = False
            return None
        except OSError as error:
            raise StreamClosed(error.strerror) from error
        if len(data) == self._size:
            self._size = _LARGE_READ
        elif data and not self._hangup:
            self.readable = False
        return data

    def read_now(self) -> bytes | None:
        """Return the bytes that are there, b"" at the end, None if there are none yet.  Raises StreamClosed."""
        if self._buffer:
            data, self._buffer = self._buffer, b""
            return data
        try:
            return self._socket.recv(self._size)
        except BlockingIOError:
            return None
        except OSError as error:
            raise StreamClosed(error.strerror) from error

    # Writing

    def write(self, data: bytes) -> None:
        """Queue *data*; it leaves when the coroutine reads, drains or closes."""
        self._out.append(data)

    def send_early(self) -> None:
        """Send now what would leave with the next read, while nobody else waits: the peer can go on at once.

        What is wrong with the connection is told by that read.
        """
        if self._out and not self._loop.batching and not self._leaving and not self._writing:
            self._send()

    def send_soon(self) -> None:
        """Send in this turn, with the others', although nobody reads; what is wrong is told by the next read."""
        if self._out and not self._leaving and not self._writing:
            if self._loop.batching:
                self._leaving = True
                self._loop.leaving.append(self._send)
            else:
                self._send()

    def flush(self) -> bool:
        """Send what the kernel takes now; tell whether all is gone."""
        out = self._out
        if not out:
            return True
        data: bytes | memoryview = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        if self._fd < 0:
            raise StreamClosed("closed")
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise StreamClosed(error.strerror) from error
        if sent == len(data):
            return True
        rest = memoryview(data)[sent:]
        while True:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                out.append(bytes(rest))
                return False
            except OSError as error:
                raise StreamClosed(error.strerror) from error
            if not rest:
                return True

    def _send(self) -> None:
        """Send while the coroutine waits for input; what the kernel does not take now leaves when it can."""
        self._leaving = False
        out = self._out
        if len(out) == 1 and self._writer is None and not self._writing:
            # Nearly always all of it leaves with one call.
            data = out.pop()
            try:
                sent = self._socket.send(data)
            except OSError:
                sent = 0
            if sent == len(data):
                return
            out.append(data[sent:])
        if not out or self._fd < 0 or self._writer is not None:
            return
        try:
            done = self.flush()
        except StreamClosed as error:
            self._problem = error
            self._resume()
            return
        if done is self._writing:
            self._writing = not done
            self._loop.rewatch(self._fd, READ_EDGE if done else WRITE_EDGE)

    async def drain(self, before_wait: Callable[[], None] | None = None) -> None:
        """Wait until all is sent; *before_wait* is called when the kernel takes no more, and may move the deadline.

        Raises StreamTimeout or StreamClosed.
        """
        if self.flush():
            return
        self._loop.rewatch(self._fd, WRITE_EDGE)
        try:
            while not self.flush():
                if before_wait is not None:
                    before_wait()
                self._arm()
                waiter: Waiter[None] = Waiter()
                self._writer = waiter
                await waiter
        finally:
            self._writing = False
            if self._fd >= 0:
                self._loop.rewatch(self._fd, READ_EDGE)

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent; a writer of much calls drain when it passes some 64 KiB."""
        return sum(map(len, self._out))

    # Descriptors

    async def send_descriptor(self, fd: int) -> None:
        """Pass an open descriptor, with one byte of data as Postfix does.  Raises StreamClosed."""
        await self.drain()
        try:
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))
            self.socket.sendmsg([b"\0"], [rights])
        except OSError as error:
            raise StreamClosed(error.strerror) from error

    async def receive_descriptor(self) -> int:
        """Return a descriptor that the peer passes.  Raises StreamTimeout or StreamClosed.

        To be called when nothing else of the peer's is unread: ordinary reads drop descriptors.
        """
        await self.drain()
        size = array.array("i").itemsize
        while True:
            try:
                data, ancillary, _flags, _address = self.socket.recvmsg(1, socket.CMSG_SPACE(size))
            except BlockingIOError:
                self.readable = False
                self._arm()
                self._only_ready = True
                await self
                self._only_ready = False
                if self._problem is not None:
                    problem, self._problem = self._problem, None
                    raise problem from None
                continue
            except OSError as error:
                raise StreamClosed(error.strerror) from error
            for level, kind, payload in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    return int.from_bytes(payload[:size], "little")
            if not data:
                raise StreamClosed("no descriptor")

    # The end

    def close(self) -> None:
        """Send what the kernel takes at once, and close."""
        fd = self._fd
        if fd < 0:
            return
        if self._out:
            try:
                self.flush()
            except StreamClosed:
                self._out.clear()
        self._fd = -1
        self.readable = False
        self._loop.forget(fd)
        if self.deadline:
            self._disarm()
        self._socket.close()
        if self._task is not None:
            self._problem = StreamClosed("closed")
            self._resume()
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.fail(StreamClosed("closed"))

    def detach(self) -> int:
        """Give the descriptor away, open, when all that was written is sent; the stream is closed."""
        fd = self._fd
        self._fd = -1
        self._loop.unwatch(fd)
        if self.deadline:
            self._disarm()
        return self._socket.detach()

    async def close_when_sent(self) -> None:
        """Send all, then close; a peer that takes nothing is dropped after the timeout."""
        try:
            await self.drain()
        except (StreamTimeout, StreamClosed):
            self._out.clear()
        self.close()
