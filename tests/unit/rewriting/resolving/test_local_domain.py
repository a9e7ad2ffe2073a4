from __future__ import annotations

from collections.abc import Callable

import pytest

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.rewriting.resolving.local_domain import LocalDomains
from pyfix.tables.table import TableError

from .conftest import now

Make = Callable[[str], RewriteSettings]


@pytest.mark.parametrize(
    "domain, local",
    [
        ("local.example", True), ("LOCAL.example", True), ("mail.ours.example", True), ("sub.local.example", False),
        ("other.example", False), ("[127.0.0.1]", True), ("[127.0.0.01]", True), ("[192.0.2.9]", True),
        ("[192.0.2.1]", False), ("127.0.0.1", False), ("[IPv6:::1]", False), ("[x]", False), ("", False),
    ],
)  # fmt: skip
def test_match(settings_of: Make, domain: str, local: bool) -> None:
    domains = LocalDomains(settings_of("proxy_interfaces = 192.0.2.9"))
    assert now(domains.match(domain)) is local


def test_failure(settings_of: Make) -> None:
    with pytest.raises(TableError):
        now(LocalDomains(settings_of("mydestination = fail:x")).match("x.test"))
