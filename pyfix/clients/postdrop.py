"""A new message for postdrop(1), for those who may not talk to cleanup(8).

Source: postdrop(1); sendmail(1) on -bs.
"""

from __future__ import annotations

from io import BufferedReader
from typing import IO, TYPE_CHECKING

from pyfix.clients.cleanup import NewMessage
from pyfix.formats.attributes import AttributeListError, decode_pairs, end_of_list
from pyfix.protocols.internal.cleanup import Status
from pyfix.runtime.ipc import ServiceError

if TYPE_CHECKING:
    import subprocess

__all__ = ["DroppedMessage"]

_PROTOCOL = "postdrop_protocol"


class DroppedMessage(NewMessage):
    """A message on its way to the maildrop queue; postdrop runs with the rights that this needs.

    It speaks cleanup's protocol without the flags.  All calls block: there is one session, and it waits.
    """

    __slots__ = ("_child", "_closed", "queue_id")

    def __init__(self, child: subprocess.Popen[bytes], queue_id: str) -> None:
        self._child = child
        self._closed = False
        self.queue_id = queue_id

    @classmethod
    def run(cls, program: str) -> DroppedMessage:
        """Start postdrop and learn the queue id.  Raises ServiceError."""
        import subprocess

        try:
            child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise ServiceError(f"{program}: {error.strerror}") from error
        assert child.stdout is not None
        try:
            pairs = _pairs(child.stdout, program)
            if len(pairs) != 2 or pairs[0] != ("protocol", _PROTOCOL) or pairs[1][0] != "queue_id":
                raise ServiceError(f"{program}: no queue id")
        except ServiceError:
            child.kill()
            cls(child, "").cancel()
            raise
        return cls(child, pairs[1][1])

    def send_early(self) -> None:
        """Everything has been sent already."""

    def write(self, records: bytes) -> None:
        """Send records; a postdrop that is gone is noticed when the message is finished."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(records)
        except OSError:
            self._closed = True

    async def relieve(self) -> None:
        """Do nothing: the pipe makes the writer wait.  Raises ServiceError when nobody reads it."""
        if self._closed:
            raise ServiceError("postdrop: Broken pipe")

    async def finish(self) -> Status:
        """Send the rest and return what postdrop says.  Raises ServiceError."""
        assert self._child.stdin is not None and self._child.stdout is not None
        try:
            self._child.stdin.flush()
            pairs = _pairs(self._child.stdout, "postdrop")
            return Status.from_pairs(pairs)
        except (OSError, AttributeListError) as error:
            raise ServiceError(f"postdrop: {error}") from error
        finally:
            self._end()

    def cancel(self) -> None:
        """Close without an E record: postdrop removes the file."""
        self._end()

    def _end(self) -> None:
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass
        self._child.wait()


def _pairs(stream: IO[bytes], name: str) -> list[tuple[str, str]]:
    """Read one attribute list, and nothing of the next.  Raises ServiceError at the end of input."""
    assert isinstance(stream, BufferedReader)
    data = b""
    while True:
        more = stream.peek()
        if not more:
            raise ServiceError(f"{name}: end of input")
        end = end_of_list(data + more)
        if end >= 0:
            return decode_pairs(data + stream.read(end - len(data)))
        data += stream.read(len(more))
