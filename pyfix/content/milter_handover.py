"""smtpd(8) gives the milters of a session to cleanup(8) for the time of a message, and keeps them.

Both programs have the connections then, and only cleanup uses them until it has given its answer.
"""

from __future__ import annotations

import os
import socket

from pyfix.clients.cleanup import NewMessage
from pyfix.content.milter_connection import Milter
from pyfix.content.milter_settings import MilterSpec
from pyfix.content.milters import Milters
from pyfix.formats.records import MILTER_COUNT, encode_record
from pyfix.protocols.internal.milters import PassedMilter, encode_common, encode_milter
from pyfix.protocols.milter.options import Options
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream

__all__ = ["hand_over", "taken_over"]


async def hand_over(message: NewMessage, milters: Milters, service: str) -> bool:
    """Give cleanup(8) the milters that take part in the message; tell whether it has them."""
    active = milters.active
    message.write(encode_record(MILTER_COUNT, b"%d" % len(active)))
    if not active:
        return True
    await milters.send_all()
    message.write(encode_common(milters.lists, milters.defaults))
    pieces = []
    for milter in active:
        if milter.stream is None:
            return False
        pieces.append((encode_milter(_passed(milter)), milter.stream.fileno()))
    try:
        if await message.pass_descriptors(pieces):
            return True
    except ServiceError:
        pass
    log.warning(f"cannot send milters to service {service}")
    return False


def _passed(milter: Milter) -> PassedMilter:
    spec, options = milter.spec, milter.machine.options
    return PassedMilter(
        name=spec.name,
        version=options.version,
        modifications=options.modifications,
        events=options.events,
        missing_events=options.missing,
        state=int(milter.machine.state),
        connect_timeout=int(spec.connect_timeout),
        command_timeout=int(spec.command_timeout),
        content_timeout=int(spec.content_timeout),
        default_action=spec.default_action,
        symbols=milter.symbols,
    )


def taken_over(passed: PassedMilter, descriptor: int) -> Milter:
    """Return the milter that smtpd(8) has passed, with its connection."""
    spec = MilterSpec(
        passed.name,
        passed.connect_timeout,
        passed.command_timeout,
        passed.content_timeout,
        passed.default_action,
        str(passed.version),
    )
    connection = socket.socket(fileno=descriptor)
    blocking = os.get_blocking(descriptor)
    connection.setblocking(False)
    milter = Milter(spec)
    options = Options(passed.version, passed.modifications, passed.events, passed.missing_events, dict(passed.symbols))
    milter.adopt(Stream(connection, spec.command_timeout), options, passed.state, blocking=blocking)
    return milter
