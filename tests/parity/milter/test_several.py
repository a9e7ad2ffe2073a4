"""Several milters in a row, of which each sees what the earlier ones have changed.

Source: MILTER_README.
"""

from __future__ import annotations

import pytest

from tests.kit.milter import (
    ACCEPT,
    CONTINUE,
    DISCARD,
    HANG_UP,
    REJECT,
    Answer,
    Script,
    ScriptedMilter,
    add_header,
    add_recipient,
    change_header,
    change_sender,
    delete_recipient,
    insert_header,
    quarantine,
    replace_body,
)
from tests.kit.parity import Parity

from .sides import LATER, LOGS, message, session

pytestmark = pytest.mark.reference

_LINE = b"A line of the new body, and it is long enough to need some room.\r\n"


def at_end(*answers: Answer) -> Script:
    return Script({"eom": [*answers, CONTINUE]})


PAIRS: dict[str, tuple[Script, Script]] = {
    "header, changed": (at_end(add_header("X-One", "1")), at_end(change_header(1, "X-One", "2"), add_header("X-Two", "2"))),
    "inserted, changed": (at_end(insert_header(0, "X-One", "1")), at_end(change_header(1, "X-One", "2"))),
    "inserted, deleted": (at_end(insert_header(0, "X-One", "1"), insert_header(2, "X-Three", "3")), at_end(change_header(1, "X-Three", ""))),
    "Received inserted, Received changed": (at_end(insert_header(0, "Received", "by a")), at_end(change_header(1, "Received", "by b"))),
    "Received deleted": (at_end(insert_header(1, "Received", "by a")), at_end(change_header(1, "Received", ""))),
    "body, another body": (at_end(replace_body(_LINE * 50)), at_end(replace_body(_LINE * 70))),
    "body, a smaller one": (at_end(replace_body(_LINE * 70)), at_end(replace_body(b"tiny\r\n"))),
    "body, header, a larger one": (at_end(replace_body(_LINE * 10), add_header("A", "b")), at_end(replace_body(_LINE * 20), add_header("C", "d"))),
    "sender, recipients": (
        at_end(change_sender("<x@c.example>"), add_recipient("<second@ours.example>")),
        at_end(change_sender("<y@c.example>"), delete_recipient("<second@ours.example>"), add_recipient("<mbox@ours.example>")),
    ),
    "held, changed": (at_end(quarantine("first")), at_end(add_header("X-Two", "2"))),
    "changed, held": (at_end(add_header("X-One", "1")), at_end(quarantine("second"))),
    "accepted, changed": (Script({"rcpt": [ACCEPT]}), at_end(add_header("X-Two", "2"))),
    "accepted at the end, changed": (Script({"eom": [add_header("X-One", "1"), ACCEPT]}), at_end(add_header("X-Two", "2"))),
    "accepted at connect, changed": (Script({"connect": [ACCEPT]}), at_end(add_header("X-Two", "2"))),
    "rejected by the second": (at_end(add_header("X-One", "1")), Script({"rcpt": [REJECT]})),
    "rejected at the end": (at_end(add_header("X-One", "1")), Script({"eom": [REJECT]})),
    "discarded by the first": (Script({"rcpt": [DISCARD]}), at_end(add_header("X-Two", "2"))),
    "discarded at the end": (Script({"eom": [DISCARD]}), at_end(add_header("X-Two", "2"))),
    "first hangs up": (Script({"eoh": [HANG_UP]}), at_end(add_header("X-Two", "2"))),
    "second hangs up": (at_end(add_header("X-One", "1")), Script({"mail": [HANG_UP]})),
    "macros of their own": (Script(symbols={0: "j", 2: "{mail_addr}", 4: "", 6: "i v"}), Script(symbols={1: "{client_addr}", 3: "i {rcpt_addr}", 5: "j"})),
    "different events": (Script(protocol=0x3F), Script(protocol=1 << 20 | 0x40)),
}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("action", ["accept", "tempfail"])
def test_pairs(parity: Parity, milter: ScriptedMilter, second: ScriptedMilter, pair: str, action: str) -> None:
    if action == "tempfail" and "hangs" not in pair:
        return
    first_script, second_script = PAIRS[pair]
    main = {"smtpd_milters": f"{milter.endpoint}, {{{second.endpoint}, command_timeout=20s}}", "milter_default_action": action, **LATER}
    parity(session({milter: first_script, second: second_script}, message()), main=main, logs=LOGS)
