"""Every option of postmap(1) and postalias(1), those that there are and those that there are not: alone, and with each way to use a table."""

from __future__ import annotations

import string

import pytest

from .conftest import Both

pytestmark = [pytest.mark.reference, pytest.mark.root]

OPTIONS = [f"-{letter}" for letter in string.ascii_letters if letter not in "cdqv"]
"""Without those that have an argument, and -v, which tells what the program does inside."""

THERE = {f"-{letter}" for letter in "bCfFhijmnNoprsuUw"}
"""Those that there are; of the others it is enough to see once or twice that they are refused."""

MESSAGE = "Subject: x\nTo: a\n\na 1\n"
WAYS = [[], ["-q", "A"], ["-q", "-"], ["-s"], ["-d", "a"], ["-i"], ["-r", "-i"]]


@pytest.mark.parametrize("command", ["postmap", "postalias"])
def test_alone_and_with_each_way(both: Both, command: str) -> None:
    """What is said, shown, and returned, and what is in the tables then."""
    both.write("one", b"content")
    both.write("t", "a: one\nB: two\n" if command == "postalias" else "a one\nB two\n")
    both.same(command, "-w", "hash:t", "lmdb:t")
    for option in OPTIONS:
        for way in WAYS if option in THERE else WAYS[:2]:
            if {option, *way} >= {"-o"} and way:
                continue  # root's tables, asked by root
            both.same(command, option, *way, "hash:t", given=MESSAGE, in_order=way != ["-s"])
    both.same(command, "-q", "-", "hash:t", given="a\nA\nb\nB\n@\nSubject:\nx\n")


@pytest.mark.parametrize("command", ["postmap", "postalias"])
def test_pairs(both: Both, command: str) -> None:
    """Options that mean the opposite of each other, or have to do with each other, in both orders."""
    both.write("one", b"content")
    both.write("t", "a: one\na: two\nB: one\n" if command == "postalias" else "a one\na two\nB one\n")
    pairs = ["nN", "rw", "fu", "uU", "op", "jF", "fn", "fN", "wn", "rN", "hb", "bm", "hm", "jr", "jf", "oF"]
    for first, second in [*pairs, *(pair[::-1] for pair in pairs)]:
        for words in ([f"-{first}", f"-{second}"], [f"-{first}{second}"])[command == "postalias" :]:
            both.same(command, *words, "hash:t")
            both.same(command, *words, "-q", "-", "hash:t", given="a\nA\n\nb: a\n")
        both.same(command, f"-{first}{second}", "-s", "hash:t", in_order=False)


@pytest.mark.parametrize("command", ["postmap", "postalias"])
def test_another_configuration_and_more_to_say(both: Both, command: str) -> None:
    """-c names the folder of main.cf, whose types and settings count then; -v adds lines and changes nothing else."""
    both.write("t", "a: one\n" if command == "postalias" else "a one\n")
    for side, place in both.folders.items():
        other = place / "other"
        other.mkdir()
        text = (place / "etc/main.cf").read_text()
        (other / "main.cf").write_text(text.replace("default_database_type = hash", "default_database_type = lmdb"))
        (other / "master.cf").write_text("")
        for words in (["t"], ["-v", "t"], ["-vv", "t"]):
            done = both.run(side, command, "-c", str(other), *words)
            assert done.status == 0
        assert both.path(side, "t.lmdb").exists() and not both.path(side, "t.db").exists()
        for words in (["-q", "a", "t"], ["-vq", "a", "t"], ["-v", "-q", "-", "t"], ["-vs", "t"]):
            done = both.run(side, command, "-c", str(other), *words, given="a\n")
            assert (done.status, "one" in done.out) == (0, True), (side, words, done)
    both.all_same(command, [["-c", "/nonexistent", "t"], ["-c"], ["-c", "", "t"]])
    both.same(command, "t")
    assert both.path("pyfix", "t.db").exists()
