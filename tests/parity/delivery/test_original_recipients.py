"""enable_original_recipient: what local(8) knows of the recipient before aliases, where cleanup(8) has kept none.

Source: postconf(5) enable_original_recipient, prepend_delivered_header; local(8).
"""

from __future__ import annotations

import re

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

from .localmail import ACCOUNTS, MAIN, OURS, deliver

pytestmark = [pytest.mark.reference, pytest.mark.root]

ALIASES = """\
toalice alice
twice toalice
tofile {dir}/out/file
tocommand "|cat > {dir}/out/command; echo $ORIGINAL_RECIPIENT >> {dir}/out/command"
faraway there@disc.example
listed alice, bob
owner-listed carol
tonobody nosuch
"""
HOME = {"~bob/.forward": "\\bob, carol\n"}
VIRTUAL = {
    "virtual_mailbox_domains": "boxes.example", "virtual_mailbox_base": "{dir}/out", "virtual_mailbox_maps": "static:box", "virtual_uid_maps": "static:65534",
    "virtual_gid_maps": "static:65534", "virtual_minimum_uid": "1",
    "virtual_alias_maps": "inline:{{renamed@ours.example=alice@localhost}, {boxed@ours.example=joe@boxes.example}, {piped@ours.example=joe@pipe.example}}",
    "transport_maps": "inline:{{disc.example=discard:gone}, {pipe.example=given:}}",
}  # fmt: skip
GIVEN = "given unix - n n - - pipe flags=ODR user=nobody argv=/bin/sh -c {echo $1 >> {dir}/out/given; cat >> {dir}/out/given} sh ${original_recipient}"
NAMES = (
    "alice",
    "bob",
    "toalice",
    "twice",
    "tofile",
    "tocommand",
    "faraway",
    "listed",
    "tonobody",
    "alice+x",
    "joe@boxes.example",
    "joe@pipe.example",
)
BY_VIRTUAL_ALIAS = tuple(f"{name}@ours.example" for name in ("renamed", "boxed", "piped"))


@pytest.mark.parametrize("kept", ["no", "yes"])
def test_what_is_shown(exchanged: Parity, kept: str) -> None:
    """In files, to commands and in the log, by each agent that writes such a line."""

    def case(mta: Instance) -> None:
        for name in (*NAMES, *BY_VIRTUAL_ALIAS):
            deliver(mta, name if "@" in name else f"{name}@localhost", HOME)
        mta.transcript += sorted(
            re.sub(r".*: (to=.*?), relay=(\w+).*", r"\1 \2", line) for line in mta.log_lines() if ": to=<" in line
        )

    main = {**MAIN, **VIRTUAL, "enable_original_recipient": kept}
    exchanged(
        case,
        main=main,
        files={"aliases": ALIASES},
        accounts=ACCOUNTS,
        replace=OURS | {"virtual": "pyfix", "pipe": "pyfix"},
        master={"given": GIVEN},
    )
