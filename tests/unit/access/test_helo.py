from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.evaluate import Check
from pyfix.access.general import permit
from pyfix.access.helo import reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
from pyfix.access.stage import HELO
from pyfix.access.verdict import DUNNO, Reject

from .fakes import transaction

CHECK = Check("x", permit)


@pytest.mark.parametrize(
    ("name", "invalid", "unqualified"),
    [
        ("a.b", "", ""), ("a.b.", "", ""), ("a_b.c", "", ""), ("foo", "", "need fully-qualified hostname"),
        ("-x", "Invalid name", "need fully-qualified hostname"), ("1.2.3.4", "", "need fully-qualified hostname"),
        ("[1.2.3.4]", "", ""), ("[1.2.3]", "invalid ip address", "invalid ip address"), ("[IPv6:::1]", "", ""),
        ("\u00e9.b", "Invalid name", "need fully-qualified hostname"),
    ],
)  # fmt: skip
def test_names(monkeypatch: Any, name: str, invalid: str, unqualified: str) -> None:
    found = transaction(monkeypatch, helo=name)
    for restriction, text in ((reject_invalid_helo_hostname, invalid), (reject_non_fqdn_helo_hostname, unqualified)):
        verdict = restriction(found, HELO, CHECK)
        if text:
            assert isinstance(verdict, Reject) and verdict.text == f"<{name}>: Helo command rejected: {text}"
        else:
            assert verdict is DUNNO


def test_no_name(monkeypatch: Any) -> None:
    assert reject_invalid_helo_hostname(transaction(monkeypatch), HELO, CHECK) is DUNNO
    assert reject_non_fqdn_helo_hostname(transaction(monkeypatch), HELO, CHECK) is DUNNO
