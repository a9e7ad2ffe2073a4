from __future__ import annotations

from pyfix.runtime.libssl.library import ffi
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.runtime.libssl.sessions import resume, session_of, unpacked


def test_what_is_no_session() -> None:
    connection = Connection(Context())
    connection.connects()
    assert session_of(connection) == b""
    assert unpacked(b"nonsense") == ffi.NULL and not resume(connection, b"nonsense")
