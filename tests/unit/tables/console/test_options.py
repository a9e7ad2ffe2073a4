import sys

import pytest

from pyfix.tables import flags as bits
from pyfix.tables.console.options import Fatal, Options


@pytest.fixture(autouse=True)
def called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/sbin/postmap"])


def read(*words: str) -> Options:
    return Options(words, "Nc:d:fFijnq:rsuw", "[-f] file...")


def test_words_and_letters() -> None:
    options = read("-fq", "key", "-c/etc/x", "one", "-r")
    assert (options.action, options.key, options.directory) == ("q", "key", "/etc/x")
    assert options.tables == ["one", "-r"]
    assert options.has("f") and not options.has("r")
    assert read("-q", "-", "t").key == "-"
    assert read("--", "-q").tables == ["-q"]
    assert read("-", "x").tables == ["-", "x"]
    assert read("-qkey").key == "key"


@pytest.mark.parametrize(
    ("letters", "flags"),
    [
        ("", bits.ORDINARY | bits.DUP_WARN),
        ("-f", bits.LOCK | bits.UTF8_REQUEST | bits.DUP_WARN),
        ("-u", bits.LOCK | bits.FOLD_FIX | bits.DUP_WARN),
        ("-N", bits.ORDINARY | bits.DUP_WARN | bits.TRY1NULL),
        ("-Nn", bits.ORDINARY | bits.DUP_WARN | bits.TRY0NULL),
        ("-nN", bits.ORDINARY | bits.DUP_WARN | bits.TRY1NULL),
        ("-r", bits.ORDINARY | bits.DUP_REPLACE),
        ("-w", bits.ORDINARY | bits.DUP_IGNORE),
        ("-rw", bits.ORDINARY | bits.DUP_IGNORE),
        ("-F", bits.ORDINARY | bits.DUP_WARN | bits.SRC_RHS_IS_FILE),
    ],
)
def test_flags(letters: str, flags: int) -> None:
    assert read(*[letters] if letters else []).flags == flags


@pytest.mark.parametrize("words", [["-Z"], ["-q"], ["-f:"]])
def test_wrong_use(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Fatal, match=r"usage: postmap \[-f\] file\.\.\."):
        read(*words)
    assert capsys.readouterr().err.startswith("postmap: ")


def test_one_action() -> None:
    with pytest.raises(Fatal, match="specify only one of -d -i -q or -s"):
        read("-i", "-s")
