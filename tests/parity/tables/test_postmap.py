"""postmap(1) of both sides: files, answers, messages and exit statuses."""

from __future__ import annotations

import os
import random
import stat

import pytest

from .conftest import Both

pytestmark = [pytest.mark.reference, pytest.mark.root]

TEXT = r"""a 1
b
 c 2
# comment
  # another
d   value with  spaces
  continued
A 2
"key with space" v
"q\"x" w
e: foo
 /x y
bad"k v
only
""  empty
""
"uns pac"tail v
\a\ b c
"a b": foo
:inc /x
ÉTÉ café
z \
"""
INDEXED = ["hash", "btree", "lmdb", "cdb"]


@pytest.mark.parametrize("kind", INDEXED)
def test_make_and_list(both: Both, kind: str) -> None:
    """Making a table from text, with all the ways in which a line can be odd.  Source: postmap(1)."""
    both.write("table", TEXT)
    both.same("postmap", f"{kind}:table")
    both.same("postmap", "-s", f"{kind}:table", in_order=False)
    both.same("postmap", "-js", f"{kind}:table", in_order=False)
    for key in ("a", "A", "D", '"key with space"', "key with space", "été", "nokey", ""):
        # LMDB itself refuses the empty key, and Postfix says so; no daemon asks for it.
        if key or kind != "lmdb":
            both.same("postmap", "-q", key, f"{kind}:table")
    both.same("postmap", "-q", "-", f"{kind}:table", given="a\n\nA\nnokey\nb\n")
    both.same("postmap", "-jq", "-", f"{kind}:table", given="a\nb\n")
    both.same("postmap", "-fq", "A", f"{kind}:table")


@pytest.mark.parametrize("text", ["  lead x\na: b\n", b"\xff\xfe bad\nok \xff\nx y\r\nK\0L nul\n", "", "#\n", "a b"])
def test_odd_files(both: Both, text: str | bytes) -> None:
    """White space at the start, bytes that are not UTF-8, NUL and CR."""
    both.write("table", text)
    both.same("postmap", "hash:table")
    both.same("postmap", "-s", "hash:table", in_order=False)
    both.same("postmap", "-u", "hash:table")
    both.same("postmap", "-us", "hash:table", in_order=False)
    both.same("postmap", "-s", "texthash:table", in_order=False)


@pytest.mark.parametrize("kind", ["hash", "lmdb"])
def test_changing(both: Both, kind: str) -> None:
    """Adding, replacing and deleting entries of a table that is there."""
    both.write("one", "a 1\n")
    both.write("two", "b 2\n")
    one, two = f"{kind}:one", f"{kind}:two"
    both.same("postmap", one, two)
    both.same("postmap", "-q", "b", one, two)
    both.same("postmap", "-q", "c", one, two)
    both.same("postmap", "-s", one, two)
    both.same("postmap", "-i", one, given="a 9\nc 4\n d\n")
    both.same("postmap", "-s", one, in_order=False)
    both.same("postmap", "-ir", one, given="a 9\nc 4\n d\n")
    both.same("postmap", "-iw", one, given="c 8\nc 9\nn 1\n")
    both.same("postmap", "-i", one, given="malformed\n")
    both.same("postmap", "-s", one, in_order=False)
    both.same("postmap", "-d", "b", one, two)
    both.same("postmap", "-d", "b", one, two)
    both.same("postmap", "-d", "-", one, two, given="A\nzz\n")
    both.same("postmap", "-d", "-", one, two, given="zz\n")
    if kind != "lmdb":
        both.same("postmap", "-d", "", one)
    both.same("postmap", "-s", one, in_order=False)
    both.same("postmap", "-i", f"{kind}:new")
    both.same("postmap", "-d", "x", f"{kind}:none")


@pytest.mark.parametrize("options", ["", "-r", "-w", "-f", "-n", "-N", "-nN", "-Nn", "-v", "-o"])
def test_duplicates_and_nulls(both: Both, options: str) -> None:
    """What the same key twice does, and how options change the file."""
    both.write("table", "dup 1\ndup 2\nDup 3\n")
    words = [options] if options else []
    theirs = both.run("reference", "postmap", *words, "hash:table")
    ours = both.run("pyfix", "postmap", *words, "hash:table")
    assert theirs.status == ours.status == 0
    if options != "-v":
        assert ours.err == theirs.err
    both.same("postmap", "-s", "hash:table", in_order=False)
    for kind in both.folders:
        with_nul = b"dup\0" in both.path(kind, "table.db").read_bytes()
        assert with_nul == (options not in ("-n", "-Nn"))


def test_wrong_use(both: Both) -> None:
    """Messages and statuses for what can't be done."""
    both.write("table", "a 1\n")
    both.same("postmap", "hash:table")
    cases = [
        [], ["-Z"], ["-q"], ["-q", "a"], ["-i"], ["-sq", "x", "hash:table"], ["-d", "x", "-q", "y", "hash:table"],
        ["-j", "hash:table"], ["-jd", "x", "hash:table"], ["-id", "x", "hash:table"], ["-b", "hash:table"],
        ["-m", "hash:table"], ["hash:table", "-q", "a"], ["-q", "a", "--", "hash:table"], ["--", "hash:table"],
        ["hash:none"], ["none"], ["hash:none/x"], ["foo:table"], ["foo:none"], ["-q", "x", "foo:x"],
        ["-q", "x", "hash:none"], ["-q", "x", "lmdb:none"], ["-q", "x", "cdb:none"], ["-q", "x", "texthash:none"],
        ["-q", "x", "nosuch:"], ["-q", "x", ":x"], ["hash:"], ["-c", "/nonexistent", "hash:table"], ["-i", "foo:table"],
        ["-d", "x", "foo:table"], ["-d", "x", "cdb:table"], ["texthash:table"], ["cidr:table"], ["regexp:table"],
        ["fail:table"], ["-q", "-x", "hash:table"], ["-q", "a", "btree:table"],
    ]  # fmt: skip
    both.all_same("postmap", cases)


MEMORY = [
    "inline:{a=b}", "static:a", "environ:a", "unix:passwd.byname", "unionmap:{static:a}", "pipemap:{static:a}",
    "randmap:{a}", "fail:x", "debug:static:a", "internal:x", "nis:mail.aliases",
]  # fmt: skip


def test_types_without_files(both: Both) -> None:
    """Questions to and changes of tables that have no indexed file."""
    actions = (["-q", "a"], ["-q", "root"], ["-q", "PATH"], ["-q", ""], ["-d", "x"], ["-s"], ["-i"])
    alone = [table for table in MEMORY if table.startswith("nis:")]  # each process says once why it can ask nobody
    for tables, same in ((sorted({*MEMORY} - {*alone}), both.all_same_in_turn), (alone, both.all_same)):
        same("postmap", [[*words, table] for table in tables for words in actions], given="")
        same("postmap", [["-i", table] for table in tables], given="x y\n")
        same("postmap", [["-q", "-", table] for table in tables], given="a\nb\n")


NAMES = [
    "unionmap:{}", "unionmap:x", "pipemap:{}", "randmap:{}", "unionmap:{fail:x,static:b}", "unionmap:{inline:{b=c}}",
    "unionmap:{hash:/nonexistent/x}", "unionmap:{nope}", "inline:{a=b, c=d, {e = f g}, a=z}", "inline:{ }",
    "inline:{{a}}", "inline:{a=b", "inline:{a=b} x", "inline:{{a = b} c=d}", "inline:{a=}", "inline:{=b}",
    "inline:{{a=b}x}", "inline:{A=b}", "inline:x=foo", "inline:{ a = b }", "inline:{a=b,,c=d}", "static:",
    "static:{ a b }", "static:{ a", "static:{a}b", "randmap:{a", "randmap:{a,}x", "unix:foo", "debug:foo",
    "unionmap:{static:a,static:b,inline:{a=c}}", "pipemap:{inline:{a=b},inline:{b=c}}", "environ:x",
    "pipemap:{inline:{a=b},fail:x}", "debug:inline:{x=y}", "debug:inline:{a=y}", "debug:fail:x",
    "unionmap:{unionmap:{static:a},{static:b c}}",
    "randmap:{{a b}}", "randmap:{{a b}c}", "unionmap:{static:{a b}}", "pipemap:{static:a b}",
]  # fmt: skip


def test_syntax_of_names(both: Both) -> None:
    """What may stand behind the type, and what is said of what may not."""
    both.all_same_in_turn("postmap", [["-q", "a", name] for name in NAMES], given="")


def test_modes_and_owners(both: Both) -> None:
    """A new file has the mode of its source and the rights of its owner; an old one keeps its own.

    Source: postmap(1) options -o and -p.
    """

    def state(kind: str, name: str) -> tuple[int, int, int]:
        found = both.path(kind, name).stat()
        return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid

    def same_state(*names: str) -> None:
        for name in names:
            assert state("pyfix", name) == state("reference", name), name

    both.write("table", "a 1\n")
    for mode in (0o640, 0o600, 0o644, 0o755, 0o400):
        for kind in both.folders:
            both.path(kind, "table").chmod(mode)
            both.path(kind, "table.db").unlink(missing_ok=True)
            both.path(kind, "table.cdb").unlink(missing_ok=True)
        both.same("postmap", "hash:table", "cdb:table")
        same_state("table.db", "table.cdb")
    for kind in both.folders:
        both.path(kind, "table.db").chmod(0o660)
        os.chown(both.path(kind, "table.db"), 33, 33)
    both.same("postmap", "hash:table")
    same_state("table.db")
    for kind in both.folders:
        both.path(kind, "table.db").unlink()
        both.path(kind, "table").chmod(0o600)
    both.same("postmap", "-p", "hash:table")
    same_state("table.db")
    for kind in both.folders:
        os.chown(both.path(kind, "table"), 65534, 65534)
        both.path(kind, "table.db").unlink()
    both.same("postmap", "hash:table")
    both.same("postmap", "-o", "hash:table")
    same_state("table.db")


def test_older_than_source(both: Both) -> None:
    """A file that was not made again after its source changed gives a warning."""
    both.write("table", "a 1\n")
    both.same("postmap", "hash:table")
    for kind in both.folders:
        now = both.path(kind, "table").stat().st_mtime
        os.utime(both.path(kind, "table"), (now - 1000, now - 1000))
        os.utime(both.path(kind, "table.db"), (now - 2000, now - 2000))
    done = both.same("postmap", "-q", "a", "hash:table")
    assert "is older than source file" in done.err[0]


def test_damaged_files(both: Both) -> None:
    """Files that are no tables."""
    for content in (b"garbage", b"", b"\0" * 5000):
        both.write("table.db", content)
        for kind in ("hash", "btree"):
            theirs = both.run("reference", "postmap", "-q", "a", f"{kind}:table")
            ours = both.run("pyfix", "postmap", "-q", "a", f"{kind}:table")
            assert (ours.status, ours.err) == (theirs.status, theirs.err)


def test_files_as_values(both: Both) -> None:
    """Option -F puts files into the table, base64 encoded."""
    both.write("one", b"\0\1binary\n")
    both.write("two", b"no newline")
    both.write("table", "a one\nb two\nc two, one\nd missing\n e\nf one two\n")
    both.same("postmap", "-F", "hash:table")
    both.same("postmap", "-s", "hash:table", in_order=False)
    both.same("postmap", "-Fq", "a", "hash:table")
    both.same("postmap", "-Fs", "hash:table", in_order=False)
    both.same("postmap", "-Fq", "-", "hash:table", given="b\nc\n")
    both.same("postmap", "-Fjq", "b", "hash:table")
    for table in (
        "inline:{b=two}",
        "inline:{b=missing}",
        "static:two",
        "static:missing",
        "unionmap:{static:two,static:one}",
    ):
        both.same("postmap", "-Fq", "b", table)
    both.write("rules", "/b/ two\n/c/ missing\n")
    both.same("postmap", "-Fq", "b", "regexp:rules")
    both.same("postmap", "-Fq", "c", "pcre:rules")
    both.same("postmap", "-i", "hash:table", given="plain !!\n")
    both.same("postmap", "-Fq", "plain", "hash:table")


MESSAGE = """\
Subject: a
 long one
From: x
Content-Type: multipart/mixed; boundary="b1"

preamble
--b1
Content-Type: text/plain
X-Part: 1

body: one
--b1
Content-Type: message/rfc822

Subject: nested

nested body
--b1--
epilogue
"""


@pytest.mark.parametrize("options", ["-hq", "-bq", "-hbq", "-mq", "-hmq", "-bmq", "-hbmq"])
def test_message_as_keys(both: Both, options: str) -> None:
    """Options -h, -b and -m take the keys from a message."""
    both.same("postmap", options, "-", "regexp:{{/./ found}}", given=MESSAGE)
    both.same("postmap", options, "-", "regexp:{{/./ found}}", given="no header\n\nbody\n")


@pytest.mark.parametrize("kind", ["hash", "btree", "lmdb", "cdb"])
def test_each_reads_the_others_files(both: Both, kind: str) -> None:
    """A large table, with large keys and values, made by one side is the same to the other."""
    source = random.Random(7)
    count = 20000 if kind == "hash" else 3000
    pairs = {f"user{source.getrandbits(40):x}@example.com": f"box{n}" for n in range(count)}
    longest = 400 if kind == "lmdb" else 3000  # LMDB itself takes no longer keys than 511 bytes
    pairs |= {f"big{n}-" + "k" * source.randrange(longest // 8, longest): "v" * source.choice([1, 4000, 30000, 65536]) for n in range(50)}
    both.write("table", "".join(f"{key} {value}\n" for key, value in pairs.items()))
    wanted = sorted(f"{key}\t{value}" for key, value in pairs.items())
    keys = source.sample(sorted(pairs), 300)
    for maker, reader in (("reference", "pyfix"), ("pyfix", "reference")):
        assert both.run(maker, "postmap", f"{kind}:table").status == 0
        listed = both.run(reader, "postmap", "-s", f"{kind}:table", other=maker)
        assert sorted(listed.out.splitlines()) == wanted
        found = both.run(
            reader, "postmap", "-q", "-", f"{kind}:table", other=maker, given="\n".join([*keys, "no"]) + "\n"
        )
        assert found.out.splitlines() == [f"{key}\t{pairs[key]}" for key in keys]
        if kind != "cdb":
            added = both.run(reader, "postmap", "-i", f"{kind}:table", other=maker, given="more entries\n" * 1)
            assert (added.status, added.err) == (0, [])
            assert both.run(maker, "postmap", "-q", "more", f"{kind}:table").out == "entries\n"
            assert both.run(maker, "postmap", "-q", keys[0], f"{kind}:table").out == pairs[keys[0]] + "\n"
