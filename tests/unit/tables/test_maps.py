import asyncio
from collections.abc import Callable

import pytest

from pyfix.tables.maps import (
    AT_DOMAIN,
    DOMAIN,
    DOTTED_PARENTS,
    FULL,
    LOCALPART_AT,
    NOEXT,
    PARENTS,
    USUAL,
    AddressMatch,
    Maps,
)
from pyfix.tables.table import Table, TableError


class Recorder(Table):
    """Has nothing, and remembers what it was asked for."""

    kind = "recorder"

    def find_now(self, key: str) -> str | None:
        self.asked.append(key)
        return None

    asked: list[str]


def recording(maps: Maps) -> list[str]:
    table = Recorder("x", maps.tables[0].opening)
    table.asked = []
    maps.tables = (table,)  # type: ignore[misc]  # Final for all but this test
    maps._fixed = (table,)  # type: ignore[misc]  # Final for all but this test
    return table.asked


def test_first_table_that_has_the_key() -> None:
    maps = Maps("virtual_alias_maps", "inline:{a=1} inline:{a=2, b=3}")
    assert bool(maps) and maps.local
    assert [maps.find_now(key) for key in ("A", "b", "c", "")] == ["1", "3", None, None]
    assert asyncio.run(maps.find("b")) == "3"
    assert asyncio.run(maps.find_part("b")) == "3"


def test_no_tables() -> None:
    maps = Maps("x", "")
    assert not maps and maps.local
    assert maps.find_now("a") is None
    assert maps.find_address_now("a@b") is None
    assert asyncio.run(maps.find_address("a@b")) is None


def test_words_and_case() -> None:
    assert Maps("x", ["inline:{ {A = b c} }"]).find_now("a") == "b c"
    assert Maps("x", "inline:{A=b}", fold=False).find_now("a") is None


def test_empty_result(notices: list[str]) -> None:
    with pytest.raises(TableError):
        Maps("transport_maps", "inline:{a=}").find_now("a")
    assert notices == [
        "warning: transport_maps lookup of a returns an empty string result",
        "warning: transport_maps should return NO RESULT in case of NOT FOUND",
    ]


def test_failing_table(notices: list[str]) -> None:
    maps = Maps("x", "fail:y static:a")
    for ask in (lambda: maps.find_now("k"), lambda: asyncio.run(maps.find("k"))):
        with pytest.raises(TableError):
            ask()
    assert notices == ['warning: fail:y lookup error for "k"'] * 2


class Slow(Table):
    """A table that must be waited for."""

    kind = "slow"
    local = False

    def find_now(self, key: str) -> str | None:
        raise AssertionError("it would block")

    async def find(self, key: str) -> str | None:
        await asyncio.sleep(0)
        if key == "broken@d":
            raise TableError("broken")
        return {"u@d": "1", "empty@d": "", "u": "2"}.get(key)


def test_tables_that_wait(notices: list[str]) -> None:
    maps = Maps("x", "inline:{u@e=3}")
    maps.tables = (*maps.tables, Slow("s", maps.tables[0].opening))  # type: ignore[misc]  # Final for all but this test
    maps._fixed = maps.tables  # type: ignore[misc]  # Final for all but this test
    maps.local = False  # type: ignore[misc]  # Final for all but this test

    async def local(domain: str) -> bool:
        return domain == "local"

    assert asyncio.run(maps.find("u@d")) == "1"
    assert asyncio.run(maps.find("")) is None
    assert asyncio.run(maps.find_part("u@e")) == "3"
    assert asyncio.run(maps.find_address("u+x@d", "+")) == AddressMatch("1", "+x")
    assert asyncio.run(maps.find_address("u@local", is_local=local)) == AddressMatch("2", "")
    for key in ("broken@d", "empty@d"):
        with pytest.raises(TableError):
            asyncio.run(maps.find(key))


def is_local(domain: str) -> bool:
    return domain == "local"


@pytest.mark.parametrize(
    ("address", "delimiter", "keys"),
    [
        ("user+ext@local", "+", ["user+ext@local", "user@local", "user+ext", "user", "@local"]),
        ("user+ext@far", "+", ["user+ext@far", "user@far", "@far"]),
        ("user@far", "+", ["user@far", "@far"]),
        ("user+ext@far", "", ["user+ext@far", "@far"]),
        ("user-a+b@far", "+-", ["user-a+b@far", "user@far", "@far"]),
        ("user+ext", "+", ["user+ext", "user"]),
        ("postmaster@far", "m", ["postmaster@far", "@far"]),
        ("+ext@far", "+", ["+ext@far", "@far"]),
        ("two words@far", "", ['"two words"@far', "two words@far", "@far"]),
        ("two words+x@local", "+", [
            '"two words+x"@local', "two words+x@local", '"two words"@local', "two words@local",
            '"two words+x"', "two words+x", '"two words"', "two words", "@local",
        ]),
        ("a@b@far", "", ['"a@b"@far', "a@b@far", "@far"]),
        ("@far", "", ['""@far', "@far", "@far"]),
        ("user+@far", "+", ["user+@far", "user@far", "@far"]),
    ],
)  # fmt: skip
def test_order_of_lookups(address: str, delimiter: str, keys: list[str]) -> None:
    maps = Maps("canonical_maps", "static:x")
    asked = recording(maps)
    assert maps.find_address_now(address, delimiter, is_local=is_local) is None
    assert asked == keys
    asked.clear()
    assert asyncio.run(maps.find_address(address, delimiter, is_local=is_local)) is None
    assert asked == keys


@pytest.mark.parametrize(
    ("strategy", "keys"),
    [
        (FULL, ["u+x@a.b.c"]),
        (FULL | NOEXT | DOMAIN | PARENTS, ["u+x@a.b.c", "u@a.b.c", "a.b.c", "b.c", "c"]),
        (DOMAIN | DOTTED_PARENTS, ["a.b.c", ".b.c", ".c"]),
        (DOMAIN, ["a.b.c"]),
        (LOCALPART_AT, ["u+x@", "u@"]),
        (AT_DOMAIN, ["@a.b.c"]),
    ],
)
def test_strategies(strategy: int, keys: list[str]) -> None:
    maps = Maps("x", "static:x")
    asked = recording(maps)
    maps.find_address_now("u+x@a.b.c", "+", strategy=strategy)
    assert asked == keys


def test_owner_and_request() -> None:
    for special, keys in ((True, ["owner-a@far", "@far"]), (False, ["owner-a@far", "owner@far", "@far"])):
        maps = Maps("x", "static:x", owner_request_special=special)
        asked = recording(maps)
        maps.find_address_now("owner-a@far", "-")
        assert asked == keys


FOUND: list[tuple[str, str, AddressMatch | None]] = [
    ("inline:{u+x@d=1, u@d=2}", "u+x@d", AddressMatch("1", "")),
    ("inline:{u@d=2}", "u+x@d", AddressMatch("2", "+x")),
    ("inline:{u+x=3}", "u+x@local", AddressMatch("3", "")),
    ("inline:{u=3}", "u+x@local", AddressMatch("3", "+x")),
    ("inline:{u=3}", "u+x@far", None),
    ("inline:{@far=4}", "u+x@far", AddressMatch("4", "")),
    ("regexp:{{/^u@d$/ 5}}", "u@d", AddressMatch("5", "")),
    # Pattern tables get whole addresses only.
    ("regexp:{{/^(u@d|@d|u)$/ 5}}", "u+x@d", None),
    ("regexp:{{/^u$/ 5}}", "u@local", None),
]


@pytest.mark.parametrize(("tables", "address", "match"), FOUND)
def test_what_is_found(tables: str, address: str, match: AddressMatch | None) -> None:
    maps = Maps("x", tables)
    find: Callable[..., AddressMatch | None] = maps.find_address_now
    assert find(address, "+", is_local=is_local, strategy=USUAL) == match
    assert asyncio.run(maps.find_address(address, "+", is_local=is_local)) == match


def test_find_part_leaves_pattern_tables_out() -> None:
    maps = Maps("x", "regexp:{{/./ r}} inline:{a=b}")
    assert maps.find_now("a") == "r"
    assert maps.find_part_now("a") == "b"
