"""Standard forms, and when trivial-rewrite is asked for them."""

from __future__ import annotations

import pytest

from pyfix.rewriting.standard import LOCAL, REMOTE, StandardForm
from pyfix.runtime.task import run_now


@pytest.fixture
def asked() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def standard(asked: list[tuple[str, str]]) -> StandardForm:
    async def ask(context: str, address: str) -> str:
        asked.append((context, address))
        return f"{address}@{context}.example"

    return StandardForm(ask)


def test_complete_addresses_need_no_question(standard: StandardForm, asked: list[tuple[str, str]]) -> None:
    assert standard.external_now(LOCAL, "user@host.example") == "user@host.example"
    assert run_now(standard.internal(REMOTE, "user@host.example")) == "user@host.example"
    assert asked == []


@pytest.mark.parametrize(
    "address", ["user", "user@host", "a%b@c.example", "a!b@c.example", "@a:b@c.example", '"x y"@z.example', ""]
)
def test_others_do(standard: StandardForm, address: str) -> None:
    assert standard.external_now(LOCAL, address) is None


def test_answers_are_kept_by_context(standard: StandardForm, asked: list[tuple[str, str]]) -> None:
    for _ in range(3):
        assert run_now(standard.external(LOCAL, "user")) == "user@local.example"
        assert run_now(standard.external(REMOTE, "user")) == "user@remote.example"
    assert asked == [(LOCAL, "user"), (REMOTE, "user")]
    assert standard.external_now(LOCAL, "user") == "user@local.example"


def test_internal_forms_are_quoted_for_the_question(standard: StandardForm, asked: list[tuple[str, str]]) -> None:
    assert run_now(standard.internal(LOCAL, "a b")) == "a b@local.example"
    assert asked == [(LOCAL, '"a b"')]
    assert standard.internal_now(LOCAL, "a b") == "a b@local.example"
