import ipaddress
import random
from pathlib import Path

import pytest

from pyfix.tables.cidr import CidrTable
from pyfix.tables.table import Opening, TableError

RULES = """\
1.2.3.4 a
1.2.3.0/24 b
2001:db8::/32   v6net
!10.0.0.0/8 notten
if 10.0.0.0/8
10.1.0.0/16 ten-one
if !10.2.0.0/16
10.0.0.0/8 nottwo
endif
endif
10.0.0.0/8  last
"""


def test_rules_in_order(tmp_path: Path, notices: list[str]) -> None:
    (tmp_path / "t").write_text(RULES)
    table = CidrTable(str(tmp_path / "t"), Opening())
    assert table.pattern and not table.fold
    found = {
        "1.2.3.4": "a", "1.2.3.9": "b", "2001:db8::1": "v6net", "9.9.9.9": "notten", "10.1.0.1": "ten-one",
        "10.2.0.1": "last", "10.3.0.1": "nottwo", "::1": None, "x": None, "": None,
    }  # fmt: skip
    assert {key: table.find_now(key) for key in found} == found
    assert not notices


def test_a_sign_decides_nothing_for_the_other_family() -> None:
    table = CidrTable("{{if !10.0.0.0/8}, {::/0 six}, {0.0.0.0/0 four}, {endif}}", Opening())
    assert [table.find_now(key) for key in ("::1", "10.1.1.1", "11.1.1.1")] == [None, None, "four"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("1.2.3.1/24 x", 'non-null host address bits in "1.2.3.1/24", perhaps you should use "1.2.3.0/24" instead'),
        ("1.2.3 x", 'bad address pattern: "1.2.3"'),
        ("if 1.1.1.1 x", 'bad address pattern: "1.1.1.1 x"'),
        ("foo", 'bad address pattern: "foo"'),
        ("1.2.3.4", "no lookup result"),
        ("if", "no address pattern"),
        ("endif x", "garbage after ENDIF"),
        ("endif", "ENDIF without IF"),
    ],
)
def test_complaints(line: str, complaint: str, notices: list[str]) -> None:
    CidrTable(f"{{{{{line}}}}}", Opening())
    assert notices == [f"warning: cidr map {{{{{line}}}}}, line 1: {complaint}: skipping this rule"]


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="open /nonexistent: No such file or directory"):
        CidrTable("/nonexistent", Opening())
    with pytest.raises(TableError, match="read error: Is a directory"):
        CidrTable(str(tmp_path), Opening())


def test_the_first_of_many_blocks(tmp_path: Path) -> None:
    """With and without conditions the same: the way with an index, and the one from rule to rule."""
    chance = random.Random(2)
    lines = []
    for number in range(300):
        bits = chance.choice([0, 8, 9, 16, 24, 32]) if number > 250 else chance.choice([9, 16, 24, 32])
        address = chance.getrandbits(2) << 30 | chance.getrandbits(6) << 20 | chance.getrandbits(3) << 8
        lines.append(f"{ipaddress.ip_address(address >> (32 - bits) << (32 - bits))}/{bits} {number}\n")
    (tmp_path / "quick").write_text("".join(lines))
    (tmp_path / "slow").write_text("".join(lines) + "if 1.2.3.4\nendif\n")
    quick, slow = (CidrTable(str(tmp_path / name), Opening()) for name in ("quick", "slow"))
    assert quick._by_mask is not None and slow._by_mask is None
    for _ in range(500):
        address = chance.getrandbits(2) << 30 | chance.getrandbits(6) << 20 | chance.getrandbits(3) << 8
        key = str(ipaddress.ip_address(address))
        assert quick.lookup(key) == slow.lookup(key)
    assert quick.lookup("::1") is None
