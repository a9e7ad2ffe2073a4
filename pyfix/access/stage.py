"""The stages at which restrictions are asked, and the words of their replies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyfix.access.transaction import Transaction

__all__ = [
    "CLIENT", "DATA", "END_OF_DATA", "ETRN", "HELO", "RECIPIENT", "REVERSE_CLIENT", "SASL", "SENDER", "Stage",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: what is judged there and what it is called."""

    name: str
    """``client`` as in smtpd_client_restrictions."""
    label: str
    """What replies call it: ``Client host``."""
    subject: Callable[[Transaction], str]
    """What is judged: ``<subject>: label rejected``."""
    table: str
    """The restriction that a bare ``type:table`` stands for."""


CLIENT: Final = Stage("client", "Client host", lambda transaction: transaction.client.log_name, "check_client_access")
REVERSE_CLIENT: Final = Stage(
    "client", "Unverified Client host", lambda transaction: transaction.client.reverse_name, "check_client_access"
)
"""Not a stage of its own: the client by a name that may not be its own."""
HELO: Final = Stage("helo", "Helo command", lambda transaction: transaction.helo_name or "", "check_helo_access")
SENDER: Final = Stage("sender", "Sender address", lambda transaction: transaction.sender or "", "check_sender_access")
RECIPIENT: Final = Stage(
    "recipient", "Recipient address", lambda transaction: transaction.recipient or "", "check_recipient_access"
)
DATA: Final = Stage("data", "Data command", lambda _: "DATA", "")
END_OF_DATA: Final = Stage("end_of_data", "End-of-data", lambda _: "END-OF-MESSAGE", "")
SASL: Final = Stage("sasl", "SASL login name", lambda transaction: transaction.sasl_username, "")
"""No list is asked here: it is what check_sasl_access calls its subject."""
ETRN: Final = Stage("etrn", "Etrn command", lambda transaction: transaction.etrn_domain, "check_etrn_access")
