"""Making tables and changing them at the command line."""

from __future__ import annotations

import os
import sys

from pyfix.tables import flags as bits
from pyfix.tables.build import TableBuild, can_build
from pyfix.tables.console.options import Fatal, Options
from pyfix.tables.console.progress import Progress
from pyfix.tables.indexed import NO_KEY
from pyfix.tables.source import open_as, table_class, with_type
from pyfix.tables.table import Opening, Table, TableError
from pyfix.tables.textfile import even_lines, in_order, plain_pieces

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Final, Protocol

    Entries = Iterator[tuple[int, str, str]]

    Parse = Callable[[str, str], Entries]
    """Takes a text and the name of its file; yields line number, key and value."""

    class Plain(Protocol):
        """As textfile.plain_entries()."""

        def __call__(self, data: bytes, *, folds: bool, end: bytes) -> tuple[Sequence[bytes], Sequence[bytes]] | None:
            """Take the content of a file; return keys and values as they are stored, or None."""
            ...

    Marks = Callable[[], dict[str, str]]

_READ_ONLY: Final = frozenset(
    [
        *("cidr", "inline", "ldap", "mongodb", "mysql", "nis", "pcre", "pgsql", "pipemap", "randmap", "regexp"),
        *("socketmap", "sqlite", "tcp", "texthash", "unionmap", "unix"),
    ]
)
"""Types that refuse to be opened for changes."""


_TREES: Final = ("lmdb", "btree")
"""Types whose files are made quickly from keys in their order."""


def _open_for_change(reference: str, opening: Opening) -> Table:
    """Open a table without a file of ours to write, for a change that most types refuse."""
    below = _below(reference)
    if below.partition(":")[0] in _READ_ONLY:
        raise TableError(f"{below} map requires O_RDONLY access mode")
    return open_as(reference, opening)


def _below(name: str) -> str:
    while name.startswith("debug:"):
        name = name[len("debug:") :]
    return name


def delete(references: Sequence[str], keys: Iterator[str], opening: Opening) -> int:
    """Remove *keys* from the tables; return 1 when none of them was there."""
    wanted, found = list(keys), False
    for short in references:
        reference = with_type(short, opening.snapshot)
        kind, _, name = reference.partition(":")
        if not kind or not name:
            raise TableError(f'open dictionary: expecting "type:name" form instead of "{reference}"')
        table_class(kind, opening.snapshot)
        if not can_build(kind):
            table = _open_for_change(reference, opening)
            if kind == "fail":
                raise TableError(f"table {table.name}: delete error: Application error")
            remove: Callable[[str], bool] | None = getattr(table, "remove", None)
            if remove is None:
                raise TableError(f"table {_below(table.name)}: delete operation is not supported")
            found |= sum(remove(key) for key in wanted) > 0
            continue
        removed, refused = 0, False
        with Progress(reference):
            build = TableBuild(kind, name, opening, keep=True, create=kind == "lmdb")
            for key in wanted:
                gone = build.remove(key)
                removed += gone
                refused = not (gone or key) and kind == "lmdb" and not opening.flags & bits.TRY1NULL
                if refused:
                    break
            if removed or build.made:
                build.finish()
                found |= removed > 0
            else:
                build.abandon()
        if refused:
            raise TableError(f"error deleting from {reference}: {NO_KEY}")
    return 0 if found else 1


class Source:
    """The text file that a table is made from, and the rights and modes that go with it."""

    def __init__(self, path: str) -> None:
        """Open the file.  Raises Fatal."""
        self.path: Final = path
        try:
            with open(path, "rb", buffering=0) as stream:
                self.state: Final = os.fstat(stream.fileno())
                self.data: Final = stream.read()
        except OSError as error:
            raise Fatal(f"open {path}: {error.strerror}") from error

    def text(self) -> str:
        """Return the content, decoded so that every byte survives."""
        return self.data.decode(errors="surrogateescape")

    def take_rights(self, *, keep_root: bool, plain_mode: bool) -> Callable[[], None]:
        """Act as the file's owner, and make files with the file's mode; return what undoes it."""
        before = os.umask(0o022 if plain_mode else ~(self.state.st_mode | 0o600) & 0o777 | 0o022)
        undo: list[Callable[[], object]] = [lambda: os.umask(before)]
        if os.geteuid() == 0 and not keep_root and self.state.st_uid:
            groups = os.getgroups()
            os.setegid(self.state.st_gid)
            os.setgroups([self.state.st_gid])
            os.seteuid(self.state.st_uid)
            undo = [lambda: os.seteuid(0), lambda: os.setegid(0), lambda: os.setgroups(groups), *undo]

        def restore() -> None:
            for step in undo:
                step()

        return restore


def _fill(build: TableBuild, entries: Entries, progress: Progress) -> None:
    count = 0
    try:
        for count, (_, key, value) in enumerate(entries, 1):
            build.put(key, value)
            if not count & 1023:
                progress.entries = count
    except BaseException:
        build.abandon()
        raise


def _put_quickly(build: TableBuild, data: bytes, plain: Plain) -> bool:
    """Put the entries of a file that has nothing to tell of into *build*; say whether it is one."""
    if build.kind == "lmdb":
        lines = even_lines(data, end=build.nul)
        if lines is not None:
            build.put_pieces(lines, len(data) + 18 * len(lines))
            return True
    if build.kind == "cdb":
        build.put_pieces(plain_pieces(data, folds=build.folds, end=build.nul), 2 * len(data))
        return True
    entries = plain(in_order(data) if build.kind in _TREES else data, folds=build.folds, end=build.nul)
    return entries is not None and build.put_all(*entries, len(data) + 2 * len(entries[0]))


def make(
    reference: str,
    opening: Opening,
    options: Options,
    parse: Parse,
    marks: Marks = dict,
    *,
    plain: Plain | None = None,
) -> None:
    """Make a table's file from its text file; *marks* gives entries that are added at the end, as they are.

    *plain* is a quick way for files in which *parse* would find nothing to say.
    """
    kind, _, name = with_type(reference, opening.snapshot).partition(":")
    source = Source(name)
    restore = source.take_rights(keep_root=options.has("o"), plain_mode=options.has("p"))
    try:
        if not can_build(kind):
            try:
                table_class(kind, opening.snapshot)
            except TableError:
                raise Fatal(f"unsupported map type: {kind}") from None
            if kind == "fail" and next(parse(source.text(), source.path), None):
                raise TableError(f"table {kind}:{name}: write error: Application error")
            if kind != "fail":
                raise Fatal(f"no 'map create' support for this type: {kind}")
            return
        with Progress(f"{kind}:{name}") as progress:
            build = TableBuild(kind, name, opening, keep=False)
            if plain is None or not _put_quickly(build, source.data, plain):
                _fill(build, parse(source.text(), source.path), progress)
            for key, value in marks().items():
                build.put_mark(key, value)
            if not build.finish():
                _fill(build, parse(source.text(), source.path), progress)
                build.finish()
    finally:
        restore()


def add(reference: str, opening: Opening, parse: Parse, marks: Marks = dict) -> None:
    """Add entries from standard input to a table."""
    reference = with_type(reference, opening.snapshot)
    kind, _, name = reference.partition(":")
    text = sys.stdin.buffer.read().decode(errors="surrogateescape")
    if can_build(kind):
        with Progress(reference) as progress:
            build = TableBuild(kind, name, opening, keep=True)
            _fill(build, parse(text, "stdin"), progress)
            for key, value in marks().items():
                build.put_mark(key, value)
            build.finish()
        return
    try:
        table_class(kind, opening.snapshot)
    except TableError:
        raise Fatal(f"unsupported map type: {kind}") from None
    table = _open_for_change(reference, opening)
    if kind == "environ":
        return  # the change would be lost when this process ends
    store: Callable[[str, str], None] | None = getattr(table, "store", None)
    for _, key, value in parse(text, "stdin"):
        if kind == "fail":
            raise TableError(f"table {table.name}: write error: Application error")
        if store is None:
            raise TableError(f"table {_below(table.name)}: update operation is not supported")
        store(key, value)
