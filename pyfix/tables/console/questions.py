"""Asking tables at the command line: one key, many keys, everything."""

from __future__ import annotations

from pyfix.tables.console.printer import Printer
from pyfix.tables.indexed import NO_KEY, IndexedTable
from pyfix.tables.notice import warn
from pyfix.tables.source import open_as, with_type
from pyfix.tables.table import Opening, Table, TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def _warn_of_empty(table: str, key: str) -> None:
    warn(f"table {table}: key {key}: empty string result is not allowed")
    warn(f"table {table} should return NO RESULT in case of NOT FOUND")


def _ask(table: Table, key: str) -> str | None:
    """Return the value of *key*.  Raises TableError, also for what the LMDB library takes for no key at all."""
    value = table.find_now(key)
    if value is None and not key and isinstance(table, IndexedTable) and table.refuses_empty_keys():
        raise TableError(f"error reading {table.name}: {NO_KEY}")
    return value


def query_one(references: Sequence[str], key: str, opening: Opening, printer: Printer) -> int:
    """Show the first value that a table has for *key*; return 1 when none has it."""
    for reference in references:
        table = open_as(with_type(reference, opening.snapshot), opening)
        value = _ask(table, key)
        if value is not None:
            value = printer.shown(table.name, key, value)
            if not value:
                _warn_of_empty(reference, key)
            printer.answer(key, value)
            return 0
        table.close()
    return 1


def query_many(references: Sequence[str], keys: Iterator[str], opening: Opening, printer: Printer) -> int:
    """Show each of *keys* that a table has, with its value; return 1 when there is none."""
    tables: list[Table] = []
    status = 1
    for key in keys:
        for index, reference in enumerate(references):
            if index == len(tables):  # opened when a key comes to it
                tables.append(open_as(with_type(reference, opening.snapshot), opening))
            table = tables[index]
            value = _ask(table, key)
            if value is not None:
                value = printer.shown(table.name, key, value)
                if not value:
                    _warn_of_empty(table.name, key)
                printer.pair(key, value)
                status = 0
                break
    return status


def list_table(reference: str, opening: Opening, printer: Printer) -> int:
    """Show all keys and values of a table."""
    table = open_as(with_type(reference, opening.snapshot), opening)
    items: Callable[[], Iterator[tuple[str, str]]] | None = getattr(table, "items", None)
    if items is None:
        if table.kind == "fail":
            raise TableError(f"table {table.name}: sequence error: Application error")
        raise TableError(f"table {table.name}: sequence operation is not supported")
    for key, stored in items():
        try:
            value = printer.shown(table.name, key, stored)
        except TableError:
            continue  # which has been told of
        if not key:
            warn(f"table {table.name}: empty lookup key value is not allowed")
        elif not value and not stored:
            warn(f"table {table.name}: key {key}: empty string result is not allowed")
            warn(f"table {table.name} should return NO RESULT in case of NOT FOUND")
        printer.pair(key, value)
    return 0
