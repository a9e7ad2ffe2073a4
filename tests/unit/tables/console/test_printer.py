import io
import json
import sys

import pytest

from pyfix.tables.console.printer import Printer, input_lines, json_text
from pyfix.tables.table import TableError


class Standard:
    """Standard input and output of bytes."""

    def __init__(self, data: bytes = b"") -> None:
        self.buffer = io.BytesIO(data)


def test_pairs(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    Printer("\t").pair("k\udcff", "v")
    Printer(":\t").pair("k", "v")
    Printer(":\t", json=True).pair("k", 'a"b')
    assert capsysbinary.readouterr().out == b'k\xff\tv\nk:\tv\n{"k": "a\\"b"}\n'


def test_answers(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    Printer("\t").answer("k", "é")
    Printer("\t", json=True).answer("k", "é")
    assert capsysbinary.readouterr().out.decode() == 'é\n{"k": "é"}\n'


def test_json_is_json() -> None:
    text = "".join(map(chr, range(300)))
    assert json.loads(json_text(text)) == text
    assert json_text("\x01\x7f\t") == '"\\u0001\\u007F\\t"'


def test_contents_of_files() -> None:
    printer = Printer("\t", files=True)
    assert printer.shown("t", "k", "YWIA/w==") == "ab"
    assert printer.shown("t", "k", "") == ""
    with pytest.raises(TableError):
        printer.shown("t", "k", "!")


def test_input_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Standard(b"a\n\nb \n\xff"))
    assert list(input_lines()) == ["a", "", "b ", "\udcff"]
