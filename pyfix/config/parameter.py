"""Declaring main.cf parameters: one class attribute each, with default, type and range.

A declaration is a descriptor: read on the class it is the declaration, read on an instance of Settings it is the
typed value, which is worked out once and then kept in the instance.  Source of types and texts: postconf(5) and the
fatal lines of the Postfix programs.
"""

from __future__ import annotations

import pyfix
from pyfix.config.blanks import BLANK, SEPARATORS, split_blanks
from pyfix.config.errors import ConfigError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, Generic, TypeAlias, TypeVar, overload

    from pyfix.config.snapshot import Settings, Snapshot

    Default: TypeAlias = str | Callable[[Snapshot], str]
    """The default as ``postconf -d`` prints it, or how to work it out where it depends on the host."""

    T = TypeVar("T")

    class _Typed(Generic[T]):
        """Carries the type of the value."""

else:
    T = None

    class _Typed:
        """Carries nothing at run time."""

        def __class_getitem__(cls, item):
            return cls


__all__ = [
    "DECLARED",
    "Boolean",
    "Choice",
    "Default",
    "Duration",
    "Integer",
    "Keywords",
    "LongInteger",
    "Parameter",
    "Raw",
    "Text",
    "TextOrFile",
    "Words",
    "boolean",
    "choice",
    "duration",
    "integer",
    "keywords",
    "longinteger",
    "parse_boolean",
    "parse_duration",
    "parse_integer",
    "raw",
    "split_words",
    "text",
    "text_or_file",
    "words",
]


DECLARED: dict[str, Parameter[Any]] = {}
"""The parameters of all modules that were imported so far; pyfix.config.catalogue knows them all."""

INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
_OF_THE_PROCESS = ("process_id", "process_name", "service_name")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Parameter(_Typed[T]):
    """One parameter of main.cf."""

    kind: ClassVar[str] = ""
    """The type's name in the catalogue."""

    expanded: ClassVar[bool] = True
    """Whether ``$name`` in the value is replaced when it is read."""

    _fixed: ClassVar[bool] = True
    """Whether the same text always means the same value."""

    def __init__(
        self,
        default: Default,
        *,
        name: str = "",
        minimum: int | None = None,
        maximum: int | None = None,
        deprecated: str = "",
        legacy: bool = False,
        own: bool = False,
        readers: str = "",
    ) -> None:
        self.default = default
        self.name = name
        self.minimum = minimum
        self.maximum = maximum
        self.deprecated = deprecated  # what postconf(1) advises instead
        self.legacy = legacy  # an old name that only the default of its replacement refers to; not listed
        self.own = own  # unknown to Postfix, and listed only where it is set
        self.readers = readers  # the programs that read it, where those are not the ones whose settings it is among
        self._constant: T | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the attribute's name unless the parameter's own was given, and register."""
        if not self.name:
            self.name = name
        self.attribute = name
        self.default = pyfix.SITE_DEFAULTS.get(self.name, self.default)
        DECLARED[self.name] = self

    def _get(self, instance: Settings | None, owner: type) -> Parameter[T] | T:
        """Return the declaration (on a class) or the value (on an instance).  Raises ConfigError for a bad value."""
        if instance is None:
            return self
        value = instance.__dict__[self.attribute] = self.read(instance.snapshot)
        return value

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Parameter[T]: ...
        @overload
        def __get__(self, instance: Settings, owner: type) -> T: ...
        def __get__(self, instance: Settings | None, owner: type) -> Parameter[T] | T:
            """See _get; told apart here for the type checker."""
            return self._get(instance, owner)
    else:
        __get__ = _get

    def read(self, snapshot: Snapshot) -> T:
        """Return the typed value in *snapshot*.  Raises ConfigError with Postfix's fatal text for a bad one.

        A default that is the same everywhere is converted once in a process, and once for all forks of that process.
        """
        if snapshot.raw(self.name) is not None:
            return self.convert(snapshot.value(self.name), snapshot)
        if self._constant is not None:
            return self._constant
        value = self.convert(snapshot.value(self.name), snapshot)
        if self._is_constant():
            self._constant = value
        return value

    def is_read_by(self, program: str) -> bool:
        """Whether *program*, whose settings the parameter is among, reads it."""
        return not self.readers or program in self.readers.split()

    def prepare(self, snapshot: Snapshot) -> None:
        """Convert the default if it is the same everywhere, before processes are forked that would all do so."""
        if self._is_constant() and self._constant is None and snapshot.raw(self.name) is None:
            try:
                self.read(snapshot)
            except ConfigError:
                return  # a parameter that main.cf has to set, for the program that needs it

    def _is_constant(self) -> bool:
        default = self.default
        return self._fixed and isinstance(default, str) and "$" not in default and self.name not in _OF_THE_PROCESS

    def convert(self, value: str, snapshot: Snapshot) -> T:
        """Turn the expanded text into the typed value, or raise ConfigError."""
        raise NotImplementedError  # for the subclass

    def default_text(self, snapshot: Snapshot) -> str:
        """Return the default as written, not expanded."""
        return self.default if isinstance(self.default, str) else self.default(snapshot)

    def _check_length(self, value: str) -> None:
        length = len(value.encode("utf-8", "surrogateescape"))
        if self.minimum is not None and length < self.minimum:
            raise ConfigError(f"bad string length {length} < {self.minimum}: {self.name} = {value}")
        if self.maximum is not None and length > self.maximum:
            raise ConfigError(f"bad string length {length} > {self.maximum}: {self.name} = {value}")

    def _check_range(self, value: int) -> int:
        if self.minimum is not None and value < self.minimum:
            raise ConfigError(f"invalid {self.name} parameter value {value} < {self.minimum}")
        if self.maximum is not None and value > self.maximum:
            raise ConfigError(f"invalid {self.name} parameter value {value} > {self.maximum}")
        return value


class Text(Parameter[str]):
    """A text; the range is that of its length in bytes."""

    kind = "string"

    def convert(self, value: str, snapshot: Snapshot) -> str:
        """Return the text.  Raises ConfigError when its length is out of range."""
        self._check_length(value)
        return value


class Raw(Parameter[str]):
    """A text whose ``$name`` are replaced later, with other names: at each delivery, at each reply."""

    kind = "raw"
    expanded = False

    def read(self, snapshot: Snapshot) -> str:
        """Return the text as written."""
        written = snapshot.raw(self.name)
        return self.convert(self.default_text(snapshot) if written is None else written, snapshot)

    def convert(self, value: str, snapshot: Snapshot) -> str:
        """Return the text.  Raises ConfigError when its length is out of range."""
        length = len(value.encode("utf-8", "surrogateescape"))
        if self.minimum is not None and length < self.minimum:
            raise ConfigError(f"bad string length ({length} < {self.minimum}): {self.name} = {value}")
        return value


class TextOrFile(Text):
    """One word, or the absolute path of a file whose first line is the word (``myorigin = /etc/mailname``)."""

    _fixed = False

    def convert(self, value: str, snapshot: Snapshot) -> str:
        """Return the word.  Raises ConfigError when there is none, more than one, or the file can't be read."""
        self._check_length(value)
        word = value
        if value.startswith("/"):
            try:
                with open(value, "rb") as file:
                    word = file.readline().decode("utf-8", "surrogateescape").strip(BLANK)
            except OSError as error:
                raise ConfigError(f"{value}: cannot open file: {error.strerror}") from None
            if not word:
                raise ConfigError(f"{self.name} file {value} is empty")
        if len(split_words(word)) > 1:
            raise ConfigError(f"{self.name} parameter setting must not contain multiple values: {word}")
        return word


class Words(Parameter[tuple[str, ...]]):
    """A list of words split at commas and blanks; ``{ }`` keeps what it encloses together."""

    kind = "string"

    def convert(self, value: str, snapshot: Snapshot) -> tuple[str, ...]:
        """Return the words.  Raises ConfigError when the length of the text is out of range."""
        self._check_length(value)
        return split_words(value)


class Keywords(Words):
    """A list of words that mean something, each one of a few."""

    def __init__(self, default: Default, known: str, *, title: str = "", checked_by: str, readers: str = "") -> None:
        """*known*: the words there are.  *checked_by*: programs that refuse others.  *title*: what these call it."""
        super().__init__(default, readers=readers)
        self.known = known.split()
        self.title = title
        self.checked_by = checked_by.split()

    def convert(self, value: str, snapshot: Snapshot) -> tuple[str, ...]:
        """Return the words.  Raises ConfigError for an unknown one, in programs that care."""
        found = split_words(value)
        if snapshot.process_name in self.checked_by:
            for word in found:
                if word not in self.known:
                    raise ConfigError(f'unknown {self.title or self.name} value "{word}" in "{value}"')
        return found


class Choice(Text):
    """One of a few words."""

    def __init__(self, default: Default, known: str, *, refusal: str, checked_by: str, readers: str = "") -> None:
        """*known*: the words that there are.  *refusal*: what programs of *checked_by* say of others."""
        super().__init__(default, minimum=1, readers=readers)
        self.known = known.split()
        self.refusal = refusal
        self.checked_by = checked_by.split()

    def convert(self, value: str, snapshot: Snapshot) -> str:
        """Return the word in lower case.  Raises ConfigError for an unknown one, in programs that care."""
        self._check_length(value)
        word = value.lower()
        if word not in self.known and snapshot.process_name in self.checked_by:
            raise ConfigError(self.refusal.format(name=self.name, value=value))
        return word


class Integer(Parameter[int]):
    """A decimal number of 32 bits."""

    kind = "int"

    def convert(self, value: str, snapshot: Snapshot) -> int:
        """Return the number.  Raises ConfigError when it is none or out of range."""
        return self._check_range(parse_integer(self.name, value, INT_MAX))


class LongInteger(Parameter[int]):
    """A decimal number of 64 bits."""

    kind = "long"

    def convert(self, value: str, snapshot: Snapshot) -> int:
        """Return the number.  Raises ConfigError when it is none or out of range."""
        return self._check_range(parse_integer(self.name, value, LONG_MAX))


class Boolean(Parameter[bool]):
    """``yes`` or ``no``."""

    kind = "bool"

    def convert(self, value: str, snapshot: Snapshot) -> bool:
        """Return the truth.  Raises ConfigError for any other word."""
        return parse_boolean(self.name, value)


class Duration(Parameter[int]):
    """A time in seconds; a number without a unit has the unit of the default."""

    kind = "time"

    def __init__(
        self,
        default: Default,
        *,
        unit: str = "",
        name: str = "",
        minimum: int | None = None,
        maximum: int | None = None,
        deprecated: str = "",
        own: bool = False,
        readers: str = "",
    ) -> None:
        super().__init__(
            default, name=name, minimum=minimum, maximum=maximum, deprecated=deprecated, own=own, readers=readers
        )
        self.unit = unit

    def convert(self, value: str, snapshot: Snapshot) -> int:
        """Return seconds.  Raises ConfigError when the text is no time or out of range."""
        unit = self.unit or _unit_of(snapshot.expand(self.default_text(snapshot)))
        seconds = parse_duration(self.name, value, unit)
        if self.minimum is not None and seconds < self.minimum:
            raise ConfigError(f"invalid {self.name}: {seconds} (min {self.minimum})")
        if self.maximum is not None and seconds > self.maximum:
            raise ConfigError(f"invalid {self.name}: {seconds} (max {self.maximum})")
        return seconds


# The declarations read like types, hence the lower-case names.
text = Text
text_or_file = TextOrFile
raw = Raw
words = Words
keywords = Keywords
choice = Choice
integer = Integer
longinteger = LongInteger
boolean = Boolean
duration = Duration


def parse_boolean(name: str, value: str) -> bool:
    """Return the truth of ``yes`` or ``no`` in any case.  Raises ConfigError."""
    match value.lower():
        case "yes":
            return True
        case "no":
            return False
    raise ConfigError(f"bad boolean configuration: {name} = {value}")


def parse_integer(name: str, value: str, largest: int = INT_MAX) -> int:
    """Return a decimal number between -largest-1 and largest.  Raises ConfigError."""
    digits = value[1:] if value[:1] in ("+", "-") else value
    if digits.isascii() and digits.isdigit():
        number = int(value)
        if -largest - 1 <= number <= largest:
            return number
    raise ConfigError(f"bad numerical configuration: {name} = {value}")


def parse_duration(name: str, value: str, unit: str) -> int:
    """Return the seconds of a time such as ``300``, ``5m`` or ``1h30m``; *unit* is that of a bare number.

    The units are s, m, h, d and w; a unit without a number counts zero times.  Raises ConfigError.
    """
    total, at, end = 0, 0, len(value)
    bad = ConfigError(f"parameter {name}: bad time value or unit: {value}")
    if not value:
        raise bad
    while at < end or at == 0:
        start = at
        if value[at : at + 1] in ("+", "-") and value[at + 1 : at + 2].isdigit():
            at += 1
        while at < end and value[at] in "0123456789":
            at += 1
        number = int(value[start:at]) if at > start else 0
        factor = _SECONDS.get(value[at] if at < end else unit)
        at += 1
        if factor is None or number < 0 or number > INT_MAX or (factor > 1 and number >= INT_MAX // factor):
            raise bad
        total += number * factor
    return total


def _unit_of(default: str) -> str:
    return next((character for character in default if character in _SECONDS), "s")


def split_words(value: str) -> tuple[str, ...]:
    """Split at commas and blanks, except inside ``{ }``; the braces stay."""
    if "{" not in value:
        return tuple(split_blanks(value.replace(",", " ")))
    found: list[str] = []
    depth = 0
    start = -1
    for position, character in enumerate(value):
        if depth == 0 and (character == "," or character in SEPARATORS):
            if start >= 0:
                found.append(value[start:position])
                start = -1
            continue
        if start < 0:
            start = position
        if character == "{":
            depth += 1
        elif character == "}" and depth:
            depth -= 1
    if start >= 0:
        found.append(value[start:])
    return tuple(found)
