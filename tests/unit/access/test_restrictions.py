from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.evaluate import Check
from pyfix.access.restrictions import RESTRICTIONS, TAKES_ARGUMENT, bad_argument, broken
from pyfix.access.stage import DATA
from pyfix.access.verdict import Reject

from .fakes import transaction


def test_names_are_in_lower_case_and_lead_to_functions() -> None:
    assert all(name == name.lower() and callable(function) for name, function in RESTRICTIONS.items())


def test_a_name_is_that_of_its_function() -> None:
    """Who looks for a restriction finds it; older names and those that are the same for now are few."""
    others = {name for name, function in RESTRICTIONS.items() if function.__name__ != name}
    assert others == {
        "reject_invalid_hostname", "reject_non_fqdn_hostname", "check_recipient_maps",
        "reject_unknown_client", "reject_unknown_hostname", "reject_unknown_address", "reject_rbl",
    }  # fmt: skip


def test_which_take_an_argument() -> None:
    lists = {name for name in RESTRICTIONS if "rbl" in name or "rhsbl" in name or "wl_" in name}
    assert set(TAKES_ARGUMENT) == {"sleep", "check_policy_service", *lists, *(name for name in RESTRICTIONS if name.endswith("_access"))}


@pytest.mark.parametrize(
    ("stand_in", "begin", "end"), [(broken, "unknown", ""), (bad_argument, "specify one of (check_client_access, ", " before Data command")]
)
def test_words_that_name_nothing(monkeypatch: Any, stand_in: Any, begin: str, end: str) -> None:
    lines: list[str] = []
    verdict = stand_in(transaction(monkeypatch, lines), DATA, Check("x", stand_in, "frob"))
    assert isinstance(verdict, Reject) and verdict.reply == "451 4.3.5 Server configuration error"
    assert len(lines) == 1
    assert lines[0].startswith(f"warning: {begin}") and lines[0].endswith('"frob"') and end in lines[0]
