"""A connection of qmgr(8) to a delivery agent that stays open for another request.

A client that would like that says so after its request, and a server that agrees says the same after its answer, once a
connection.  Postfix's programs do not look at what follows a request or an answer.
"""

from __future__ import annotations

from typing import Final

from pyfix.formats.attributes import encode_pairs

STAYS: Final = encode_pairs([("pyfix_connection", "stays")])
