"""Masquerading.  The expectations are what the reference made of the same addresses."""

from __future__ import annotations

import pytest

from pyfix.rewriting.masquerade import Masquerade

from .conftest import MakeSettings
from .resolving.conftest import now


@pytest.mark.parametrize(
    ("address", "result"),
    [
        ("u@a.b.masq.example", "u@masq.example"),
        ("u@A.MASQ.example", "u@masq.example"),
        ("u@masq.example", "u@masq.example"),
        ("root@a.masq.example", "root@a.masq.example"),
        ("u@not.masq.example", "u@not.masq.example"),
        ("u@sub.not.masq.example", "u@sub.not.masq.example"),
        ("u@xmasq.example", "u@xmasq.example"),
        ("u", "u"),
    ],
)
def test_addresses(settings: MakeSettings, address: str, result: str) -> None:
    made = settings(masquerade_domains="!not.masq.example, masq.example", masquerade_exceptions="root")
    assert now(Masquerade(made).masquerade(address, "envelope_sender")) == result


def test_recipients_of_the_envelope_keep_theirs(settings: MakeSettings) -> None:
    masquerade = Masquerade(settings(masquerade_domains="masq.example"))
    assert now(masquerade.masquerade("u@a.masq.example", "envelope_recipient")) == "u@a.masq.example"
    assert now(masquerade.masquerade("u@a.masq.example", "header_recipient")) == "u@masq.example"


def test_nothing_to_do(settings: MakeSettings) -> None:
    assert not Masquerade(settings())
    assert not Masquerade(settings(masquerade_domains="masq.example", masquerade_classes=""))
