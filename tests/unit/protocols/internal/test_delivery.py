from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.formats.attributes import AttributeListError, Long
from pyfix.protocols.internal.delivery import (
    REQUESTS,
    DeliveryReply,
    DeliveryRequest,
    InternalProtocol,
    MessageStats,
    Recipient,
    decode_recipients,
    decode_request,
    decode_whole,
)

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
NUMBER = st.integers(0, 2**31 - 1)
SECONDS = st.integers(0, 2**32).map(lambda number: number / 4)
TIMES = st.tuples(SECONDS, SECONDS).map(lambda pair: MessageStats(*pair).encode())


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, DeliveryRequest, list[Recipient]]:
    version: InternalProtocol = draw(st.sampled_from(["3.11", "3.7"]))
    recipients = [
        Recipient(draw(TEXT), draw(TEXT), Long(draw(NUMBER)), draw(TEXT), draw(NUMBER))
        for _ in range(draw(st.integers(0, 3)))
    ]
    names = "client_name client_address client_port protocol_name helo_name sasl_method sasl_username sasl_sender"
    texts = {name: draw(TEXT) for name in (*names.split(), "log_ident", "rewrite_context")}
    request = REQUESTS[version](
        flags=draw(NUMBER), queue_name="active", queue_id=draw(TEXT), offset=Long(draw(NUMBER)),
        size=Long(draw(NUMBER)), nexthop=draw(TEXT), encoding=draw(TEXT), sendopts=draw(NUMBER),
        sender=draw(TEXT), envelope_id=draw(TEXT),
        ret_flags=draw(NUMBER), time=draw(TIMES), recipient_count=len(recipients), **texts,
    )  # fmt: skip
    return request.encode() + b"".join(recipient.encode() for recipient in recipients), request, recipients


@given(requests())
def test_a_whole_request_is_read_as_it_was_written(made: tuple[bytes, DeliveryRequest, list[Recipient]]) -> None:
    data, request, recipients = made
    whole = decode_whole(data)
    assert whole is not None and whole[1:] == (recipients, MessageStats.decode(request.time))
    for member in fields(request):
        assert getattr(whole[0], member.name) == getattr(request, member.name)
    with pytest.raises(AttributeError):
        _ = whole[0].nosuch  # type: ignore[attr-defined]  # that is the point
    head = decode_request(data)
    assert head is not None and head[0] == request
    assert decode_recipients(data, head[1], len(recipients)) == (recipients, len(data))


@given(requests(), st.data())
def test_a_part_of_a_request_is_not_taken_for_a_whole_one(
    made: tuple[bytes, DeliveryRequest, list[Recipient]], more: st.DataObject
) -> None:
    data, request, recipients = made
    cut = more.draw(st.integers(0, len(data) - 1))
    assert decode_whole(data[:cut]) is None
    assert decode_whole(data + b"x") is None
    head = decode_request(data[:cut])
    if head is not None:
        found, end = decode_recipients(data[:cut], head[1], len(recipients))
        assert head[0] == request and found == recipients[: len(found)] and end <= cut


@given(st.binary(max_size=200))
def test_rubbish_does_no_harm(data: bytes) -> None:
    assert decode_whole(data) is None
    try:
        decode_request(data)
    except AttributeListError:
        return


def test_times() -> None:
    stats = MessageStats(1795401389.25, 1.5, 0.0, 2.125, 3.0, 7)
    assert MessageStats.decode(stats.encode()) == stats
    assert len(stats.encode()) == 88
    with pytest.raises(AttributeListError):
        MessageStats.decode(b"short")


def test_the_reply_has_two_attributes_named_status() -> None:
    data = DeliveryReply(dsn_status="4.4.1", reason="why", status=-1).encode()
    assert data.startswith(b"status\x004.4.1\x00diag_type\x00\x00")
    assert data.endswith(b"reason\x00why\x00status\x004294967295\x00\x00")
    assert DeliveryReply.decode(data).status == -1
