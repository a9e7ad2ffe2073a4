from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.tls.protocols import BadProtocols, Versions, parse_protocols

ALL = {0x0002, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304}


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("", Versions()),
        (">=TLSv1.2", Versions(lowest=0x0303)),
        ("<=tlsv1.2", Versions(highest=0x0303)),
        (">=TLSv1 <=TLSv1.3", Versions(0x0301, 0x0304)),
        (">=0x0303", Versions(lowest=0x0303)),
        (">=0303", Versions(lowest=0x0303)),
        (">=0", Versions()),
        (">=", Versions()),
        (">=TLSv1.2 >=TLSv1.1", Versions(lowest=0x0302)),
        ("!SSLv2 !SSLv3", Versions(excluded=frozenset((0x0002, 0x0300)))),
        ("TLSv1.2", Versions(excluded=frozenset(ALL - {0x0303}))),
        ("TLSv1.2:TLSv1.3", Versions(excluded=frozenset(ALL - {0x0303, 0x0304}))),
        ("TLSv1.2 !TLSv1.2", Versions(excluded=frozenset(ALL))),
        ("TLSv1.0", Versions(excluded=frozenset(ALL - {0x0301}))),
    ],
)
def test_lists(text: str, versions: Versions) -> None:
    assert parse_protocols(text.split()) == versions


@pytest.mark.parametrize("text", ["TLSv7", "!nonsense", ">=nonsense", "<=0xfffff", "!", "=TLSv1"])
def test_nonsense(text: str) -> None:
    with pytest.raises(BadProtocols):
        parse_protocols([text])


@given(st.lists(st.text(max_size=12), max_size=4))
def test_anything(words: list[str]) -> None:
    try:
        found = parse_protocols(words)
    except BadProtocols:
        return
    assert 0 <= found.lowest <= 0xFFFF and 0 <= found.highest <= 0xFFFF and found.excluded <= ALL
