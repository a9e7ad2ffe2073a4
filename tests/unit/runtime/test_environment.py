from __future__ import annotations

from pyfix.runtime.environment import chosen_environment


def test_names_and_settings() -> None:
    found = chosen_environment(["A", "B", "C=3", "D = x y"], {"A": "1", "E": "5", "C": "old"})
    assert found == {"A": "1", "C": "3", "D": "x y"}


def test_order_of_the_words() -> None:
    assert list(chosen_environment(["Z", "A"], {"A": "1", "Z": "2"})) == ["Z", "A"]
