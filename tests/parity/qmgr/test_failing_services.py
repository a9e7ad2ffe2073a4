"""bounce(8), defer(8) or trace(8) that can't be asked: what the agents and the queue manager say, and that mail stays."""

from __future__ import annotations

import re

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

_ROUTES = "{bounce.example=error:5.1.6 moved}, {later.example=retry:4.4.1 not now}, {disc.example=discard:gone}"
MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "transport_maps": f"inline:{{{_ROUTES}}}",
    "minimal_backoff_time": "1000s",
}
_CASES = {
    "bounce": ({"bounce_service_name": "nosuch"}, ("x@bounce.example",), 1),
    "defer": ({"defer_service_name": "nosuch"}, ("x@later.example",), 1),
    "expired": ({"defer_service_name": "nosuch", "maximal_queue_lifetime": "0", "bounce_queue_lifetime": "0"}, ("x@later.example",), 1),
    "delayed": ({"defer_service_name": "nosuch", "delay_warning_time": "1s"}, ("x@later.example",), 2),
    "success": ({"trace_service_name": "nosuch"}, ("-N", "success", "x@disc.example"), 1),
    "verbose": ({"trace_service_name": "nosuch"}, ("-v", "x@disc.example"), 1),
    "verbose bounce": ({"trace_service_name": "nosuch"}, ("-v", "x@bounce.example"), 1),
    "verbose delay": ({"trace_service_name": "nosuch"}, ("-v", "x@later.example"), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(_CASES))
def test_a_service_that_is_not_there(parity: Parity, name: str) -> None:
    settings, arguments, tries = _CASES[name]

    def case(mta: Instance) -> object:
        mta.run("sendmail", "-f", "back@disc.example", *arguments, input=b"Subject: x\n\nx\n")
        for number in range(1, tries + 1):
            mta.wait_for_log(r": to=<", count=number)
            mta.settle()
            if number < tries:
                mta.wait_for_log(r".", seconds=1)
                mta.run("postqueue", "-f")
        mta.settle()
        found = [re.search(r"/(error|discard|qmgr)\[\d+\]: (.*)", line) for line in mta.log_lines()]
        lines = [(one[1], re.sub(r"delay=.*?, dsn=", "dsn=", one[2])) for one in found if one and "queue active" not in one[2]]
        lines = [(program, re.sub(r"\b[0-9A-F]{8,}\b", "<ID>", text)) for program, text in lines]
        agents = [text for program, text in lines if program != "qmgr"]
        return agents, [text for program, text in lines if program == "qmgr"], list(mta.queue())

    parity(case, main={**MAIN, **settings}, fresh=True)


@pytest.mark.parametrize("recipients", [["x@nowhere.example", "y@nowhere.example"], ["x@later.example"]])
def test_without_retry(parity: Parity, recipients: list[str]) -> None:
    """What retry(8) would defer the queue manager defers itself."""

    def case(mta: Instance) -> object:
        queue_id = mta.send_message(recipients, sender="")
        mta.wait_for_log(rf"{queue_id}: to=<.*deferred", count=len(recipients))
        mta.settle()
        log = mta.queue_directory / "defer" / queue_id[0] / queue_id
        lines = [line.partition("]: ")[2] for line in mta.log_lines() if "/qmgr[" in line and "queue active" not in line]
        texts = [re.sub(r"delay=.*?, dsn=", "dsn=", line.replace(queue_id, "<ID>")) for line in lines]
        return texts, [line for line in log.read_text().splitlines() if not line.startswith("offset=")], list(mta.queue())

    routes = f"inline:{{{_ROUTES}, {{nowhere.example=nosuch:x}}}}"
    parity(case, main={**MAIN, "transport_maps": routes}, master={"retry": None}, fresh=True)
