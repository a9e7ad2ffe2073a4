"""postmap(1): make indexed files of lookup tables from text files, and ask any table."""

from __future__ import annotations

from pyfix.tables import flags as bits
from pyfix.tables.console import process, questions
from pyfix.tables.console.options import Fatal, Options
from pyfix.tables.console.printer import Printer, input_lines
from pyfix.tables.notice import warn
from pyfix.tables.table import Opening

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from pyfix.tables.table import Values

_USAGE: Final = "[-bfFhimnNoprsuUvw] [-c config_dir] [-d key] [-q key] [map_type:]file..."


def main(argv: Sequence[str]) -> int:
    """Run postmap with the arguments after the program's name; return the exit status.

    0: done, or found; 1: not found, or an error.  Source: postmap(1).
    """
    try:
        options = Options(argv, "bc:d:fFhijmnNopq:rsuUvw", _USAGE)
    except Fatal as problem:
        return process.refuse(problem)
    return process.run(lambda snapshot: _act(options, snapshot), options.directory)


def _act(options: Options, snapshot: Values) -> int:
    if options.has("j") and options.action not in ("q", "s"):
        raise Fatal("option -j requires -q or -s")
    process.read_plugins(snapshot)
    of_message = options.has("b") or options.has("h") or options.has("m")
    if of_message and (options.action != "q" or options.key != "-"):
        raise Fatal('specify -b -h or -m only with "-q -"')
    if options.has("m") and not (options.has("b") or options.has("h")):
        warn("ignoring -m option without -b or -h")
    if not options.tables:
        raise options.misused()
    flags = options.flags
    if (options.has("b") or options.has("h")) and not options.has("U"):
        flags &= ~bits.UTF8_REQUEST  # a message may have any bytes
    opening = Opening(snapshot, flags)
    printer = Printer("\t", json=options.has("j"), files=options.has("F"))
    match options.action:
        case "q" if options.has("b") or options.has("h"):
            from pyfix.tables.console.message import message_keys

            keys = message_keys(headers=options.has("h"), body=options.has("b"), mime=options.has("m"))
            return questions.query_many(options.tables, keys, opening, printer)
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

    from pyfix.tables.console import changes
    from pyfix.tables.textfile import entries_of, plain_entries

    def parse(text: str, path: str) -> Iterator[tuple[int, str, str]]:
        return entries_of(text, path, utf8=opening.utf8, files=options.has("F"))

    for reference in options.tables:
        if options.action == "i":
            changes.add(reference, opening, parse)
        else:
            changes.make(reference, opening, options, parse, plain=None if options.has("F") else plain_entries)
    return 0
