"""Lookup tables: how fast they are made, and how fast they answer.

Both sides run the same postmap(1) on the same files.  What a lookup costs is the time of ``postmap -q -`` with many
different keys, less that with a single one.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.bench import databases
from tests.bench.rows import Row
from tests.kit.instance import Instance
from tests.kit.tableservers import SocketmapServer, TcpServer, netstring

ENTRIES: Final = 100_000
RULES: Final = 1000

BUILDS: Final[Mapping[str, float]] = {"lmdb": 0.8, "hash": 0.3, "btree": 0.0, "cdb": 0.0}
"""Least ratio to the reference, by type; 0: shown only."""

LOOKUPS: Final[Mapping[str, tuple[int, float]]] = {
    "regexp": (1000, 0.3),
    "pcre": (3000, 0.3),
    "cidr": (20_000, 0.3),
    "hash": (50_000, 0.0),
    "btree": (50_000, 0.0),
    "lmdb": (50_000, 0.0),
    "cdb": (50_000, 0.0),
    "texthash": (50_000, 0.0),
    "sqlite": (20_000, 0.0),
    "inline": (50_000, 0.0),
    "static": (50_000, 0.0),
    "randmap": (50_000, 0.0),
    "unionmap": (50_000, 0.0),
    "pipemap": (50_000, 0.0),
    "environ": (50_000, 0.0),
    "internal": (50_000, 0.0),
    "unix": (2000, 0.0),
    "tcp": (5000, 0.0),
    "socketmap": (5000, 0.0),
    "proxy": (5000, 0.0),
    "pgsql": (2000, 0.0),
    "mysql": (2000, 0.0),
    "ldap": (2000, 0.0),
    "memcache": (2000, 0.0),
}
"""Keys asked for, and the least ratio to the reference, by type; pattern tables have RULES rules.

Not here are mongodb and nis, for which there is no server, and debug and fail, which log each lookup.
"""

NAMES: Final[Mapping[str, str]] = {
    "sqlite": "sqlite:{folder}/sqlite.cf",
    "inline": "inline:{{ten}}",
    "static": "static:all",
    "randmap": "randmap:{a, b, c}",
    "unionmap": "unionmap:{static:a, inline:{{ten}}}",
    "pipemap": "pipemap:{static:key3, inline:{{ten}}}",
    "environ": "environ:any",
    "internal": "internal:any",
    "unix": "unix:passwd.byname",
    "tcp": "tcp:127.0.0.1:{port}",
    "socketmap": "socketmap:inet:127.0.0.1:{port}:any",
    "proxy": "proxy:static:all",
}
"""Tables that are no file of their type's name."""


def rows(kinds: Mapping[str, float] | Mapping[str, tuple[int, float]]) -> list[Row]:
    """Return the rows of one of the tables above; what they count are entries made, or lookups."""
    found = []
    for kind, figures in kinds.items():
        count, least = figures if isinstance(figures, tuple) else (ENTRIES, figures)
        found.append(Row(f"{'lookup' if isinstance(figures, tuple) else 'build'}-{kind}", "", 1, 0, count, least))
    return found


def prepare(instance: Instance) -> Path:
    """Write the source files; the same for both sides.  Returns their folder."""
    folder = instance.directory / "tables"
    folder.mkdir()
    chance = random.Random(7)
    users = [f"user{chance.getrandbits(40):x}@example.com" for _ in range(ENTRIES)]
    (folder / "table").write_text("".join(f"{user} box{number}/mail\n" for number, user in enumerate(users)))
    (folder / "asked").write_text("".join(f"{user}\n" for user in chance.sample(users, 50_000)))
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randrange(4, 12))) for _ in range(RULES)]
    forms = ("/^{word}[0-9]+@example\\.(com|org)$/ OK", "/{word}\\.example\\.com$/ REJECT no {word}", "/^(.*{word})-(list|owner)@/ $1@lists")
    for kind in ("regexp", "pcre"):
        lines = (forms[number % 3].format(word=word) for number, word in enumerate(words))
        (folder / kind).write_text("".join(f"{line}\n" for line in lines))
    networks = (f"{chance.randrange(1, 224)}.{chance.randrange(256)}.{chance.randrange(256)}.0/24" for _ in range(RULES))
    (folder / "cidr").write_text("".join(f"{network} OK\n" for network in networks))
    addresses = (".".join(str(chance.randrange(1, 224)) for _ in range(4)) for _ in range(20_000))
    (folder / "addresses").write_text("".join(f"{address}\n" for address in addresses))
    database = sqlite3.connect(folder / "sqlite.db")
    with database:
        database.execute("CREATE TABLE box (user TEXT PRIMARY KEY, path TEXT)")
        database.executemany("INSERT INTO box VALUES (?, ?)", ((user, f"box{number}/mail") for number, user in enumerate(users)))
    database.close()
    (folder / "sqlite.cf").write_text(f"dbpath = {folder}/sqlite.db\nquery = SELECT path FROM box WHERE user = '%s'\n")
    return folder


@contextmanager
def _named(kind: str, folder: Path) -> Iterator[str]:
    """Give the name of a table that is no file of its type's name; its server, if it has one, runs meanwhile."""
    name = NAMES[kind].replace("{folder}", str(folder)).replace("{ten}", ", ".join(f"key{n}=value{n}" for n in range(10)))
    if "{port}" not in name:
        yield name
        return
    with TcpServer({}, b"200 box\n") if kind == "tcp" else SocketmapServer({}, netstring(b"OK box")) as server:
        yield name.replace("{port}", str(server.port))


def _postmap(instance: Instance, folder: Path, *words: str, given: bytes = b"") -> float:
    """Return how long it took.  Raises AssertionError when it fails, other than by finding nothing."""
    begin = time.monotonic()
    done = subprocess.run(
        [instance.command_directory / "postmap", *words],
        env=instance.environment, input=given, capture_output=True, cwd=folder, check=False,
    )  # fmt: skip
    taken = time.monotonic() - begin
    assert done.returncode == 0 or (words[0] == "-q" and b"fatal: " not in done.stderr), done
    return taken


def build_seconds(instance: Instance, folder: Path, row: Row) -> float:
    """Return how long it takes to make a table where there was none."""
    for path in folder.glob("table.*"):
        path.unlink()
    return _postmap(instance, folder, f"{row.name.removeprefix('build-')}:table")


def lookup_seconds(instance: Instance, folder: Path, row: Row) -> float:
    """Return how long the lookups of a row take, without the start of the command."""
    kind = row.name.removeprefix("lookup-")
    if kind == "proxy" and instance.master_pid is None:
        instance.start()
    if kind in databases.KINDS:
        (folder / f"{kind}.cf").write_text(databases.configuration(kind))
        keys = [b"key%d\n" % (number % databases.KEYS) for number in range(row.messages)]
        return _seconds(instance, folder, f"{kind}:{folder / kind}.cf", keys)
    if kind in NAMES:
        keys = (folder / "asked").read_bytes().splitlines(keepends=True)[: row.messages]
        with _named(kind, folder) as name:
            return _seconds(instance, folder, name, keys)
    if (folder / kind).exists():
        table = f"{kind}:{folder / kind}"
    elif kind == "texthash":
        table = f"{kind}:{folder / 'table'}"
    else:
        source = folder / f"{kind}-table"  # hash and btree would have the same file
        table = f"{kind}:{source}"
        if not source.exists():
            source.symlink_to("table")
            _postmap(instance, folder, table)
    keys = (folder / ("addresses" if kind == "cidr" else "asked")).read_bytes().splitlines(keepends=True)[: row.messages]
    return _seconds(instance, folder, table, keys)


def _seconds(instance: Instance, folder: Path, table: str, keys: list[bytes]) -> float:
    start = min(_postmap(instance, folder, "-q", "-", table, given=keys[0]) for _ in range(3))
    return max(_postmap(instance, folder, "-q", "-", table, given=b"".join(keys)) - start, 1e-6)
