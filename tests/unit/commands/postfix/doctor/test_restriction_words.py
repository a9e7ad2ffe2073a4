from __future__ import annotations

import pytest

from pyfix.access.restrictions import RESTRICTIONS, TAKES_ARGUMENT
from pyfix.commands.postfix.doctor.restriction_words import ARGUMENT, KNOWN, LISTS, Item, items, lists
from pyfix.config.parameters.smtpd import SmtpdSettings
from tests.unit.commands.postfix.doctor.conftest import Site


def test_they_are_those_of_smtpd() -> None:
    assert set(RESTRICTIONS) <= KNOWN
    assert set(TAKES_ARGUMENT) <= ARGUMENT
    assert set(LISTS) <= set(SmtpdSettings.parameters())


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("", []),
        ("permit_mynetworks, reject", [Item("permit_mynetworks"), Item("reject")]),
        ("check_policy_service { inet:h:1, timeout=1s } reject",
         [Item("check_policy_service", "{ inet:h:1, timeout=1s }"), Item("reject")]),
        ("warn_if_reject Reject_RBL_Client a.example permit",
         [Item("Reject_RBL_Client", "a.example", True), Item("permit")]),
        ("hash:/x, sleep", [Item("hash:/x"), Item("sleep")]),
    ],
)  # fmt: skip
def test_items(value: str, found: list[Item]) -> None:
    assert items(value) == found


def test_text() -> None:
    assert Item("sleep", "1").text == "sleep 1"
    assert Item("permit").text == "permit"


def test_lists(site: Site) -> None:
    site.write("smtpd_restriction_classes = a\na = $b\nb = reject\nsmtpd_helo_restrictions = a\n")
    found = dict(lists(site.examination().snapshot))
    assert found["a"] == "reject"
    assert found["smtpd_helo_restrictions"] == "a"
    assert "smtpd_etrn_restrictions" not in found
    assert "smtpd_relay_restrictions" in found  # its default
