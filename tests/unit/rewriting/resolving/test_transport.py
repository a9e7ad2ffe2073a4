from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.rewriting.resolving.transport import Destination, TransportTable, split_destination
from pyfix.tables.table import TableError

from .conftest import now

Make = Callable[[str], RewriteSettings]

TABLE = """\
user@x.test\tt1:n1
user+e@x.test t1e:
x.test t2:
.x.test t3:n3
nexthop.test :hop
same.test :
plain.test t6
refused.test error:
later.test retry:
colon.test t7:[host]:26
"two words"@q.test t8:
"""
DEFAULT = Destination("smtp", "relay.host")


def table(settings: RewriteSettings, value: str, clock: Callable[[], float] = lambda: 0.0) -> TransportTable:
    return TransportTable("transport_maps", (value,) if value else (), settings, clock)


@pytest.mark.parametrize(
    "address, found",
    [
        ("user@x.test", ("t1", "n1")), ("user+e@x.test", ("t1e", "x.test")), ("user+f@x.test", ("t1", "n1")),
        ("other@x.test", ("t2", "x.test")), ("u@a.x.test", ("t3", "n3")), ("u@b.a.x.test", ("t3", "n3")),
        ("u@nexthop.test", ("smtp", "hop")), ("u@same.test", ("smtp", "relay.host")),
        ("u@plain.test", ("t6", "plain.test")), ("u@refused.test", ("error", "Address is undeliverable")),
        ("u@later.test", ("retry", "Address is undeliverable")), ("u@colon.test", ("t7", "[host]:26")),
        ("two words@q.test", ("t8", "q.test")), ("u@other.test", None), ("U@X.TEST", ("t2", "X.TEST")),
    ],
)  # fmt: skip
def test_keys(settings_of: Make, tmp_path: Path, address: str, found: tuple[str, str] | None) -> None:
    (tmp_path / "transport").write_text(TABLE)
    transport = table(settings_of(""), f"texthash:{tmp_path}/transport")
    assert now(transport.find(address, address.partition("@")[2], DEFAULT)) == found


def test_parent_domains(settings_of: Make) -> None:
    settings = settings_of("parent_domain_matches_subdomains = transport_maps")
    assert now(table(settings, "inline:{x.test=t:}").find("u@a.x.test", "a.x.test", DEFAULT)) == ("t", "a.x.test")


def test_wildcard_is_asked_again_after_a_while(settings_of: Make) -> None:
    time = [0.0]
    transport = table(settings_of(""), "inline:{*=star:hop}", lambda: time[0])
    assert now(transport.find("u@x.test", "x.test", DEFAULT)) == ("star", "hop")
    asked: list[str] = []
    find = transport.maps.find

    async def counted(key: str) -> str | None:
        asked.append(key)
        return await find(key)

    transport.maps.find = counted  # type: ignore[method-assign]  # instead of the real one
    for second in (1.0, 29.0, 31.0, 32.0):
        time[0] = second
        now(transport.find("u@x.test", "x.test", DEFAULT))
    assert asked == ["*"]


def test_no_tables(settings_of: Make) -> None:
    assert now(table(settings_of(""), "").find("u@x.test", "x.test", DEFAULT)) is None


def test_failure(settings_of: Make) -> None:
    with pytest.raises(TableError):
        now(table(settings_of(""), "fail:x").find("u@x.test", "x.test", DEFAULT))


def test_split() -> None:
    assert split_destination("smtp:[a]:25") == ("smtp", "[a]:25")
    assert split_destination("smtp") == ("smtp", "")
    assert split_destination(":a") == ("", "a")
