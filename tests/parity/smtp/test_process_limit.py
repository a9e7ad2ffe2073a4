"""A limit of processes in master.cf is one of deliveries at a time, to whatever destinations.

Source: master(5), maxproc.
"""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.loadtools import sink
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

MESSAGES = 4


@pytest.mark.parametrize("limit", ["1", "2", "-"])
def test_deliveries_at_a_time(parity: Parity, limit: str) -> None:
    """The server takes a second for each message; the last one has waited for those before it."""

    def case(mta: Instance) -> bool:
        mta.send_message([f"a@d{number}.example" for number in range(MESSAGES)], sender="second@ours.example")
        mta.wait_for_log(r": to=<a@d\d.example>.*status=sent", count=MESSAGES)
        delays = [float(line.split(" delay=")[1].split(",")[0]) for line in mta.log_lines() if "status=sent" in line]
        in_turn = MESSAGES if limit == "-" else int(limit)
        return max(delays) >= MESSAGES / in_turn - 0.1 and (limit != "-" or max(delays) < MESSAGES)

    with sink("reference", "smtp-sink", "-4", "-W", "DATA:1", host="") as server:
        routes = ", ".join(f"{{d{number}.example=slow:[127.0.5.{number + 1}]:{server.port}}}" for number in range(MESSAGES))
        main = {"transport_maps": f"inline:{{{routes}}}", "smtp_tls_security_level": "none"}
        assert parity(case, main=main, master={"slow": f"slow unix - - n - {limit} smtp"}, fresh=True).result is True
