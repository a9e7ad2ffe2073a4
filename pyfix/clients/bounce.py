"""Requests to the bounce, defer and trace services (bounce(8))."""

from __future__ import annotations

from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal.bounce import PROTOCOL, Append, Flush, FlushVerp, One, Result
from pyfix.runtime import ipc
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log


async def _ask(service: str, request: Attributes, timeout: float) -> bool:
    try:
        result = await ipc.call(f"private/{service}", PROTOCOL, request, Result, timeout)
    except ServiceError as error:
        log.warning(str(error))
        return False
    return result.status == 0


async def append(service: str, entry: Append, timeout: float) -> bool:
    """Add an outcome to the log that *service* (``bounce``, ``defer`` or ``trace``) keeps; tell whether it is there."""
    return await _ask(service, entry, timeout)


async def flush(service: str, request: Flush | FlushVerp | One, timeout: float) -> bool:
    """Let *service* send its notice for a message; tell whether that is done."""
    return await _ask(service, request, timeout)
