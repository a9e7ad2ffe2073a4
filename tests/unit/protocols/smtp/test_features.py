from __future__ import annotations

import pytest

from pyfix.protocols.smtp.features import BEST_SERVER, offer_of, offered
from pyfix.protocols.smtp.offer import Offer

CASES = [
    ("", 0x1),
    ("8BITMIME", 0x3),
    ("PIPELINING", 0x5),
    ("SIZE 10000", 0x9),
    ("STARTTLS", 0x11),
    ("XFORWARD NAME ADDR PROTO HELO SOURCE IDENT PORT", 0x140F81),
    ("DSN", 0x8001),
    ("SMTPUTF8\n250-8BITMIME", 0x200003),
    ("ENHANCEDSTATUSCODES", 0x1),
    ("PIPELINING\n250-SIZE\n250-SMTPUTF8\n250-8BITMIME", 0x20000F),
]


@pytest.mark.parametrize(("keywords", "bits"), CASES)
def test_numbers(keywords: str, bits: int) -> None:
    """As the reference said them to its cache, of one server for each."""
    offer = Offer()
    offer.read(f"250-mx\n250-{keywords}\n250 VRFY", (), print)
    assert offered(offer, esmtp=True) == bits
    again = offer_of(bits)
    assert again.keywords == offer.keywords - {"VRFY", "ENHANCEDSTATUSCODES"} and again.xforward == offer.xforward
    assert again.size_limit == 0


def test_no_esmtp() -> None:
    assert offered(Offer(), esmtp=False) == 0
    assert offer_of(BEST_SERVER).keywords == set()
