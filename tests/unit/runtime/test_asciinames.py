from __future__ import annotations

import pytest

from pyfix.runtime.asciinames import ascii_name, explain


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr("pyfix.runtime.log.log.warning", found.append)
    explain.cache_clear()
    return found


def test_names_that_have_a_form(warnings: list[str]) -> None:
    assert ascii_name("b\u00fccher.example") == "xn--bcher-kva.example"
    assert ascii_name("-odd_.example") == "-odd_.example"
    assert not warnings


def test_others_are_told_of_once(warnings: list[str]) -> None:
    assert ascii_name("-\u00e9.example") is None
    assert ascii_name("-\u00e9.example") is None
    assert ascii_name("\u00e9..example") is None
    begin = 'midna_domain_to_ascii_create: Problem translating domain "'
    assert warnings == [
        f'{begin}-\u00e9.example" to ASCII form: UIDNA_ERROR_LEADING_HYPHEN',
        f'{begin}\u00e9..example" to ASCII form: UIDNA_ERROR_EMPTY_LABEL',
    ]
