from __future__ import annotations

import pytest

from pyfix.commands.postfix.doctor.nearest import distance, nearest


@pytest.mark.parametrize(
    ("left", "right", "most", "found"),
    [("abc", "abc", 2, 0), ("abc", "acb", 2, 1), ("abc", "abd", 2, 1), ("abc", "abcd", 2, 1), ("", "ab", 2, 2),
     ("abcdef", "uvwxyz", 2, 3), ("a", "abcdef", 2, 3), ("kitten", "sitting", 3, 3)],
)  # fmt: skip
def test_distance(left: str, right: str, most: int, found: int) -> None:
    assert distance(left, right, most) == found == distance(right, left, most)


def test_nearest() -> None:
    names = ("mynetworks", "mynetworks_style", "myorigin", "lmtp", "smtp")
    assert nearest("mynetwork", names) == "mynetworks"
    assert nearest("MyNetworks_Stlye", names) == "mynetworks_style"
    assert nearest("lmpt", names) == "lmtp"
    assert nearest("relayhost", names) == ""
    assert nearest("x", names) == ""
