"""Virtual alias expansion.  The expectations are what the reference made of the same tables."""

from __future__ import annotations

import pytest

from pyfix.rewriting.lookup import MappingError
from pyfix.rewriting.virtual_alias import VirtualAliases
from pyfix.runtime.task import run_now

from .conftest import MakeSettings, lookup_for

TABLE = {
    "a@v.example": "b@w.example, c@x.example",
    "list@v.example": "a@v.example, d, e+f",
    "self@v.example": "self@v.example, other@x.example",
    "grow@v.example": "grow@v.example, grow@v.example",
    "loop1@v.example": "loop2@v.example",
    "loop2@v.example": "loop1@v.example",
    "m1@v.example": "m2@v.example, m3@v.example",
    "m3@v.example": "m1@v.example",
    "@wild.example": "@target.example",
    "@wild2.example": "@target.example, more@x.example",
    "ext@v.example": "target@w.example",
    "luser": "remote@w.example",
    "quoted@v.example": '"a b"@w.example',
    "long@v.example": "x" * 200 + "@w.example",
    "none@v.example": ",",
}


def expand(settings: MakeSettings, address: str, **main: str) -> list[str]:
    made = settings(
        virtual_alias_maps=TABLE,
        virtual_alias_expansion_limit="20",
        virtual_alias_recursion_limit="5",
        virtual_alias_address_length_limit="100",
        **main,
    )
    return run_now(VirtualAliases(made, lookup_for(made)).expand(address))


@pytest.mark.parametrize(
    ("address", "results"),
    [
        ("nobody@q.example", ["nobody@q.example"]),
        ("a@v.example", ["b@w.example", "c@x.example"]),
        ("A@V.example", ["b@w.example", "c@x.example"]),
        ("list@v.example", ["b@w.example", "d@mail.ours.example", "e+f@mail.ours.example", "c@x.example"]),
        ("self@v.example", ["self@v.example", "other@x.example"]),
        ("u@wild.example", ["u@target.example"]),
        ("u+x@wild.example", ["u+x@target.example"]),
        ("u@wild2.example", ["u@target.example, more@x.example"]),
        ("ext+foo@v.example", ["target+foo@w.example"]),
        ("luser@mail.ours.example", ["remote@w.example"]),
        ("luser@local.example", ["remote@w.example"]),
        ("luser@[127.0.0.1]", ["remote@w.example"]),
        ("luser@elsewhere.example", ["luser@elsewhere.example"]),
        ("quoted@v.example", ["a b@w.example"]),
    ],
)
def test_expansion(settings: MakeSettings, address: str, results: list[str]) -> None:
    assert expand(settings, address) == results


def test_what_stands_for_itself_is_not_expanded_again(settings: MakeSettings) -> None:
    assert set(expand(settings, "grow@v.example")) == {"grow@v.example"}


def test_extensions_are_not_always_propagated(settings: MakeSettings) -> None:
    assert expand(settings, "ext+foo@v.example", propagate_unmatched_extensions="canonical") == ["target@w.example"]


@pytest.mark.parametrize(
    ("address", "complaint", "unreasonable"),
    [
        ("loop1@v.example", "unreasonable virtual_alias_maps map nesting for loop1@v.example", True),
        ("m1@v.example", "unreasonable virtual_alias_maps map expansion size for m1@v.example", True),
        ("long@v.example", "unreasonable virtual_alias_maps result " + "x" * 200 + "@w.example...", True),
        ("none@v.example", "virtual_alias_maps map lookup problem for none@v.example", False),
    ],
)
def test_unreasonable(settings: MakeSettings, address: str, complaint: str, unreasonable: bool) -> None:
    with pytest.raises(MappingError) as error:
        expand(settings, address)
    assert str(error.value) == f"{complaint} -- message not accepted, try again later"
    assert error.value.unreasonable is unreasonable


def test_no_table(settings: MakeSettings) -> None:
    made = settings()
    assert not VirtualAliases(made, lookup_for(made))
