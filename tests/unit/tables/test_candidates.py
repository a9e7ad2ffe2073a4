from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.needed_text import Need, needed_text
from pyfix.tables.candidates import Candidates, candidates_in_steps


def candidates(needs: Iterable[list[Need]]) -> Candidates:
    steps = candidates_in_steps(needs)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Candidates = end.value
            return found


def of(*patterns: bytes) -> Candidates:
    return candidates(needed_text(pattern, perl=False) for pattern in patterns)


def test_two_steps_for_each_rule() -> None:
    steps = candidates_in_steps([[frozenset((b"text",))]] * 50)
    assert len(list(steps)) == 100


def test_rules_are_found_by_what_they_need() -> None:
    rules = of(rb"^foo[0-9]+@", rb"bar|baz", rb".*", rb"@example\.com$", rb"x")
    assert list(rules.of(b"FOO1@x")) == [0, 2, 4]
    assert list(rules.of(b"a baz")) == [1, 2]
    assert list(rules.of(b"")) == [2]
    assert list(rules.of(b"foobar@EXAMPLE.com")) == [0, 1, 2, 3, 4]


def test_a_piece_that_few_rules_have_is_taken() -> None:
    rules = of(*(b"%d@example" % number for number in range(100, 200)))
    assert list(rules.of(b"150@example")) == [50]
    assert rules.spared == 100


def test_nothing_is_known() -> None:
    assert of(rb"a*", rb"(?i)b").spared == 0


@given(st.lists(st.binary(min_size=1, max_size=5), min_size=1, max_size=20), st.binary(max_size=8), st.binary(max_size=8))
def test_no_rule_is_overlooked(texts: list[bytes], before: bytes, after: bytes) -> None:
    rules = candidates([[frozenset((text.lower(),))] for text in texts])
    for place, text in enumerate(texts):
        assert place in rules.of(before + text + after)
