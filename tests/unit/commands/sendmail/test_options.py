"""Options of sendmail(1); that they mean what they mean to Postfix's is in tests/parity/commands."""

from __future__ import annotations

import pytest

from pyfix.commands.sendmail.options import configuration_folder, find_configuration, read_options
from pyfix.runtime.console import CommandError
from pyfix.runtime.log import log


def test_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert find_configuration(["-i", "u@x"]) is None
    assert find_configuration(["-C", "/a", "-C/b/main.cf", "-q"]) == "/b"
    assert find_configuration(["-ZC/c"]) == "/c", "what is wrong is for later"
    assert capsys.readouterr().err == "sendmail: invalid option -- 'Z'\n"
    assert configuration_folder("/etc/mail/sendmail.cf") == "/etc/mail/sendmail.cf"


@pytest.mark.parametrize(
    ("argv", "letters", "words"),
    [
        (["-q"], "q", []), (["-q", "x"], "q", ["x"]), (["-XV", "x"], "X", ["x"]), (["-V+=", "x"], "X", ["x"]), (["-V", "id", "x"], "X", ["id", "x"]),
        (["-V", "long", "x"], "V", ["x"]), (["-oi", "-f", "-q", "x"], "of", ["x"]), (["--", "-q"], "", ["-q"]),
    ],
)  # fmt: skip
def test_values_that_may_be_missing(monkeypatch: pytest.MonkeyPatch, argv: list[str], letters: str, words: list[str]) -> None:
    monkeypatch.setattr(log, "warning", lambda _text: None)
    options, rest = read_options(argv)
    assert "".join(letter for letter, _value in options) == letters
    assert rest == words


def test_no_option() -> None:
    with pytest.raises(CommandError, match="usage: sendmail"):
        read_options(["-Z"])
