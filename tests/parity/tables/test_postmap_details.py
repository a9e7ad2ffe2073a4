"""Details of postmap(1) and postalias(1): odd lines, empty keys, rights, options together, random sources."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.kit import programs

from .conftest import Both, Done

pytestmark = [pytest.mark.reference, pytest.mark.root]

LINES = [
    b"a 1\n b\0 2\nc\n\n \0\n d\nx y\n", b"a\0b\n#x\n\nc d\n", b"a b\0c\n   \0\n\n", b" a b\0c\n d\n",
    b" 12345678901234567890123456789\n", b" 123456789012345678901234567890\n",
    " a\u00e9123456789012345678901234567\u00e9\u00e9\n".encode(), b' "q\t 1\n"\n"" 1\n" 2\n"x\n', b'"q\t 1\n"\n"" 1\n" 2\n"x\n',
    b'"\\"\rv  w \nb\n',
]  # fmt: skip


@pytest.mark.parametrize("text", LINES)
def test_odd_lines(both: Both, text: bytes) -> None:
    """Numbers of lines, what is cut off, quotes that do not match."""
    both.write("t", text)
    both.same("postmap", "hash:t")
    both.same("postalias", "lmdb:t")
    both.same("postmap", "-q", "a", "texthash:t")
    if b"\0" in text:
        both.same("postmap", "-q", "a", "regexp:t")


def test_empty_keys(both: Both) -> None:
    """The LMDB library refuses them; in stdin they are keys as others are."""
    both.write("t", b"a 1\n")
    both.same("postmap", "lmdb:t", "hash:t", "cdb:t")
    asked = [["-q", ""], ["-nq", ""], ["-Nq", ""], ["-q", "-"], ["-nq", "-"], ["-Nq", "-"], ["-q", "", "hash:t"], ["-jq", "-"]]
    both.all_same("postmap", [[*words, f"{kind}:t"] for words in asked for kind in ("lmdb", "hash", "cdb")], given="\nx\n\n")
    for words in (["-d", ""], ["-nd", ""], ["-Nd", ""], ["-d", "-"], ["-Nd", "-"]):
        both.same("postmap", *words, "lmdb:t", given="\n")
    for size in (510, 511, 600):
        both.same("postmap", "-i", "lmdb:t", given="k" * size + " x\n")
    both.same("postmap", "-s", "lmdb:t")


def test_tables_are_opened_when_a_key_comes_to_them(both: Both) -> None:
    """Which matters when one of them is not there."""
    both.write("t", b"a 1\n")
    both.same("postmap", "hash:t")
    for given in ("", "a\n", "b\n", "b\na\n"):
        for tables in (["hash:t", "lmdb:none"], ["foo:none"], ["cdb:none", "hash:t"]):
            both.same("postmap", "-q", "-", *tables, given=given)
    both.same("postmap", "-d", "x", "lmdb:made")
    assert [both.path(kind, "made.lmdb").stat().st_mode for kind in both.folders] == [0o100644] * 2


def test_null_bytes_at_ends(both: Both) -> None:
    """Options -n and -N, in building, asking and deleting; what NIS reads has none.  Source: postalias(1)."""
    both.write("t", "root: x\nA: y\n")
    for made in ("-f", "-n", "-N"):
        for kind in ("hash", "btree", "lmdb", "cdb"):
            both.same("postalias", made, f"{kind}:t")
            given = "root\nA\nYP_MASTER_NAME\n@\n"
            both.all_same("postalias", [[f"{asked}q", "-", f"{kind}:t"] for asked in ("-f", "-fn", "-fN")], given=given)
            both.all_same("postalias", [["-fq", key, f"{kind}:t"] for key in ("YP_MASTER_NAME", "@")])
            if kind != "cdb":
                for asked in ("-n", "-N", "-f"):
                    both.same("postalias", f"{asked}d", "@", f"{kind}:t")
    both.same("postmap", "-Fs", "hash:t", in_order=False)
    both.write("t", b"a !!\nb YQ==\nc v w\n")
    both.same("postmap", "hash:t")
    for words in (["-Fs"], ["-Fjs"], ["-Fq", "a"], ["-Fq", "-"]):
        both.same("postmap", *words, "hash:t", given="c\nb\na\n", in_order=False)


def test_names_of_files_as_values(both: Both) -> None:
    """Blanks and commas part them, braces do not keep them together, other white space belongs to them."""
    both.write("one", b"1")
    both.write("two", b"2")
    both.write("t", "a one,two\nb { one }\nc {one\nd ,\ne one\x0btwo\nf one \ttwo\r\ng one\u00a0two\n")
    both.same("postmap", "-F", "hash:t")
    both.same("postmap", "-Fs", "hash:t", in_order=False)
    both.same("postmap", "-s", "hash:t", in_order=False)


def _as_user(both: Both, kind: str, *words: str, given: bytes = b"") -> Done:
    environment = {"MAIL_CONFIG": str(both.folders[kind] / "etc"), "PATH": "/usr/sbin:/usr/bin"} | programs.hasty(kind)
    user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    done = subprocess.run(
        [*user, programs.command_directory(kind) / "postmap", *words],
        cwd=both.folders[kind] / "work", env=environment, input=given, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    return Done(done.returncode, done.stdout.decode(), [line for line in done.stderr.decode().splitlines() if "postmap: fatal" in line])


@pytest.mark.parametrize("kind", ["hash", "lmdb", "cdb"])
def test_tables_of_another(both: Both, kind: str, tmp_path: Path) -> None:
    """Whoever may write to a file may change it, also where it can't be given to its owner."""
    for folder in (tmp_path, *tmp_path.parents):
        if str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    for name in ("t", "u"):
        both.write(name, b"a 1\n")
    suffix = "db" if kind == "hash" else kind
    both.same("postmap", f"{kind}:t")
    differing = []
    for folder_mode in (0o777, 0o755):
        for mode in (0o600, 0o666):
            for side in both.folders:
                both.path(side, f"t.{suffix}").chmod(mode)
                (both.folders[side] / "work").chmod(folder_mode)
            for words in (["-q", "a"], ["-i"], ["-d", "a"], [], ["-i", "x"]):
                table = f"{kind}:{'u' if 'x' in words and folder_mode == 0o755 else 't'}"
                done = [_as_user(both, side, *[word for word in words if word != "x"], table, given=b"b 2\n") for side in both.folders]
                states = [both.path(side, f"t.{suffix}").stat() for side in both.folders]
                if done[0] != done[1] or (states[0].st_mode, states[0].st_uid) != (states[1].st_mode, states[1].st_uid):
                    differing.append((oct(folder_mode), oct(mode), words, done))
    assert not differing, differing


def test_after_a_failure_the_old_table_is_there(both: Both) -> None:
    """A file that can't be read, or taken apart, leaves what was made before."""
    both.write("t", b"a 1\n")
    both.write("key", "k" * 600 + " x\n")
    kinds = ("hash", "btree", "lmdb", "cdb")
    for kind in kinds:
        both.same("postmap", f"{kind}:t")
    before = {(side, path.name): path.read_bytes() for side in both.folders for path in (both.folders[side] / "work").iterdir()}
    both.write("t", b"b 2\n" + b"k" * 600 + b" x\n")
    both.same("postmap", "lmdb:t")
    both.same("postmap", "-q", "-", "lmdb:t", given="a\nb\n")
    for side in both.folders:
        both.path(side, "t").unlink()
    for kind in kinds:
        both.same("postmap", f"{kind}:t")
        both.same("postmap", "-q", "a", f"{kind}:t")
    for (side, name), content in before.items():
        if side == "pyfix" and name.endswith("db") and not name.endswith("lmdb"):
            assert both.path(side, name).read_bytes() == content


KEYS = ["a", "b", "A", "B", "key", "Key", '"q k"', '"q', 'x"y"', "a\\ b", "\\", "\u00e9", "\u00c9", "\u00df", "\u0130", "\u01c5", "e:", "x@y",
        "/re/", '""', '"" ""', "{", "}", "#k", "a#", "\x01", "a\x7f", '"a\\"b"', '"a b"c', '\\"', "\\\\"]  # fmt: skip
VALUES = ["1", "v w", "v  w ", '"v"', "\u00e9", "\\", "x\r", "x\t", "", "  ", "one", "two", "missing", "one two", "one,two", "{one}",
          "{ one }", "\x0b", "[1]", "\U0001f600"]  # fmt: skip
ALIASES = ["root", "Root", '"a b"', "a b", "\u00e9", "x@y", "a,b", "(c)a", "<a>", "", '""', "a\\b", '"x', "a.b", ".a", "a.", "|x", 'a"b"c',
           "\\", "::", "#a", "\u00c9\u00c9", "a(", "postmaster", "a;b", "[a]"]  # fmt: skip
MEMBERS = ["b", "b,c", "b c", '|"p x"', '"|p x"', ":include:/x", "/f", '"a b"@c', "(c)", "<a@b>", "N <a@b>", "a,,b", ",", "", '"x', "a(",
           "\\a", "a\\", "[1.2.3.4]", "a@[1]", "g:a,b;", "x;", "#c", ">", "a>b", "@a:b@c", '"\\""', "a\tb", "a,\n b", "(a\n b) c"]  # fmt: skip


def _source(chance: random.Random, command: str) -> bytes:
    keys, values = (KEYS, VALUES) if command == "postmap" else (ALIASES, MEMBERS)
    lines = []
    for _ in range(chance.randrange(8, 25)):
        if chance.random() < 0.1:
            lines.append(chance.choice(["#c", " #c", "", "  ", "\t", "\r", "only", "\x0c"]))
            continue
        lead = chance.choice([""] * 8 + [" ", "\t", "\r"])
        parts = [" ", "\t", " \t", "  ", ""] if command == "postmap" else [":", ": ", " : ", " "]
        lines.append(lead + chance.choice(keys) + chance.choice(parts) + chance.choice(values))
    text = ("\n".join(lines) + chance.choice(["\n", "", "\n\n"])).encode()
    return text.replace(b"v", b"\xff", 1) if chance.random() < 0.2 else text


@pytest.mark.parametrize("seed", range(12))
def test_random_sources(both: Both, seed: int) -> None:
    """Any lines, any options together: made, changed, asked and listed."""
    chance = random.Random(seed)
    command = chance.choice(["postmap", "postmap", "postalias"])
    letters = "fNnoprwuF" if command == "postmap" else "fNnoprwu"
    table = chance.choice(["hash:t", "btree:t", "lmdb:t", "cdb:t", "t"])
    both.write("one", b"1")
    both.write("two", b"\0x")

    def options() -> list[str]:
        return [f"-{letter}" for letter in letters if chance.random() < 0.15]

    keys = "\n".join(["a", "A", "b", "key", '"q k"', "q k", "\u00e9", "\u00c9", "", "x@y", "\\", "root", "@", "nokey"])
    for _ in range(3):
        both.write("t", _source(chance, command))
        both.same(command, *options(), table)
        if table != "cdb:t":
            both.same(command, *options(), "-i", table, given=_source(chance, command))
            both.same(command, *options(), "-d", "-", table, given="key\nB\n\u00c9\nroot\n")
        for words in (["-q", "-"], ["-jq", "-"]):
            both.same(command, *_without_null(options()), *words, table, given=keys)
        listing: Sequence[Done] = [both.run(side, command, "-s", table) for side in both.folders]
        lines = [sorted(line for line in done.out.split("\n") if not line.startswith("YP_LAST")) for done in listing]
        assert lines[0] == lines[1]


def _without_null(options: list[str]) -> list[str]:
    return [option for option in options if option not in ("-n", "-N", "-F")]


@pytest.mark.parametrize("command", ["postmap", "postalias"])
def test_a_stale_table_is_made_anew_on_request(both: Both, command: str) -> None:
    """With pyfix_rebuild_stale_tables; without, the command to run is shown after Postfix's warning."""
    both.write("t", "a: 1\n")
    assert both.run("pyfix", command, "hash:t").status == 0
    folder = both.folders["pyfix"]

    def make_stale() -> None:
        source = both.path("pyfix", "t")
        source.write_text("a: 1\nb: 2\n")
        now = source.stat().st_mtime
        os.utime(source, (now - 1000, now - 1000))
        os.utime(both.path("pyfix", "t.db"), (now - 2000, now - 2000))

    def ask() -> Done:
        done = subprocess.run(
            [programs.command_directory("pyfix") / command, "-q", "b" if command == "postalias" else "b:", "hash:t"],
            env={"MAIL_CONFIG": str(folder / "etc"), "PATH": "/usr/bin"}, cwd=folder / "work", capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr.splitlines())

    make_stale()
    warning = f"{command}: warning: database t.db is older than source file t"
    assert ask() == Done(1, "", [warning, f"{command}: to make it anew: {command} hash:t"])
    with (folder / "etc/main.cf").open("a") as stream:
        stream.write("pyfix_rebuild_stale_tables = yes\n")
    assert ask() == Done(0, "2\n", [f"{command}: database t.db was older than source file t: made anew"])
    assert ask() == Done(0, "2\n", [])
    make_stale()
    both.path("pyfix", "t").rename(both.path("pyfix", "u"))
    both.path("pyfix", "t").mkdir()
    os.utime(both.path("pyfix", "t"), (2, 1 + both.path("pyfix", "u").stat().st_mtime))
    assert ask().err[0] == warning
