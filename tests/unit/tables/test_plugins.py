"""Tables of types that pyfix does not have."""

import os
from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.tables.plugins import refusal

PACKAGE = "warning: unsupported dictionary type: foo. Is the postfix-foo package installed?"


def _said(tmp_path: Path, parameters: type, notices: list[str], line: str) -> list[str]:
    (tmp_path / "dynamicmaps.cf").write_text(f"{line}\n")
    problem = refusal("foo", parameters(meta_directory=str(tmp_path), shlib_directory=str(tmp_path)))
    assert str(problem) == "unsupported dictionary type: foo"
    return notices


def test_without_plugins(parameters: type, notices: list[str]) -> None:
    assert str(refusal("foo", None)) == "unsupported dictionary type: foo"
    assert str(refusal("foo", parameters(shlib_directory="no"))) == "unsupported dictionary type: foo"
    assert notices == [PACKAGE, PACKAGE]


def test_a_type_that_the_file_does_not_know(tmp_path: Path, parameters: type, notices: list[str]) -> None:
    assert _said(tmp_path, parameters, notices, "bar bar.so o") == [PACKAGE]


def test_no_file(tmp_path: Path, parameters: type, notices: list[str]) -> None:
    refusal("foo", parameters(meta_directory=str(tmp_path), shlib_directory=str(tmp_path)))
    assert not notices


def test_a_library_that_is_not_there(tmp_path: Path, parameters: type, notices: list[str]) -> None:
    said = _said(tmp_path, parameters, notices, "foo foo.so o")
    assert said == [f"warning: unsupported dictionary type: foo ({tmp_path}/foo.so: No such file or directory)"]


def test_a_library_that_others_may_write(tmp_path: Path, parameters: type, notices: list[str]) -> None:
    (tmp_path / "foo.so").write_text("x")
    (tmp_path / "foo.so").chmod(0o666)
    said = _said(tmp_path, parameters, notices, "foo foo.so o")
    assert said == [f"warning: unsupported dictionary type: foo ({tmp_path}/foo.so: file is owned or writable by non-root users)"]


@pytest.mark.skipif(os.geteuid() != 0, reason="the file must be root's")
def test_what_is_no_library(tmp_path: Path, parameters: type) -> None:
    (tmp_path / "foo.so").write_text("x")
    with pytest.raises(ConfigError, match=r"load_library_symbols: dlopen failure loading .*: file too short"):
        _said(tmp_path, parameters, [], "foo foo.so o")
