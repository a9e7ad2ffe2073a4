from __future__ import annotations

import gc

import pytest

from pyfix.runtime.libssl.library import ffi, lib
from pyfix.runtime.libssl.objects import Connection, Context, TlsError, connection_of, read_buffer


def test_connections_are_found_while_they_live() -> None:
    connection = Connection(Context())
    handle = connection.handle
    assert connection_of(handle) is connection
    address = connection.address
    del connection
    gc.collect()
    with pytest.raises(KeyError):
        connection_of(ffi.cast("SSL *", address))


def test_a_client_speaks_first() -> None:
    connection = Connection(Context())
    connection.connects()
    connection.ask_for("mx.example")
    assert not connection.shake_hands() and connection.waits_for_input
    assert connection.take_output().startswith(b"\x16") and connection.take_output() == b""
    assert connection.asked_name == "mx.example" and connection.peer_certificate is None and connection.group == ""


def test_what_is_no_handshake_is_an_error() -> None:
    connection = Connection(Context())
    connection.accepts()
    connection.receive(b"EHLO client.example\r\n")
    with pytest.raises(TlsError, match="wrong version number"):
        connection.shake_hands()


def test_lists() -> None:
    context = Context()
    with pytest.raises(TlsError, match="no cipher match"):
        context.set_cipher_list(b"NONSENSE")
    assert context.set_groups("x25519:secp256r1") and not context.set_groups("nonsense")
    assert not lib.ERR_get_error()
    with pytest.raises(TlsError):
        context.load_client_authorities("/nonexistent")


def test_buffers() -> None:
    buffer, room = read_buffer(b"abc"), ffi.new("char[]", 8)
    assert lib.BIO_read(buffer, room, 8) == 3 and ffi.buffer(room, 3)[:] == b"abc"
