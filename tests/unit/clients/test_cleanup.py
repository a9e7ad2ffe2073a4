from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyfix.clients.cleanup import NewMessage, input_flags
from pyfix.formats.records import TEXT, encode_record
from pyfix.protocols.internal import cleanup as bits
from pyfix.runtime.ipc import IdleStreams, ServiceError
from pyfix.runtime.task import sleep
from tests.kit.cleanup import CleanupStandIn
from tests.unit.clients.server import run, serving


def test_flags() -> None:
    everything = bits.FILTER | bits.BCC_OK | bits.MAP_OK
    assert input_flags([]) == everything
    assert input_flags(["no_address_mappings"]) == bits.FILTER
    assert input_flags(["no_header_body_checks", "no_unknown_recipient_checks"]) == bits.BCC_OK | bits.MAP_OK
    assert input_flags([], milters=True) == everything | bits.MILTER


def test_new_message(tmp_path: Path) -> None:
    cleanup = CleanupStandIn(["ABC", "ABC"], 8, "550 5.7.1 no")

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

    with serving(tmp_path, "public/cleanup", cleanup.answer):
        status = run(send(3000))
        run(cancel())
    assert (status.status, status.reason) == (8, "550 5.7.1 no")
    taken = cleanup.next()
    assert (taken.flags, taken.lines()) == (178, ["x" * 1000] * 3000)
    assert cleanup.is_silent, "a message that was given up"


def test_cleanup_that_hangs_up(tmp_path: Path) -> None:
    with serving(tmp_path, "public/cleanup", lambda connection: None), pytest.raises(ServiceError):
        run(NewMessage.open("cleanup", 0, 5))


# -- several messages over one connection --------------------------------------------------------------------------


async def some(count: int, idle: IdleStreams) -> list[str]:
    ids = []
    for _ in range(count):
        message = await NewMessage.open("cleanup", 0, 5, idle)
        ids.append(message.queue_id)
        message.write(b"E\0")
        assert (await message.finish()).status == 0
    return ids


@pytest.mark.parametrize(("stays", "connections"), [(True, 1), (False, 3)])
def test_one_connection_for_several_messages(tmp_path: Path, stays: bool, connections: int) -> None:
    """As long as cleanup gives queue ids in advance, which Postfix's does not."""

    async def send() -> list[str]:
        return await some(3, IdleStreams(5, 100, server_speaks=True))

    cleanup = CleanupStandIn(["A", "B", "C", "D"], gives_more=stays)
    with serving(tmp_path, "public/cleanup", cleanup.answer) as served:
        assert run(send()) == ["A", "B", "C"]
    assert len(served) == connections


def test_a_cleanup_that_ends_after_it_gave_an_id(tmp_path: Path) -> None:
    """The id is not used: nobody would take the message."""

    async def send() -> list[str]:
        idle = IdleStreams(5, 100, server_speaks=True)
        first = await some(1, idle)
        await sleep(0.05)  # until the end of the connection is known
        return first + await some(1, idle)

    cleanup = CleanupStandIn(["A", "B", "C", "D"], gives_more=True, leaves_after=1)
    with serving(tmp_path, "public/cleanup", cleanup.answer) as served:
        assert run(send()) == ["A", "C"]
    assert len(served) == 2
