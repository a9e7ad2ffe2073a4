"""A mail system is stopped within a large delivery, and the other side goes on with its spool: each recipient gets the message, and none
twice but where the agent is ended between the server's answer and the mark.

Recipients that were done are marked in the queue file, those that failed for now stand in the defer log.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.interchange.test_handover import SIDES, hand_over
from tests.kit.instance import Instance
from tests.kit.loadtools import sink

pytestmark = pytest.mark.reference

MANY = 10_000
BEGUN = 1500
"""Deliveries after which the first side is stopped."""
UNDER_WAY = 20 * 10
"""Recipients of deliveries that may be under way: the server has taken the message, and the agent is ended before it can mark them."""
_ADDRESS = re.compile(r"^X-Rcpt-Args: <(u\d+@[^>]*)>", re.MULTILINE)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("first", "second"), SIDES)
def test_ten_thousand_recipients(new_instance: Callable[..., Instance], first: str, second: str) -> None:
    # A tenth of the recipients is deferred by the first side.
    addresses = [f"u{number}@{'later' if number % 10 == 5 else 'bulk'}.example" for number in range(MANY)]
    with TemporaryDirectory() as folder, sink("reference", "smtp-sink", "-4", "-m", "1000", "-D", f"{folder}/all") as server:
        Path(folder).chmod(0o777)
        hop = f"smtp:[127.0.0.1]:{server.port}"
        main = {
            "smtp_tls_security_level": "none",
            "smtp_destination_recipient_limit": "10",
        }
        waits = {**main, "transport_maps": f"inline:{{bulk.example={hop}, {{later.example=retry:4.4.1 not now}}}}"}
        source = new_instance(first, main=waits).start()
        done = source.run("sendmail", "-f", "second@ours.example", *addresses, input=b"Subject: x\n\nx\n")
        assert done.returncode == 0, done
        queue_id = source.wait_for_log(r"(\w+): uid=\d+ from=")[1]
        source.wait_for_log(r": to=<u\d+@bulk.*status=sent", count=BEGUN, seconds=60)
        source.stop(30)
        assert len(source.log_lines()) < MANY * 9 // 10, "stopped too late"
        target = new_instance(second, main={**main, "transport_maps": f"inline:{{bulk.example={hop}, later.example={hop}}}"})
        hand_over(source, target)
        target.start()
        target.wait_for_log(rf"{queue_id}: removed", seconds=120)
        target.stop()
        counted = Counter(_ADDRESS.findall((Path(folder) / "all").read_text()))
    assert set(counted) == set(addresses), f"lost: {sorted(set(addresses) - set(counted))[:10]}"
    doubled = [address for address, count in counted.items() if count > 1]
    assert len(doubled) <= UNDER_WAY, f"doubled: {doubled[:10]}"
