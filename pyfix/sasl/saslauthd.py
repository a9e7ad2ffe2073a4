"""A question to saslauthd(8).

Source: saslauthd(8).
"""

from __future__ import annotations

from typing import Final

from pyfix.protocols.sasl import saslauthd as protocol
from pyfix.runtime.ipc import ServiceError, connect
from pyfix.runtime.stream import Stream, StreamClosed, StreamTimeout

__all__ = ["SaslauthdError", "check_password"]

_TIMEOUT: Final = 60.0
"""Seconds that saslauthd has: PAM and LDAP behind it may be slow."""


class SaslauthdError(Exception):
    """saslauthd could not be asked; the text is for the log."""


async def check_password(path: str, login: bytes, password: bytes, service: bytes, realm: bytes) -> bool:
    """Say whether login and password belong together.  Raises SaslauthdError."""
    try:
        request = protocol.question(login, password, service, realm)
    except ValueError as error:
        raise SaslauthdError(str(error)) from None
    try:
        stream = await connect(path, _TIMEOUT)
    except ServiceError as error:
        raise SaslauthdError(f"cannot connect to saslauthd server: {str(error).rpartition(': ')[2]}") from None
    problem = "size read failed"
    try:
        stream.write(request)
        data = b""
        while len(data) < protocol.ANSWER_SIZE.size:
            data += await _more(stream)
        (size,) = protocol.ANSWER_SIZE.unpack_from(data)
        answer = data[protocol.ANSWER_SIZE.size :]
        if size < protocol.LEAST:
            raise SaslauthdError("bad response from saslauthd")
        problem = "read failed"
        while len(answer) < min(size, protocol.MOST):
            answer += await _more(stream)
    except (StreamClosed, StreamTimeout):
        raise SaslauthdError(problem) from None
    finally:
        stream.close()
    return protocol.accepts(answer)


async def _more(stream: Stream) -> bytes:
    """Return the next bytes.  Raises StreamClosed at their end, StreamTimeout."""
    data = await stream.read()
    if not data:
        raise StreamClosed("end of input")
    return data
