from __future__ import annotations

import struct

from pyfix.daemons.tlsmgr.tickets import TicketKeys
from pyfix.formats.ticketkey import NAME_BYTES


def test_keys_take_turns() -> None:
    keys = TicketKeys(100)
    first = keys.encrypting(0)
    assert keys.encrypting(99) is first
    second = keys.encrypting(100)
    assert second is not first and second.name != first.name
    assert keys.named(first.name, 150) is first and keys.named(second.name, 150) is second


def test_a_key_decrypts_for_as_long_again_as_it_encrypts() -> None:
    keys = TicketKeys(100)
    first = keys.encrypting(0)
    assert keys.named(first.name, 199) is first
    assert keys.named(first.name, 200) is None


def test_unknown_names() -> None:
    keys = TicketKeys(100)
    assert keys.named(b"x" * NAME_BYTES, 0) is None
    keys.encrypting(0)
    assert keys.named(b"x" * NAME_BYTES, 0) is None
    assert keys.named(b"", 0) is None


def test_form_of_a_key() -> None:
    """Name, cipher key, MAC key and expiry, as a C structure."""
    key = TicketKeys(100).encrypting(1000)
    assert struct.unpack("=16s32s32sq", key.encode()) == (key.name, key.cipher_key, key.mac_key, 1100)


def test_no_lifetime_is_one_second() -> None:
    keys = TicketKeys(0)
    first = keys.encrypting(5)
    assert first.expires == 6
    assert keys.encrypting(6) is not first
