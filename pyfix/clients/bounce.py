"""Requests to the bounce, defer and trace services (bounce(8))."""

from __future__ import annotations

from pyfix.formats.attributes import Attributes
from pyfix.protocols.internal.bounce import PROTOCOL, Append, Flush, FlushVerp, One, Result
from pyfix.runtime import ipc
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.log import log


async def append(service: str, entry: Append, timeout: float) -> bool:
    """Add an outcome to the log that *service* (``bounce``, ``defer`` or ``trace``) keeps; tell whether it is there."""
    try:
        return (await _ask(service, entry, timeout)).status == 0
    except ServiceError as error:
        log.warning(str(error))
        return False


async def flush(service: str, request: Flush | FlushVerp | One, timeout: float) -> bool:
    """Let *service* send its notice for a message; tell whether that is done.  The caller says so when it is not."""
    try:
        return (await _ask(service, request, timeout)).status == 0
    except ServiceError:
        return False


async def _ask(service: str, request: Attributes, timeout: float) -> Result:
    return await ipc.call(f"private/{service}", PROTOCOL, request, Result, timeout)
