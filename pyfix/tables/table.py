"""What every lookup table is: a name, a way to ask, and a way to fail.

Source: DATABASE_README, postmap(1), tables of Postfix.
"""

from __future__ import annotations

from pyfix.tables import flags as bits

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final, NoReturn, Protocol

    class Values(Protocol):
        """The part of a configuration snapshot that tables read."""

        def value(self, name: str) -> str:
            """Return the expanded value of a main.cf parameter."""
            ...


class TableError(Exception):
    """A lookup could not be made; the caller answers 4xx or defers.  A missing key is no error."""


class Opening:
    """How a table is opened: the flags, and the configuration that it stands in."""

    __slots__ = ("flags", "snapshot", "utf8")

    def __init__(self, snapshot: Values | None = None, flags: int = bits.ORDINARY) -> None:
        """Without a snapshot each parameter has the default that the asking table gives."""
        self.snapshot: Final = snapshot
        self.flags: Final = flags
        self.utf8: Final = bool(flags & bits.UTF8_REQUEST) and self.setting("smtputf8_enable", "yes").lower() == "yes"

    def setting(self, name: str, default: str) -> str:
        """Return the value of the main.cf parameter *name*, or *default* when there is no snapshot."""
        return default if self.snapshot is None else self.snapshot.value(name)

    def with_flags(self, flags: int) -> Opening:
        """Return the same with other flags."""
        return self if flags == self.flags else Opening(self.snapshot, flags)


def valid_text(text: str) -> bool:
    """Say whether *text* was valid UTF-8 before it was decoded with surrogateescape."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def fold(key: str, utf8: bool = True) -> str:
    """Return *key* in the case that tables store: lower case, or Unicode's case folding when *utf8*."""
    if key.isascii():
        return key.lower()
    if utf8:
        return key.casefold()
    return key.encode(errors="surrogateescape").lower().decode(errors="surrogateescape")


def masked(text: str) -> str:
    """Return *text* as warnings show it: a question mark for each byte that cannot be printed."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("?" if "\udc80" <= c <= "\udcff" or c < " " or c == "\x7f" else c for c in text)


class Table:
    """One open lookup table.

    A type of table gives ``lookup``, and may override ``find_now`` where the
    preparation of the key would cost more than the lookup itself.
    """

    kind: str = ""
    """The type, as in ``hash``."""
    pattern: bool = False
    """True for regexp, pcre, cidr and their like: they are asked for whole keys only."""
    local: bool = True
    """True when find_now() answers without waiting for another process."""
    folds: bool = True
    """Whether this type of table folds its keys when the opener asks for it."""

    __slots__ = ("flags", "fold", "name", "opening", "utf8")

    def __init__(self, name: str, opening: Opening) -> None:
        """*name* is what follows the type and colon."""
        self.name: str = f"{self.kind}:{name}"
        self.opening: Opening = opening
        self.flags: int = opening.flags | (bits.PATTERN if self.pattern else bits.FIXED)
        self.fold: bool = self.folds and bool(opening.flags & (bits.FOLD_MUL if self.pattern else bits.FOLD_FIX))
        self.utf8: bool = opening.utf8

    def lookup(self, key: str) -> str | None:
        """Return the value of a key that was folded already.  Raises TableError."""
        raise NotImplementedError  # for the subclass

    def find_now(self, key: str) -> str | None:
        """Return the value of *key*, None when there is none.  Raises TableError.

        A key or value that is not valid UTF-8 is refused where smtputf8_enable asks for UTF-8.
        """
        if key.isascii():
            if self.fold:
                key = key.lower()
        else:
            prepared = self.prepared(key)
            if prepared is None:
                return None
            key = prepared
        value = self.lookup(key)
        if value is not None and self.utf8 and not valid_text(value):
            self.refuse_value(key, value)
        return value

    def prepared(self, key: str) -> str | None:
        """Return *key* as lookup() wants it, None when it is not valid UTF-8 where that is asked for."""
        if self.utf8 and not valid_text(key):
            from pyfix.tables.notice import warn

            warn(f'{self.name}: non-UTF-8 key "{masked(key)}": malformed UTF-8 or invalid codepoint')
            return None
        return fold(key, self.utf8) if self.fold else key

    def refuse_value(self, key: str, value: str) -> NoReturn:
        """Raise the TableError of a value that is not valid UTF-8."""
        from pyfix.tables.notice import warn

        warn(
            f'{self.name}: key "{masked(key)}": non-UTF-8 value "{masked(value)}": malformed UTF-8 or invalid codepoint'
        )
        raise TableError(f"table {self.name}: query error")

    async def find(self, key: str) -> str | None:
        """Return the value of *key*, None when there is none.  Raises TableError."""
        return self.find_now(key)

    def owner(self) -> int | None:
        """Return the id of the user who decides what is in the table, 0 for the administrator, None when unknown.

        That of the file that is read, or that says where to ask.
        """
        return None

    def changed(self) -> bool:
        """Say whether the table's file was changed or replaced since it was opened."""
        return False

    def close(self) -> None:
        """Give back what the table holds open."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def fail_query(table: Table, reason: str = "query error") -> NoReturn:
    """Raise the TableError of a lookup that went wrong."""
    raise TableError(f"table {table.name}: {reason}")
