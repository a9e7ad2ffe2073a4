from __future__ import annotations

import pytest

from pyfix.rewriting.domains import OwnDomains

from .conftest import MakeSettings
from .resolving.conftest import now

ORIGIN = "origin.example"


@pytest.mark.parametrize(
    ("domain", "own"),
    [
        ("mail.ours.example", True), ("LOCAL.example", True), ("sub.local.example", False), ("origin.example", True),
        ("ours.example", False), ("[127.0.0.1]", True), ("[192.0.2.7]", True), ("[192.0.2.8]", False), ("", False),
    ],
)  # fmt: skip
def test_whose_users_have_bare_names(settings: MakeSettings, domain: str, own: bool) -> None:
    domains = OwnDomains(settings(myorigin="Origin.example", proxy_interfaces="192.0.2.7"))
    assert domains(domain) is own
    assert domains.local and now(domains.ask(domain)) is own


def test_a_table_that_waits(settings: MakeSettings) -> None:
    domains = OwnDomains(settings(mydestination="tcp:127.0.0.1:1", proxy_interfaces="192.0.2.7", myorigin=ORIGIN))
    assert not domains.local and now(domains.ask(ORIGIN))
