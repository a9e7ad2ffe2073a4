"""Berkeley DB files with very many entries, made by one side and read by the other."""

from __future__ import annotations

import pytest

from .conftest import Both, make_old

pytestmark = [pytest.mark.reference, pytest.mark.root]

COUNT = 1_000_000


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """The entries as postmap(1) lists them, in no order."""
    return [f"user{number * 7919 % COUNT}@example.com\tvalue {number}" for number in range(COUNT)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["hash", "btree", "lmdb", "cdb"])
def test_many_entries(both: Both, kind: str, lines: list[str]) -> None:
    """The other side lists them all, and finds some by their keys."""
    text = "\n".join([*lines, ""])
    some = lines[:: COUNT // 200]
    keys = "\n".join([*(line.partition("\t")[0] for line in some), "nobody@example.com", ""])
    known = set(lines)
    for maker, reader in (("pyfix", "reference"), ("reference", "pyfix")):
        both.path(maker, "t").write_text(text)
        make_old(both.path(maker, "t"))
        assert both.run(maker, "postmap", f"{kind}:t").status == 0
        listed = both.run(reader, "postmap", "-s", f"{kind}:t", other=maker).out.splitlines()
        assert len(listed) == COUNT
        assert known.issuperset(listed) and len(set(listed)) == COUNT
        assert both.run(reader, "postmap", "-q", "-", f"{kind}:t", given=keys, other=maker).out.splitlines() == some


@pytest.mark.parametrize("kind", ["hash", "lmdb"])
def test_reading_while_the_other_writes(both: Both, kind: str) -> None:
    """A reader of ours sees the old table or the new one while the reference's postmap makes it again and again."""
    import subprocess

    from pyfix.tables.source import open_as
    from pyfix.tables.table import Opening
    from tests.kit import programs

    both.write("t", "".join(f"k{number} 0\n" for number in range(2000)))
    assert both.run("reference", "postmap", f"{kind}:t").status == 0
    name = both.path("reference", "t")
    keys = [f"k{number}" for number in range(0, 2000, 97)]
    table = open_as(f"{kind}:{name}", Opening())
    program = programs.command_directory("reference") / "postmap"
    environment = {"MAIL_CONFIG": str(both.folders["reference"] / "etc")} | programs.hasty("reference")
    rounds = 12
    for number in range(1, rounds + 1):
        name.write_text("".join(f"k{key} {number}\n" for key in range(2000)))
        with subprocess.Popen([program, f"{kind}:{name}"], env=environment, stderr=subprocess.DEVNULL) as writer:
            while writer.poll() is None:
                found = [table.find_now(key) for key in keys]
                assert None not in found and set(found) <= {str(number - 1), str(number)}, found
                assert found == sorted(found, key=lambda value: int(value or 0)), found
        assert writer.returncode == 0
        assert table.find_now("k0") == str(number)
    table.close()
