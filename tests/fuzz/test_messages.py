"""Messages between daemons: any list of attributes is the message that is expected, or an AttributeListError."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import fields, is_dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyfix.protocols.internal
from pyfix.formats.attributes import AttributeListError, Attributes
from pyfix.protocols.internal.delivery import MessageStats, decode_recipients, decode_request, decode_whole


def _classes() -> list[type[Attributes]]:
    found = []
    for module in pkgutil.iter_modules(pyfix.protocols.internal.__path__, "pyfix.protocols.internal."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Attributes) and value.__module__ == module.name:
                found.append(value)
    return [one for one in found if is_dataclass(one)]


CLASSES = _classes()
VALUES = st.one_of(
    st.sampled_from(
        ["0", "-1", "4294967295", "18446744073709551616", "9" * 5000, "AAAA", "A", "====", "", " 1", "1_0", "\u0661"]
    ),
    st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
)


def wire_names(message: type[Attributes]) -> list[str]:
    return [str(field.metadata.get("wire", field.name)) for field in fields(message)]  # type: ignore[arg-type]  # they are


def test_there_are_messages() -> None:
    assert len(CLASSES) > 40


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(CLASSES), st.data())
def test_any_values(message: type[Attributes], data: st.DataObject) -> None:
    """The right names in the right order, with other values; a name may be missing or double."""
    names = wire_names(message)
    if names and data.draw(st.booleans()):
        names[data.draw(st.integers(0, len(names) - 1))] = data.draw(st.sampled_from(["", "x", names[0]]))
    pairs = [(name, data.draw(VALUES)) for name in names]
    wire = "".join(
        f"{name}={value}\n" if message.ENCODING == "plain" else f"{name}\0{value}\0" for name, value in pairs
    )
    encoded = wire.encode("utf-8", "surrogateescape") + (b"\n" if message.ENCODING == "plain" else b"\0")
    try:
        found = message.decode(encoded)
    except AttributeListError as error:
        assert str(error)
    else:
        again = message.decode(found.encode())
        assert again == found


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CLASSES), st.binary(max_size=200))
def test_any_bytes(message: type[Attributes], data: bytes) -> None:
    with pytest.raises(AttributeListError):
        message.decode(data)
        raise AttributeListError("a message after all")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([
    "flags", "queue_name", "queue_id", "offset", "size", "nexthop", "encoding", "sendopts", "smtputf8", "sender", "envelope_id",
    "ret_flags", "time", "log_client_name", "rewrite_context", "recipient_count", "original_recipient", "recipient",
    "dsn_orig_rcpt", "notify_flags",
]), VALUES), max_size=40), st.lists(st.integers(0, 2000), max_size=3))  # fmt: skip
def test_delivery_requests(pairs: list[tuple[str, str]], ends: list[int]) -> None:
    data = b"".join(f"{name}\0{value}\0".encode("utf-8", "surrogateescape") for name, value in pairs) + b"\0"
    for end in sorted(ends, reverse=True):
        data = data[:end] + b"\0" + data[end:]
    for decode in (decode_whole, decode_request, lambda data: decode_recipients(data, 0, 3)):
        try:
            decode(data)
        except AttributeListError as error:
            assert str(error)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120))
def test_times(data: bytes) -> None:
    try:
        MessageStats.decode(data)
    except AttributeListError as error:
        assert str(error)
