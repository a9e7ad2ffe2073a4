"""A server that answers MAIL before it was said, as one does that was told things before TLS began: nobody minds.

Source: postconf(5) smtp_tls_block_early_mail_reply.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.parity import InstancePool, Parity
from tests.kit.tls import World
from tests.kit.tlspeer import Manner, Server
from tests.parity.known_differences import KNOWN_DIFFERENCES


@pytest.mark.parametrize("early", ["250 2.1.0 early", "550 5.7.1 early"])
@pytest.mark.parametrize("block", ["yes", "no"])
def test_deliveries(instance_pool: InstancePool, world: World, block: str, early: str) -> None:
    requirements.need_reference("reference")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def case(mta: Any) -> Sequence[str]:
            server = Server(world, Manner(early_within=early), listener)
            queue_id = mta.send_message("x@dest.example", sender="")
            mta.wait_for_log(rf"{queue_id}: to=<")
            server.close()
            mta.run("postsuper", "-d", "ALL")
            return [line for line in server.said if line != "QUIT"]  # which a reset overtakes where a reply was not read

        main = {
            "smtp_tls_security_level": "encrypt", "smtp_tls_block_early_mail_reply": block,
            "transport_maps": "texthash:{dir}/etc/transport", "smtpd_tls_security_level": "none",
        }  # fmt: skip
        files = {"transport": f"dest.example smtp:[127.0.0.1]:{listener.getsockname()[1]}\n"}
        Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))(
            case, main=main, files=files, replace={"smtp": "pyfix"}, logs="smtp"
        )
