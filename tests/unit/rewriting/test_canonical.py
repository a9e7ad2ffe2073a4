"""Canonical mapping.  The expectations are what the reference made of the same tables."""

from __future__ import annotations

import pytest

from pyfix.rewriting.canonical import Canonical
from pyfix.rewriting.classes import AddressClass
from pyfix.runtime.task import run_now

from .conftest import MakeSettings, lookup_for

TABLE = {
    "ca@v.example": "cb@w.example",
    "cb@w.example": "cc@x.example",
    "cl1@v.example": "cl2@v.example",
    "cl2@v.example": "cl1@v.example",
    "cm@v.example": "m1@x.example, m2@x.example",
    "@cwild.example": "@ctarget.example",
    "cuser": "full.name",
}


@pytest.mark.parametrize(
    ("address", "result"),
    [
        ("ca@v.example", "cc@x.example"),
        ("CA@V.example", "cc@x.example"),
        ("u@cwild.example", "u@ctarget.example"),
        ("cuser@mail.ours.example", "full.name@mail.ours.example"),
        ("cuser+x@mail.ours.example", "full.name+x@mail.ours.example"),
        ("other@x.example", "other@x.example"),
    ],
)
def test_mapping(settings: MakeSettings, address: str, result: str) -> None:
    made = settings(canonical_maps=TABLE)
    assert run_now(Canonical(made, lookup_for(made)).map(address, "header_sender", pytest.fail)) == result


def test_a_loop_is_told_and_left(settings: MakeSettings) -> None:
    made, told = settings(canonical_maps=TABLE), []
    assert (
        run_now(Canonical(made, lookup_for(made)).map("cl1@v.example", "envelope_sender", told.append))
        == "cl1@v.example"
    )
    assert told == [
        "unreasonable canonical_maps map nesting for cl1@v.example -- message not accepted, try again later"
    ]


def test_the_first_of_several_results_counts(settings: MakeSettings) -> None:
    made, told = settings(canonical_maps=TABLE), []
    assert (
        run_now(Canonical(made, lookup_for(made)).map("cm@v.example", "envelope_sender", told.append)) == "m1@x.example"
    )
    assert told == ["multi-valued canonical_maps entry for cm@v.example"]


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        ("envelope_sender", "sender@x.example"),
        ("header_sender", "both@x.example"),
        ("envelope_recipient", "recipient@x.example"),
        ("header_recipient", "recipient@x.example"),
    ],
)
def test_tables_for_senders_and_recipients(settings: MakeSettings, kind: AddressClass, result: str) -> None:
    made = settings(
        sender_canonical_maps={"a@v.example": "sender@x.example"},
        sender_canonical_classes="envelope_sender",
        recipient_canonical_maps={"a@v.example": "recipient@x.example"},
        canonical_maps={"a@v.example": "both@x.example"},
    )
    assert run_now(Canonical(made, lookup_for(made)).map("a@v.example", kind, pytest.fail)) == result
