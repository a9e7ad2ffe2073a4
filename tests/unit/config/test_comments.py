from __future__ import annotations

import pytest

from pyfix.config.comments import comment_after_text


@pytest.mark.parametrize(
    ("value", "word", "shown"),
    [
        ("a # b c", "#", "# b c"),
        ("a#, #b, c", "#b", "#b  c"),
        ("a #", "#", "# "),
        ("# 12345678901234567890123", "#", "# 12345678901234567890"),
    ],
)
def test_what_is_shown(value: str, word: str, shown: str) -> None:
    assert comment_after_text(value, word) == f"#comment after other text is not allowed: {shown}..."
