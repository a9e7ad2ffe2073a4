"""An alias of ten thousand members, local's with half of them in a file that it includes, and a virtual one, are expanded in bounded memory.

Source: local(8); aliases(5); virtual(5); postconf(5) virtual_alias_expansion_limit; the number of recipients of the reference's message.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.parity.delivery.localmail import BACK, MAIN

pytestmark = [pytest.mark.reference, pytest.mark.root]

NUMBER = 10_000
MEMBERS = [f"member.number.{number}@disc.example" for number in range(NUMBER)]
FILES: dict[str, str | bytes] = {
    "aliases": f"small alice@disc.example\nbig {', '.join(MEMBERS[::2])}, :include:{{dir}}/etc/list\n",
    "list": "".join(f"{member}\n" for member in MEMBERS[1::2]),
}
GROWTH = 16 * 1024
"""Most KiB by which the largest process of a program of ours may grow: 1.6 KiB a member."""


def peaks(mta: Instance, programs: tuple[str, ...]) -> dict[str, int]:
    """Return the most memory, in KiB, that any process of each program has had."""
    return {
        program: max(int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0]) for pid in mta.pids_of(program))
        for program in programs
    }


def grown(mta: Instance, programs: tuple[str, ...], small: str, big: str) -> list[tuple[str, str]]:
    """Send a message to *small*, then one to *big*, and return who got it; fail if a program grew too much for that."""
    mta.send_message(small, sender=BACK)
    mta.wait_until_empty()
    before = peaks(mta, programs)
    mta.send_message(big, sender=BACK)
    mta.wait_for_log(rf"nrcpt={NUMBER} ", 60)
    mta.wait_until_empty(60)
    after = peaks(mta, programs)
    growth = {program: after[program] - before[program] for program in programs}
    print(mta.kind, before, growth)
    assert mta.kind != "pyfix" or all(kib < GROWTH for kib in growth.values()), (before, growth)
    return sorted(re.findall(r": to=<([^>]*)>.*status=(\w+)", "\n".join(mta.log_lines())))


def test_memory(parity: Parity) -> None:
    def case(mta: Instance) -> list[tuple[str, str]]:
        return grown(mta, ("local", "cleanup", "qmgr"), "small@localhost", "big@localhost")

    seen = parity(case, main={**MAIN, "max_use": "1000"}, files=FILES)
    assert isinstance(seen.result, list) and len(seen.result) == NUMBER + 3


@pytest.mark.parametrize("nested", [False, True])
def test_memory_of_a_virtual_alias(parity: Parity, nested: bool) -> None:
    """All members in one entry, and a hundred lists of a hundred, each a virtual alias of its own."""

    def case(mta: Instance) -> list[tuple[str, str]]:
        return grown(mta, ("cleanup", "qmgr"), "small@virtual.example", "big@virtual.example")

    lists = [MEMBERS[start : start + 100] for start in range(0, NUMBER, 100)]
    entries = {"small@virtual.example": [MEMBERS[0]], "big@virtual.example": MEMBERS}
    if nested:
        named = {f"list{number}@virtual.example": members for number, members in enumerate(lists)}
        entries |= named | {"big@virtual.example": list(named)}
    main = {
        **MAIN,
        "max_use": "1000",
        "virtual_alias_domains": "virtual.example",
        "virtual_alias_maps": "texthash:{dir}/etc/virtual",
        "virtual_alias_expansion_limit": str(2 * NUMBER),
    }
    table = "".join(f"{name} {', '.join(members)}\n" for name, members in entries.items())
    seen = parity(case, main=main, files={"aliases": "", "virtual": table})
    assert isinstance(seen.result, list) and len(seen.result) == NUMBER + 1
