from __future__ import annotations

from collections.abc import Callable

import pytest

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.protocols.internal.rewrite import CLASS_ALIAS, CLASS_DEFAULT, CLASS_RELAY, CLASS_VIRTUAL
from pyfix.rewriting.resolving.address_class import AddressClasses, ClassError

from .conftest import now

Make = Callable[[str], RewriteSettings]


@pytest.mark.parametrize(
    "domain, found",
    [
        ("alias.example", CLASS_ALIAS), ("sub.alias.example", CLASS_DEFAULT), ("MAILBOX.example", CLASS_VIRTUAL),
        ("relay.example", CLASS_RELAY), ("sub.relay.example", CLASS_RELAY), ("x.test", CLASS_DEFAULT),
    ],
)  # fmt: skip
def test_classify(settings_of: Make, domain: str, found: int) -> None:
    classes = AddressClasses(settings_of(""))
    assert now(classes.classify(domain)) == found
    assert now(classes.is_listed(domain)) is (found != CLASS_DEFAULT)


def test_order(settings_of: Make, logged: list[str]) -> None:
    lists = "virtual_alias_domains = a.test\nvirtual_mailbox_domains = a.test, b.test\nrelay_domains = a.test, b.test"
    classes = AddressClasses(settings_of(lists))
    assert now(classes.classify("a.test")) == CLASS_ALIAS
    assert now(classes.classify("b.test")) == CLASS_VIRTUAL
    assert logged == [
        "warning: do not list domain a.test in BOTH virtual_alias_domains and virtual_mailbox_domains",
        "warning: do not list domain a.test in BOTH virtual_alias_domains and relay_domains",
        "warning: do not list domain b.test in BOTH virtual_mailbox_domains and relay_domains",
    ]


def test_failure(settings_of: Make, logged: list[str]) -> None:
    classes = AddressClasses(settings_of("virtual_mailbox_domains = fail:x"))
    with pytest.raises(ClassError, match="virtual_mailbox_domains"):
        now(classes.classify("x.test"))
    assert logged == [
        "warning: virtual_mailbox_domains: fail:x: table lookup problem",
        "warning: virtual_mailbox_domains lookup failure",
    ]


def test_failure_of_a_mere_warning_is_no_failure(settings_of: Make) -> None:
    classes = AddressClasses(settings_of("virtual_mailbox_domains = fail:x"))
    assert now(classes.classify("alias.example")) == CLASS_ALIAS
    now(classes.warn_if_listed("local.example"))
