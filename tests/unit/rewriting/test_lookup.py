from __future__ import annotations

import pytest

from pyfix.rewriting.lookup import MappingError, with_extension
from pyfix.runtime.log import log
from pyfix.runtime.task import run_now
from pyfix.tables.maps import Maps

from .conftest import MakeLookup, MakeSettings

TABLE = (
    "inline:{{a@x.example = b@y.example}, {c@x.example = d, e@y.example}, {@z.example = @w.example},"
    "{local = here@y.example}, {q@x.example = \"two words\"@y.example}, {bad@x.example = ()}}"
)  # fmt: skip


def find(lookup: MakeLookup, settings: MakeSettings, address: str, *, propagate: bool = True) -> list[str] | None:
    made = settings(virtual_alias_maps=TABLE)
    maps = Maps("virtual_alias_maps", made.virtual_alias_maps, made.snapshot)
    return run_now(lookup(made).find(maps, address, propagate=propagate))


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("a@x.example", ["b@y.example"]), ("A@X.example", ["b@y.example"]), ("n@x.example", None),
        ("c@x.example", ["d@mail.ours.example", "e@y.example"]), ("u@z.example", ["u@w.example"]),
        ("u+x@z.example", ["u+x@w.example"]), ("local@local.example", ["here@y.example"]), ("local@x.example", None),
        ("a+ext@x.example", ["b+ext@y.example"]), ("c+e@x.example", ["d+e@mail.ours.example", "e+e@y.example"]),
        ("q@x.example", ["two words@y.example"]),
    ],
)  # fmt: skip
def test_results(lookup: MakeLookup, settings: MakeSettings, address: str, found: list[str] | None) -> None:
    assert find(lookup, settings, address) == found


def test_extensions_that_are_not_propagated(lookup: MakeLookup, settings: MakeSettings) -> None:
    assert find(lookup, settings, "a+ext@x.example", propagate=False) == ["b@y.example"]


def test_results_that_are_no_addresses(
    lookup: MakeLookup, settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(log, "warning", lines.append)
    with pytest.raises(MappingError, match=r"^virtual_alias_maps map lookup problem for bad@x.example -- message not") as fault:
        find(lookup, settings, "bad@x.example")
    assert lines == ['virtual_alias_maps lookup of bad@x.example returns non-address result "()"']
    assert fault.value.unreasonable is False


def test_a_table_that_fails(lookup: MakeLookup, settings: MakeSettings) -> None:
    made = settings()
    maps = Maps("p", "fail:x", made.snapshot)
    with pytest.raises(MappingError, match=r"^p map lookup problem for a@x -- message not accepted, try again later$"):
        run_now(lookup(made).find(maps, "a@x", propagate=False))


@pytest.mark.parametrize(
    ("address", "found"), [("a@x", "a+e@x"), ("a", "a+e"), ("a@b@x", "a@b+e@x"), ("@x", "+e@x")]
)
def test_extensions(address: str, found: str) -> None:
    assert with_extension(address, "+e") == found
