from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.sasl.base64text import BadBase64, decoded, encoded, looks_like_base64


@given(st.binary(max_size=200))
def test_there_and_back(data: bytes) -> None:
    assert encoded(data) == base64.b64encode(data).decode()
    assert decoded(encoded(data)) == data
    assert looks_like_base64(encoded(data))


@pytest.mark.parametrize("text", ["=", "YQ", "YQ=", "AAA", "AAAA\n", "!!", "AAAAA"])
def test_incomplete(text: str) -> None:
    with pytest.raises(BadBase64) as caught:
        decoded(text)
    assert caught.value.incomplete


@pytest.mark.parametrize("text", ["====", "YQ==YQ==", "Y===", "A=BC", "!AAA", "YQ==\r\n", "YQ==Y", " AAA", "YQ=!"])
def test_wrong(text: str) -> None:
    with pytest.raises(BadBase64) as caught:
        decoded(text)
    assert not caught.value.incomplete


@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    try:
        decoded(text)
    except BadBase64:
        return
    assert looks_like_base64(text)
