"""postalias(1): make the indexed file of an alias file, and ask alias tables."""

from __future__ import annotations

import time

from pyfix.tables.console import process, questions
from pyfix.tables.console.options import Fatal, Options
from pyfix.tables.console.printer import Printer, input_lines
from pyfix.tables.table import Opening

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from pyfix.tables.table import Values

_USAGE: Final = "[-Nfinoprsuvw] [-c config_dir] [-d key] [-q key] [map_type:]file..."


def main(argv: Sequence[str]) -> int:
    """Run postalias with the arguments after the program's name; return the exit status.

    0: done, or found; 1: not found, or an error.  Source: postalias(1).
    """
    try:
        options = Options(argv, "Nc:d:fijnopq:rsuvw", _USAGE)
    except Fatal as problem:
        return process.refuse(problem)
    return process.run(lambda snapshot: _act(options, snapshot), options.directory)


def _act(options: Options, snapshot: Values) -> int:
    if options.has("j") and options.action not in ("q", "s"):
        raise Fatal("option -j requires -q or -s")
    process.read_plugins(snapshot)
    if not options.tables:
        raise options.misused()
    opening = Opening(snapshot, options.flags)
    printer = Printer(":\t", json=options.has("j"))
    match options.action:
        case "q" if options.key == "-":
            return questions.query_many(options.tables, input_lines(), opening, printer)
        case "q":
            return questions.query_one(options.tables, options.key or "", opening, printer)
        case "d":
            from pyfix.tables.console import changes

            keys = input_lines() if options.key == "-" else iter([options.key or ""])
            return changes.delete(options.tables, keys, opening)
        case "s":
            return questions.list_table(options.tables[0], opening, printer)

    from pyfix.tables.aliases import aliases_of
    from pyfix.tables.console import changes

    def parse(text: str, path: str) -> Iterator[tuple[int, str, str]]:
        return aliases_of(text, path, utf8=opening.utf8)

    def marks() -> dict[str, str]:
        # What sendmail and NIS put into such files to tell that they are whole, and how old.
        master = opening.setting("myhostname", "localhost")
        return {"@": "@", "YP_LAST_MODIFIED": str(int(time.time())), "YP_MASTER_NAME": master}

    for reference in options.tables:
        if options.action == "i":
            changes.add(reference, opening, parse, marks)
        else:
            changes.make(reference, opening, options, parse, marks)
    return 0
