"""Asking tables at the command line: one key, many keys, everything."""

from __future__ import annotations

from pyfix.tables.console.printer import Printer
from pyfix.tables.notice import warn
from pyfix.tables.source import open_as, with_type
from pyfix.tables.table import Opening, TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def _warn_of_empty(table: str, key: str) -> None:
    warn(f"table {table}: key {key}: empty string result is not allowed")
    warn(f"table {table} should return NO RESULT in case of NOT FOUND")


def query_one(references: Sequence[str], key: str, opening: Opening, printer: Printer) -> int:
    """Show the first value that a table has for *key*; return 1 when none has it."""
    for reference in references:
        table = open_as(with_type(reference, opening.snapshot), opening)
        value = table.find_now(key)
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
    tables = [open_as(with_type(reference, opening.snapshot), opening) for reference in references]
    status = 1
    for key in keys:
        for table in tables:
            value = table.find_now(key)
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
        raise TableError(f"table {table.name.removeprefix('debug:')}: sequence operation is not supported")
    for key, stored in items():
        value = printer.shown(table.name, key, stored)
        if not key:
            warn(f"table {table.name}: empty lookup key value is not allowed")
        if not value and not stored:
            warn(f"table {table.name}: key {key}: empty string result is not allowed")
            warn(f"table {table.name} should return NO RESULT in case of NOT FOUND")
        printer.pair(key, value)
    return 0
