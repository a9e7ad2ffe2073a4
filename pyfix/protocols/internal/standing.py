"""What a server of pyfix adds to an answer when its connection stays open for another request.

Postfix's clients close the connection when they have their answer, and do not look at what follows it.  Postfix's
servers do not say this, and some of them wait for their client to close: with them each request has a connection of
its own.
"""

from __future__ import annotations

from typing import Final

from pyfix.formats.attributes import encode_pairs

STAYS: Final = encode_pairs([("pyfix_connection", "stays")])
