from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.daemons.qmgr.request import encode_request, verp_sender
from pyfix.formats.attributes import Long
from pyfix.protocols.internal.delivery import REQUESTS, InternalProtocol, MessageStats, Recipient
from pyfix.queue.envelope import Envelope
from pyfix.queue.message import Message
from pyfix.scheduling.message import ActiveMessage, Entry
from tests.unit.queue.test_message import build


@pytest.mark.parametrize("version", ["3.11", "3.7"])
def test_the_request_is_what_the_message_classes_write(tmp_path: Path, version: InternalProtocol) -> None:
    sizes = build(tmp_path / "m", ["a@x", "b\udce4@x"], b"")
    with Message(str(tmp_path / "m")) as file:
        envelope = Envelope(file)
        envelope.read()
        message = ActiveMessage("ABC", envelope, file.sizes, 1001.5)
    message.attributes |= {"log_client_name": "one", "client_name": "other", "client_port": "25", "ret_flags": "2"}
    destination: Any = SimpleNamespace(nexthop="next\udcff.example", caching=0)
    head = REQUESTS[version](
        flags=3, queue_name="active", queue_id="ABC", offset=Long(sizes.data_offset), size=Long(sizes.content),
        nexthop="next\udcff.example", encoding="8bit", sendopts=0, sender="s@x", envelope_id="", ret_flags=2,
        time=MessageStats(1000.25, 1001.5).encode(), client_name="one", client_address="", client_port="25",
        protocol_name="", helo_name="", sasl_method="", sasl_username="", sasl_sender="", log_ident="ABC",
        rewrite_context="local", recipient_count=2,
    )  # fmt: skip
    recipients = [Recipient(*found[:2], Long(found.offset), *found[3:]) for found in envelope.recipients]
    expected = head.encode() + b"".join(recipient.encode() for recipient in recipients)
    assert encode_request(Entry(message, destination, envelope.recipients), version) == expected


def test_verp() -> None:
    message: Any = SimpleNamespace(sender="owner-list@ours.example", verp="+=")
    assert verp_sender(message, "user@there.example") == "owner-list+user=there.example@ours.example"
