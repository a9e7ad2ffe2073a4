"""Named attributes of the client, which cleanup only hands on."""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = frozenset(
    (
        b"log_ident", b"log_client_name", b"log_client_address", b"log_client_port", b"log_message_origin",
        b"log_helo_name", b"log_protocol_name", b"client_name", b"reverse_client_name", b"client_address",
        b"client_port", b"server_address", b"server_port", b"helo_name", b"protocol_name", b"client_address_type",
        b"sasl_method", b"sasl_username", b"sasl_sender",
    )
)  # fmt: skip
"""There are fewer of these than postconf(5) queue_file_attribute_count_limit allows."""
_CLEAN: Final = re.compile(rb"[!-~](?:[ -~]*[!-~])?\Z")
"""A value that needs no second look."""
_LONGEST: Final = 0x7F
_MOST: Final = 5000


class PlainAttributes(dict[bytes, tuple[bytes, bytes] | None]):
    """What is in the payload of an attribute record: name and value, or None when it must be looked at closely.

    Clients come again and say the same: what was seen once is known.
    """

    def __missing__(self, payload: bytes) -> tuple[bytes, bytes] | None:
        """Look at a payload that was not met before."""
        name, _, value = payload.partition(b"=")
        if name not in _NAMES or len(payload) > _LONGEST or _CLEAN.match(value) is None:
            return None
        if len(self) >= _MOST:
            self.clear()
        self[payload] = found = (name, value)
        return found
