"""milter_header_checks: what is done about headers that milters add or change.

Source: postconf(5) milter_header_checks; header_checks(5).
"""

from __future__ import annotations

import pytest

from tests.kit.milter import CONTINUE, Script, ScriptedMilter, add_header, change_header, insert_header
from tests.kit.parity import Parity

from .sides import LATER, LOGS, session

pytestmark = pytest.mark.reference

ACTIONS = (
    "REJECT no $1", "REJECT", "REJECT 4.7.1 later", "WARN w", "INFO i", "INFO", "HOLD h", "DISCARD d",
    "FILTER smtp:[127.0.0.1]", "FILTER nonsense", "REDIRECT second@ours.example", "BCC second@ours.example",
    "PREPEND X-P: q", "REPLACE X-R: r", "REPLACE nonsense", "IGNORE", "DUNNO", "STRIP s", "PASS", "foo", "FROM x",
)  # fmt: skip


@pytest.mark.parametrize("action", ACTIONS)
def test_actions(parity: Parity, milter: ScriptedMilter, action: str) -> None:
    changes = [add_header("X-C", "v"), insert_header(0, "X-C", "w"), change_header(1, "Subject", "y"), add_header("X-D", "z")]
    main = {
        "smtpd_milters": milter.endpoint,
        "milter_header_checks": "regexp:{dir}/etc/checks",
        "header_checks": "regexp:{dir}/etc/others",
        **LATER,
    }
    files = {"checks": f"/^X-C: (.*)/ {action}\n/^Subject: y/ WARN subject\n", "others": "/^X-/ WARN not for milters\n"}
    script = Script({"eom": [*changes, CONTINUE]})
    if action == "REPLACE X-R: r":  # a table that is waited for
        main |= {"milter_header_checks": "proxy:regexp:{dir}/etc/checks", "proxy_read_maps": "$milter_header_checks"}
    parity(session({milter: script}), main=main, files=files, logs=LOGS)
