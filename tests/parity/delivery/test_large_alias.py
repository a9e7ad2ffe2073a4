"""An alias of ten thousand members, half of them in a file that it includes, is expanded in bounded memory.

Source: local(8); aliases(5); the number of recipients of the reference's message.
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
PROGRAMS = ("local", "cleanup", "qmgr")
GROWTH = 16 * 1024
"""Most KiB by which the largest process of a program may grow: 1.6 KiB a member."""


def peaks(mta: Instance) -> dict[str, int]:
    """Return the most memory, in KiB, that any process of each program has had."""
    return {
        program: max(int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0]) for pid in mta.pids_of(program))
        for program in PROGRAMS
    }


def test_memory(parity: Parity) -> None:
    def case(mta: Instance) -> list[str]:
        mta.send_message("small@localhost", sender=BACK)
        mta.wait_until_empty()
        before = peaks(mta)
        mta.send_message("big@localhost", sender=BACK)
        mta.wait_for_log(rf"nrcpt={NUMBER} ", 60)
        mta.wait_until_empty(60)
        after = peaks(mta)
        grown = {program: after[program] - before[program] for program in PROGRAMS}
        print(mta.kind, before, grown)
        assert all(growth < GROWTH for growth in grown.values()), (before, grown)
        return sorted(re.findall(r": to=<([^>]*)>.*status=(\w+)", "\n".join(mta.log_lines())))

    seen = parity(case, main={**MAIN, "max_use": "1000"}, files=FILES)
    assert isinstance(seen.result, list) and len(seen.result) == NUMBER + 3
