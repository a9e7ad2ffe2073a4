"""nbdb_reindexd makes, refuses, says and logs what the reference's does."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.parity.services.asking import ask

pytestmark = [pytest.mark.reference, pytest.mark.root]
SOCKET = "private/nbdb_reindex"
MASTER = {"nbdb_reindex": "nbdb_reindex unix y n n - 1 nbdb_reindexd"}
NOBODY = 65534
ABOVE = "/var/cache"
"""No folder above it is open to all users, as that of temporary files is."""


@pytest.fixture
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="pyfix-tests-", dir=ABOVE))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def settings(place: Path, **more: str) -> dict[str, str]:
    return {
        "non_bdb_migration_level": "enable-reindex",
        "default_database_type": "lmdb",
        "default_cache_db_type": "cdb",
        "non_bdb_migration_allow_root_prefixes": f"/x {place}/root",
        "non_bdb_migration_allow_user_prefixes": f"{place}/user",
        **more,
    }


class Tables:
    """Folders with tables, the same for each side, and what the service says to and makes of them."""

    def __init__(self, mta: Instance, place: Path) -> None:
        self.mta = mta
        self.place = place
        self.said: list[object] = []
        for path in place.iterdir():
            shutil.rmtree(path)
        for name, owner in (("root", 0), ("user", NOBODY), ("other", 0), ("root/open", 0), ("root/nobody's", NOBODY), ("user/root's", 0)):
            (place / name).mkdir()
            os.chown(place / name, owner, owner)
        (place / "root/open").chmod(0o777)

    def make(self, name: str, text: str | None = "a b\n", owner: int = 0, db_owner: int | None = 0, mode: int = 0o644) -> None:
        """Write a source file (None: none) and its Berkeley DB file (owner None: none)."""
        path = self.place / name
        if text is not None:
            path.write_text(text)
            path.chmod(mode)
            os.chown(path, owner, owner)
        if db_owner is not None:
            path.with_name(path.name + ".db").touch(0o666)
            os.chown(path.with_name(path.name + ".db"), db_owner, db_owner)

    def ask(self, name: str, kind: str = "hash") -> None:
        """Ask for a table."""
        self.said.append((name, ask(self.mta, SOCKET, [("nbdb_type", kind), ("nbdb_path", f"{self.place}/{name}")])))

    def look(self) -> None:
        """Remember what was made."""
        for path in sorted(self.place.rglob("*")):
            if path.suffix in (".lmdb", ".cdb"):
                status = path.stat()
                self.said.append((str(path), oct(status.st_mode), status.st_uid, status.st_gid))


def test_what_is_made_and_what_not(parity: Parity, place: Path) -> None:
    """Owners, modes and places of sources, Berkeley DB files and folders."""

    def case(mta: Instance) -> list[object]:
        tables = Tables(mta, place)
        for name, how in (
            ("root/a", {}), ("root/b", {"mode": 0o600}), ("root/c", {"owner": NOBODY}), ("root/d", {"db_owner": NOBODY}),
            ("root/e", {"mode": 0o664}), ("root/f", {"mode": 0o646}), ("root/g", {"db_owner": None}), ("root/h", {"text": None}),
            ("user/a", {"owner": NOBODY, "db_owner": NOBODY}), ("user/b", {"db_owner": NOBODY}), ("user/c", {"owner": NOBODY}),
            ("user/d", {"owner": 1, "db_owner": 1}), ("user/e", {"owner": NOBODY, "db_owner": NOBODY, "mode": 0}),
            ("user/root's/a", {"owner": NOBODY, "db_owner": NOBODY}), ("root/open/a", {}), ("root/nobody's/a", {}), ("other/a", {}),
            ("other/b", {"owner": NOBODY, "db_owner": NOBODY}), ("other/c", {"text": None}), ("root/sp ace", {}), ("root/$(x)", {}),
        ):  # fmt: skip
            tables.make(name, **how)  # type: ignore[arg-type]  # keywords of any type
            tables.ask(name)
        tables.ask("root/a")
        tables.ask(os.path.join("user", os.pardir, "root", "a"))
        tables.ask("rootx/a")
        for name, how in (("t", {}), ("open/t", {}), ("s", {"db_owner": None}), ("r", {"text": None}), ("open/s", {"owner": NOBODY})):
            tables.make(f"root/{name}", **how)  # type: ignore[arg-type]  # keywords of any type
            target = place / f"root/{name}.lmdb"
            target.touch()
            tables.ask(f"root/{name}")
            if target.stat().st_size == 0:
                target.write_text("x")
                tables.ask(f"root/{name}")
        tables.look()
        return tables.said

    result = parity(case, main=settings(place), master=MASTER, logs="nbdb_reindexd").result
    assert sum("lmdb" in str(one) for one in result) > 5  # type: ignore[attr-defined]  # the result of case


def test_sources(parity: Parity, place: Path) -> None:
    """Which command it is, and commands that complain or fail."""

    def case(mta: Instance) -> list[object]:
        tables = Tables(mta, place)
        for number, text in enumerate((
            "# c\n\nroot: x\n", "a b\nroot: x\n", "root: x\na b\n", "root : x\n", "root:x\n", '"a b": x\n', "a:b c\n", "a: b\n c: d\n",
            " a: b\n", ":\n", "http://x y\n", "a b: c\n", "", "a:\n", "a: :include:/x\n", "a, b: x\n", "broken\n", '"x\n a b\n',
        )):  # fmt: skip
            tables.make(f"root/{number}", text)
            tables.ask(f"root/{number}", "hash" if number % 2 else "btree")
        tables.look()
        return tables.said

    parity(case, main=settings(place), master=MASTER, logs="nbdb_reindexd")


@pytest.mark.parametrize(
    "changes",
    [
        {"non_bdb_migration_level": "enable-redirect"},
        {"non_bdb_migration_level": "disable"},
        {"default_database_type": "hash", "default_cache_db_type": "texthash"},
        {"non_bdb_custom_mapping": "inline:{{hash=cdb}}"},
    ],
    ids=["redirect", "disable", "legacy", "custom"],
)
def test_settings(parity: Parity, place: Path, changes: dict[str, str]) -> None:
    """Levels, and what takes the place of each type."""

    def case(mta: Instance) -> list[object]:
        tables = Tables(mta, place)
        for name, kind in (("a", "hash"), ("b", "btree"), ("c", "lmdb"), ("d", ""), ("e", "nosuch")):
            tables.make(f"root/{name}")
            tables.ask(f"root/{name}", kind)
        tables.look()
        return tables.said

    parity(case, main=settings(place, **changes), master=MASTER, logs="nbdb_reindexd")


def test_malformed_requests(parity: Parity, place: Path) -> None:
    """Lists in another order, with too little or too much, or of another protocol."""
    known = ("nbdb_type", "hash"), ("nbdb_path", "/nowhere")

    def case(mta: Instance) -> list[object]:
        lists = (known[::-1], known[:1], [("x", "y")], [*known, ("x", "y")], [("request", "reindex")], [], [known[0], ("x", "y"), known[1]])
        return [ask(mta, SOCKET, one) for one in lists]

    parity(case, main=settings(place), master=MASTER, logs="nbdb_reindexd")
