"""Sessions as bytes: what a cache keeps of one, and a connection that goes on with it.

Source: d2i_SSL_SESSION(3ssl), SSL_set_session(3ssl).
"""

from __future__ import annotations

from typing import Any

from pyfix.runtime.libssl.library import ffi, lib
from pyfix.runtime.libssl.objects import Connection

__all__ = ["id_of", "packed", "resume", "session_of", "unpacked"]


def packed(session: Any) -> bytes:
    """Return a session (the library's object) as bytes; none where it can't be resumed."""
    size = lib.i2d_SSL_SESSION(session, ffi.NULL)
    if size <= 0:
        return b""
    room = ffi.new("unsigned char[]", size)
    at = ffi.new("unsigned char **", room)
    lib.i2d_SSL_SESSION(session, at)
    return bytes(ffi.buffer(room, size))


def unpacked(content: bytes) -> Any:
    """Return the library's object of a session, which the caller has to free; NULL for bytes that are none."""
    room = ffi.new("unsigned char[]", content)
    at = ffi.new("const unsigned char **", room)
    found = lib.d2i_SSL_SESSION(ffi.NULL, at, len(content))
    lib.ERR_clear_error()
    return found


def session_of(connection: Connection) -> bytes:
    """Return the session that a connection has, as far as it is known by now."""
    found = lib.SSL_get1_session(connection.handle)
    return b"" if found == ffi.NULL else packed(ffi.gc(found, lib.SSL_SESSION_free))


def resume(connection: Connection, content: bytes) -> bool:
    """Let a client go on with an earlier session; tell whether it is one."""
    found = unpacked(content)
    if found == ffi.NULL:
        return False
    done = lib.SSL_set_session(connection.handle, found)
    lib.SSL_SESSION_free(found)
    lib.ERR_clear_error()
    return bool(done == 1)


def id_of(session: Any) -> bytes:
    """Return the id of a session (the library's object)."""
    size = ffi.new("unsigned int *")
    found = lib.SSL_SESSION_get_id(session, size)
    return bytes(ffi.buffer(found, size[0]))
