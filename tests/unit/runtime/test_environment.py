from __future__ import annotations

import os

import pytest

from pyfix.config.errors import ConfigError
from pyfix.runtime.environment import chosen_environment, take_environment, update_environment


def test_names_and_settings() -> None:
    found = chosen_environment(["A", "B", "C=3", "D = x y"], {"A": "1", "E": "5", "C": "old"})
    assert found == {"A": "1", "C": "3", "D": "x y"}


def test_order_of_the_words() -> None:
    assert list(chosen_environment(["Z", "A"], {"A": "1", "Z": "2"})) == ["Z", "A"]


def test_braces() -> None:
    assert chosen_environment(["{A=x y}", "{ B = z }", "{C}", "{}", "D="], {"C": "1"}) == {"A": "x y", "B": "z", "C": "1", "D": ""}


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("{X", "import_environment: missing '}' in \"{X\""),
        ("{X=1}y", "import_environment: syntax error after '}' in \"{X=1}y\""),
        ("=x", "clean_env: missing attribute name in: =x"),
        ("{X y = 1}", "clean_env: missing '=' after attribute name in: X y = 1"),
    ],
)
def test_malformed(word: str, text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        chosen_environment([word], {})
    assert str(raised.value) == text


def test_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"KEEP": "1", "LOSE": "2"})
    update_environment(["KEEP", "NEW=3"])
    assert os.environ == {"KEEP": "1", "LOSE": "2", "NEW": "3"}
    take_environment(["KEEP", "OTHER=4"])
    assert os.environ == {"KEEP": "1", "OTHER": "4"}
    with pytest.raises(ConfigError, match="update_env: "):
        update_environment(["=x"])
