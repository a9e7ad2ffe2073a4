from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfix.protocols.milter.machine import Event, Machine, State, Traits
from pyfix.protocols.milter.modification import AddHeader
from pyfix.protocols.milter.options import NO_HELO, NO_REPLY_MAIL
from pyfix.protocols.milter.packet import BadPacket, Packet, PacketReader, encode_packet
from pyfix.protocols.milter.verdict import Discard, Hold, Refuse, ShutDown, Verdict

EVENTS = (
    Event.CONNECT, Event.HELO, Event.MAIL, Event.RCPT, Event.DATA, Event.UNKNOWN, Event.HEADER, Event.END_OF_HEADER,
    Event.BODY, Event.END_OF_BODY,
)  # fmt: skip


def machine(action: str = "tempfail", events: int = 0) -> tuple[Machine, list[str]]:
    warnings: list[str] = []
    found = Machine("M", action, warnings.append)
    assert found.begin("6")
    assert found.take_options(Packet(ord("O"), struct.pack(">III", 6, 0x1FF, events)))
    found.send(Event.CONNECT, [], b"x")
    found.take(Packet(ord("c"), b""))
    return found, warnings


def ask(found: Machine, event: Traits, kind: str, data: bytes = b"") -> Verdict | None:
    found.send(event, [("j", "host")], b"data")
    found.take(Packet(ord(kind), data))
    assert found.done
    return found.answer()


def test_an_event() -> None:
    found, _ = machine()
    wanted = encode_packet(b"D", b"Rj\0host\0") + encode_packet(b"R", b"<a>\0")
    assert found.send(Event.RCPT, [("j", "host")], b"<a>\0") == wanted
    assert not found.done


def test_events_that_are_not_wanted_or_answered() -> None:
    found, _ = machine(events=NO_HELO | NO_REPLY_MAIL)
    assert found.send(Event.HELO, [], b"x") == encode_packet(b"D", b"H")
    assert found.done
    assert found.send(Event.MAIL, [], b"x").endswith(encode_packet(b"M", b"x"))
    assert found.done


@pytest.mark.parametrize(
    ("kind", "data", "wanted", "state"),
    [
        ("c", b"", None, State.ENVELOPE),
        ("a", b"", None, State.ACCEPTED_MESSAGE),
        ("d", b"", Discard(), State.ACCEPTED_MESSAGE),
        ("r", b"", Refuse("550 5.7.1 Command rejected"), State.ENVELOPE),
        ("t", b"", Refuse("451 4.7.1 Service unavailable - try again later"), State.ENVELOPE),
        ("y", b"554 5.7.9 no\0", Refuse("554 5.7.9 no"), State.ENVELOPE),
        ("y", b"450 at 100%% sure %s\0", Refuse("450 at 100% sure s"), State.ENVELOPE),
        ("4", b"", ShutDown(), State.REJECTED_CLIENT),
        ("y", b"250 ok\0", Refuse("451 4.3.5 Server configuration problem - try again later"), State.FAILED),
        ("Z", b"", Refuse("451 4.7.1 Service unavailable - try again later"), State.FAILED),
        ("c", b"more", Refuse("451 4.7.1 Service unavailable - try again later"), State.FAILED),
    ],
)
def test_answers(kind: str, data: bytes, wanted: Verdict | None, state: State) -> None:
    found, warnings = machine()
    assert ask(found, Event.RCPT, kind, data) == wanted
    assert found.state == state
    assert bool(warnings) == (state == State.FAILED)


def test_answers_for_the_whole_session() -> None:
    found, _ = machine()
    assert ask(found, Event.HELO, "r") == Refuse("550 5.7.1 Command rejected")
    assert not found.hears(Event.MAIL)
    assert not found.quit()
    found, _ = machine()
    ask(found, Event.HELO, "a")
    assert not found.hears(Event.RCPT)
    found, warnings = machine()
    assert ask(found, Event.HELO, "d") is None
    assert warnings == ["milter M: DISCARD action is not allowed for connect or helo"]


def test_hold_goes_on() -> None:
    found, warnings = machine()
    found.send(Event.MAIL, [], b"x")
    found.take(Packet(ord("q"), b"why\0"))
    assert not found.done
    found.take(Packet(ord("c"), b""))
    assert found.answer() == Hold("why")
    assert not found.send(Event.RCPT, [], b"x")
    assert "after error" in warnings[0]


def test_skip_is_for_one_kind_and_one_message() -> None:
    found, _ = machine()
    ask(found, Event.RCPT, "s")
    assert found.send(Event.RCPT, [], b"x") == b""
    assert found.abort() == encode_packet(b"A")
    assert found.send(Event.RCPT, [], b"x")


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        ("accept", None),
        ("reject", Refuse("550 5.5.0 Service unavailable")),
        ("quarantine", Hold("default_action")),
        ("shutdown", Refuse("421 4.7.1 Service unavailable - try again later")),
        ("what", Refuse("451 4.3.5 Server configuration problem - try again later")),
    ],
)
def test_default_actions(action: str, wanted: Verdict | None) -> None:
    found, _ = machine(action)
    found.fail()
    assert found.answer() == wanted
    assert not found.is_active


def test_modifications_only_at_the_end() -> None:
    found, _ = machine()
    found.send(Event.END_OF_BODY, [], b"")
    assert found.take(Packet(ord("h"), b"A\0b\0")) == AddHeader(b"A", b"b")
    assert found.take(Packet(ord("b"), b"x")) is not None
    assert found.take(Packet(ord("h"), b"A\0b\0")) is not None
    assert found.take(Packet(ord("b"), b"x")) is None, "a second body"
    assert found.state == State.FAILED
    found, _ = machine()
    found.send(Event.BODY, [], b"x")
    assert found.take(Packet(ord("h"), b"A\0b\0")) is None
    assert found.state == State.FAILED


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.binary(max_size=60)), max_size=12), st.binary(max_size=30))
def test_whatever_a_milter_says(said: list[tuple[Traits, bytes]], greeting: bytes) -> None:
    """Verdicts and warnings, and never an exception."""
    warnings: list[str] = []
    found = Machine("M", "shutdown", warnings.append)
    found.begin("6")
    if not found.take_options(Packet(ord("O"), greeting)):
        assert warnings
        assert not found.is_active
        found, _ = machine()
    for event, data in said:
        if not found.hears(event):
            continue
        found.send(event, [], b"")
        reader = PacketReader()
        reader.feed(b"".join([encode_packet(data[at : at + 1], data[at + 1 : at + 9]) for at in range(0, len(data), 9)]))
        while not found.done:
            try:
                packet = reader.next()
            except BadPacket:
                packet = None
            if packet is None:
                found.fail()
                break
            found.take(packet)
        found.answer()
