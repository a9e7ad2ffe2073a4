from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyfix.delivery.requests import problem_of, receive_request
from pyfix.formats.attributes import AttributeListError, Long
from pyfix.protocols.internal.delivery import DeliveryRequest, MessageStats, Recipient
from pyfix.runtime.task import run_now

RECIPIENTS = [Recipient("o@x", "r@x", Long(5)), Recipient("", "s@x", Long(9))]
REQUEST = DeliveryRequest(
    flags=1, queue_name="active", queue_id="ABC123", offset=Long(1), size=Long(2), nexthop="x.example", encoding="",
    sendopts=0, sender="s@x", envelope_id="", ret_flags=0, time=MessageStats().encode(), client_name="", client_address="",
    client_port="", protocol_name="", helo_name="", sasl_method="", sasl_username="", sasl_sender="", log_ident="",
    rewrite_context="local", recipient_count=2,
)  # fmt: skip
WHOLE = REQUEST.encode() + b"".join(recipient.encode() for recipient in RECIPIENTS)


class Pieces:
    """Gives what a client sends, and then its end."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def receive(data: bytes, *pieces: bytes) -> Any:
    stream: Any = Pieces(*pieces)
    return run_now(receive_request(stream, data))


@pytest.mark.parametrize("cut", [0, 1, len(REQUEST.encode()), len(REQUEST.encode()) + 5, len(WHOLE) - 1])
def test_a_request_in_pieces(cut: int) -> None:
    assert receive(WHOLE[:cut], WHOLE[cut:]) == (REQUEST, RECIPIENTS, b"")


def test_byte_by_byte() -> None:
    assert receive(b"", *[WHOLE[at : at + 1] for at in range(len(WHOLE))]) == (REQUEST, RECIPIENTS, b"")


def test_what_comes_after_it_is_kept() -> None:
    assert receive(WHOLE + WHOLE[:10]) == (REQUEST, RECIPIENTS, WHOLE[:10])


@pytest.mark.parametrize("cut", [0, 10, len(REQUEST.encode()), len(WHOLE) - 1])
def test_a_client_that_leaves(cut: int) -> None:
    assert receive(WHOLE[:cut]) is None


def test_nonsense() -> None:
    with pytest.raises(AttributeListError):
        receive(b"flags\0x\0\0")


@pytest.mark.parametrize(
    ("changes", "recipients", "text"),
    [
        ({}, RECIPIENTS, ""), ({"queue_name": "incoming"}, RECIPIENTS, ""), ({"nexthop": ""}, RECIPIENTS, "empty nexthop hostname"),
        ({"queue_name": "hold"}, RECIPIENTS, "bad queue name: hold"), ({"queue_id": "a/b"}, RECIPIENTS, "bad queue id: a/b"),
        ({}, [], "ABC123: no recipients in delivery request for destination x.example"),
    ],
)  # fmt: skip
def test_requests_that_cannot_be_served(changes: dict[str, str], recipients: list[Recipient], text: str) -> None:
    assert problem_of(replace(REQUEST, **changes), recipients) == text  # type: ignore[arg-type]  # texts all of them
