"""Attribute lists, the form in which the daemons talk to each other.

Two encodings are in use.  *Null*: ``name NUL value NUL``, repeated, and one more NUL at the
end.  *Plain* (anvil, connection cache properties): ``name=value`` lines and an empty line.
Lists are ordered and may repeat a name, so they are never made into a dict.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing and dataclasses cost a command that only reads lists several milliseconds
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence
    from typing import Any, ClassVar, Literal, Self

    Encoding = Literal["null", "plain"]
else:
    Encoding = str

INT_MASK = 0xFFFFFFFF
LONG_MASK = 0xFFFFFFFFFFFFFFFF


class AttributeListError(ValueError):
    """A peer sent something that is not the attribute list which we expect."""

    value: str | None = None
    """The text that should have been a number."""

    unexpected: tuple[str, str] | None = None
    """The first name that is not in its place in a list that lacks something, and the one that is expected there."""

    def complaint(self, where: str, *, strict: bool = False) -> str:
        """Return what Postfix's programs log of it; *where* is the peer, as in "rewrite socket".

        *strict*: of a program that skips no attributes.
        """
        if self.value is not None:
            return f"malformed numerical data from {where} while reading input attribute value: {self.value[:100]}"
        if strict and self.unexpected is not None:
            return f"unexpected attribute {self.unexpected[0]} from {where} (expecting: {self.unexpected[1]})"
        return f"{self} from {where}"


class Long(int):
    """An integer that goes over the wire with 64 bits; a plain int goes with 32."""

    __slots__ = ()


def end_of_list(data: bytes | bytearray, start: int = 0, encoding: Encoding = "null") -> int:
    """Return the offset after the list that begins at *start*, or -1 while it is incomplete."""
    if encoding == "plain":
        if data.startswith(b"\n", start):
            return start + 1
        end = data.find(b"\n\n", start)
        return end + 2 if end >= 0 else -1
    found = (_match_list or _compile())(data, start)
    return -1 if found is None else found.end()


_match_list: Callable[..., re.Match[bytes] | None] | None = None


def _compile() -> Callable[..., re.Match[bytes] | None]:
    """Return what finds the end of a list; commands that read none do not wait for it."""
    global _match_list
    import re

    _match_list = re.compile(rb"(?>(?:[{}]\0|[^\0]+\0[^\0]*\0)*)\0").match
    return _match_list


def encode_pairs(pairs: Sequence[tuple[str, str]], encoding: Encoding = "null") -> bytes:
    """Write a list of names and values that no message class describes."""
    if encoding == "plain":
        text = "".join([f"{name}={value}\n" for name, value in pairs]) + "\n"
    else:
        text = "".join([f"{name}\0{value}\0" for name, value in pairs]) + "\0"
    return text.encode("utf-8", "surrogateescape")


def decode_pairs(data: bytes, encoding: Encoding = "null") -> list[tuple[str, str]]:
    """Read one whole list, its terminator included.  Raises AttributeListError."""
    text = data.decode("utf-8", "surrogateescape")
    if encoding == "plain":
        pairs = []
        for line in text.split("\n")[:-2]:
            name, equals, value = line.partition("=")
            if not equals:
                raise AttributeListError(f"missing value for attribute {name}")
            pairs.append((name, value))
        return pairs
    words = text.split("\0")
    names = words[0:-2:2]
    if "" in names or len(words) % 2:
        raise AttributeListError("malformed attribute list")
    return list(zip(names, words[1:-2:2], strict=True))


def _encode_int(value: int) -> str:
    return str(value & INT_MASK)


def _encode_long(value: int) -> str:
    return str(value & LONG_MASK)


def _encode_data(value: bytes) -> str:
    import base64

    return base64.b64encode(value).decode("ascii")


def _decode_int(text: str) -> int:
    value = int(text) & INT_MASK
    return value - (1 << 32) if value >> 31 else value


def _decode_long(text: str) -> int:
    value = int(text) & LONG_MASK
    return value - (1 << 64) if value >> 63 else value


def _decode_data(text: str) -> bytes:
    import base64

    return base64.b64decode(text, validate=True)


class Attributes:
    """Base of the internal messages: frozen dataclasses whose field order is the wire order.

    A field is str, int (32 bits), Long (64 bits) or bytes (base64 on the wire).
    ``field(metadata={"wire": "name"})`` gives a wire name that differs from the field's.
    """

    __slots__ = ()

    ENCODING: ClassVar[Encoding] = "null"

    @classmethod
    def _plan(cls) -> _Plan:
        plan = _PLANS.get(cls)
        if plan is None:
            plan = _PLANS[cls] = _Plan(cls)
        return plan

    def encode(self) -> bytes:
        """Return the list as bytes, terminator included."""
        plan = self._plan()
        values = list(plan.values(self))
        for index, encode in plan.encoders:
            values[index] = encode(values[index])
        return (plan.template % tuple(values)).encode("utf-8", "surrogateescape")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read one whole list.  Unknown attributes between ours are skipped, as Postfix does.

        Raises AttributeListError when an attribute is missing or malformed.
        """
        plan = cls._plan()
        if cls.ENCODING == "null":
            words = data.decode("utf-8", "surrogateescape").split("\0")
            if words[0:-2:2] == plan.wire_names and len(words) % 2 == 0:
                return cls._from_values(words[1:-2:2], plan)
        return cls.from_pairs(decode_pairs(data, cls.ENCODING))

    @classmethod
    def from_pairs(cls, pairs: Sequence[tuple[str, str]]) -> Self:
        """Build the message from names and values in wire order.  Raises AttributeListError."""
        plan = cls._plan()
        values: list[Any]
        if plan.wire_names == [name for name, _value in pairs]:
            values = [value for _name, value in pairs]
        else:
            values = _pick(pairs, plan.wire_names)
        return cls._from_values(values, plan)

    @classmethod
    def _from_values(cls, values: list[Any], plan: _Plan) -> Self:
        """Build the message from its texts on the wire.  Raises AttributeListError."""
        try:
            for index, decode in plan.decoders:
                values[index] = decode(values[index])
        except ValueError as error:
            problem = AttributeListError(f"malformed value of attribute {plan.wire_names[index]}")
            problem.value = str(values[index])
            raise problem from error
        if plan.takes_all:
            return cls(*values)
        message = object.__new__(cls)
        for name, value in zip(plan.fields, values, strict=True):
            object.__setattr__(message, name, value)
        return message


def _pick(pairs: Sequence[tuple[str, str]], names: Sequence[str]) -> list[str]:
    """Return the values of *names*, in this order; others between them are skipped.  Raises AttributeListError."""
    values = []
    position = 0
    count = len(pairs)
    for name in names:
        while position < count and pairs[position][0] != name:
            position += 1
        if position == count:
            raise _missing(name, pairs, names)
        values.append(pairs[position][1])
        position += 1
    return values


def _missing(name: str, pairs: Sequence[tuple[str, str]], expected: Sequence[str]) -> AttributeListError:
    problem = AttributeListError(f"missing attribute {name} in input")
    for (found, _value), wanted in zip(pairs, expected, strict=False):
        if found != wanted:
            problem.unexpected = found, wanted
            break
    return problem


_ENCODERS: dict[str, Callable[[Any], str]] = {"int": _encode_int, "Long": _encode_long, "bytes": _encode_data}
_DECODERS: dict[str, Callable[[str], Any]] = {"int": _decode_int, "Long": _decode_long, "bytes": _decode_data}


class _Plan:
    """What encoding and decoding need of a message class, worked out once."""

    __slots__ = ("decoders", "encoders", "fields", "takes_all", "template", "values", "wire_names")

    def __init__(self, cls: type[Attributes]) -> None:
        from dataclasses import fields
        from operator import attrgetter

        members = fields(cls)  # type: ignore[arg-type]  # every subclass is a dataclass
        names = self.fields = [member.name for member in members]
        self.takes_all = all(member.init for member in members)
        """Every field is an argument of the class."""
        # Of a single name attrgetter returns the bare value.
        self.values: Callable[[Any], Sequence[Any]] = (
            attrgetter(*names) if len(names) > 1 else lambda message: [getattr(message, name) for name in names]
        )
        self.wire_names = [member.metadata.get("wire", member.name) for member in members]
        kinds = [member.type if isinstance(member.type, str) else member.type.__name__ for member in members]
        self.encoders = [(i, _ENCODERS[kind]) for i, kind in enumerate(kinds) if kind in _ENCODERS]
        self.decoders = [(i, _DECODERS[kind]) for i, kind in enumerate(kinds) if kind in _DECODERS]
        if cls.ENCODING == "plain":
            self.template = "".join([f"{name}=%s\n" for name in self.wire_names]) + "\n"
        else:
            self.template = "".join([f"{name}\0%s\0" for name in self.wire_names]) + "\0"


_PLANS: dict[type[Attributes], _Plan] = {}
