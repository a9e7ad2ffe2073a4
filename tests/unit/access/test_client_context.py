from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.client_context import rewrites_locally
from pyfix.tables.table import TableError
from tests.unit.rewriting.resolving.conftest import now

from .fakes import transaction


@pytest.mark.parametrize(
    ("words", "address", "local"),
    [
        ("permit_inet_interfaces", "127.0.0.1", True),
        ("permit_inet_interfaces", "192.0.2.1", False),
        ("permit_mynetworks", "192.0.2.1", True),
        ("", "127.0.0.1", False),
        ("static:all", "198.51.100.7", True),
        ("check_address_map inline:{198.51.100.7=x}", "198.51.100.7", True),
        ("nonsense, permit_tls_clientcerts, permit_sasl_authenticated", "198.51.100.7", False),
    ],
)
def test_clients(monkeypatch: Any, words: str, address: str, local: bool) -> None:
    found = transaction(monkeypatch, address=address, local_header_rewrite_clients=words)
    assert now(rewrites_locally(found)) is local


def test_a_table_that_cannot_be_asked(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, local_header_rewrite_clients="check_address_map fail:x, static:all")
    with pytest.raises(TableError):
        now(rewrites_locally(found))


def test_login(monkeypatch: Any) -> None:
    found = transaction(monkeypatch, local_header_rewrite_clients="permit_sasl_authenticated")
    found.sasl_username = "joe"
    assert now(rewrites_locally(found))
