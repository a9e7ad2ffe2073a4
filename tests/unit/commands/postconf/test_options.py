"""The command line of postconf."""

from __future__ import annotations

import sys

import pytest

from pyfix.commands.postconf.messages import Fatal
from pyfix.commands.postconf.options import CLASSES, parse


@pytest.fixture(autouse=True)
def program_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["postconf"])


def test_values_and_clusters() -> None:
    options = parse(["-nxc", "/etc/x", "-oa=b", "-o", "c=d", "-Cuser", "name", "-h"])
    assert {"n", "x"} <= options.letters and "h" not in options
    assert (options.config_directory, options.overrides, options.classes) == ("/etc/x", ["a=b", "c=d"], ("user",))
    assert options.arguments == ["name", "-h"]
    assert options.mode == "p" and not options.editing


def test_two_dashes_end_the_options() -> None:
    assert parse(["-n", "--", "-x"]).arguments == ["-x"]
    assert parse(["-"]).arguments == ["-"]


def test_classes() -> None:
    assert parse([]).classes == parse(["-C", "all,user"]).classes == CLASSES
    assert parse(["-C", ""]).classes == ()
    with pytest.raises(Fatal, match=r'^unknown -C option value "foo" in "user foo"$'):
        parse(["-C", "user foo"])


def test_a_value_means_editing() -> None:
    assert parse(["a=b"]).editing
    assert parse(["-M", "a/b=c"]).editing
    assert not parse(["a", "b=c"]).editing
    assert parse(["-X", "a"]).editing


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-aA"], "specify one of -a, -A"),
        (["-bt"], "specify one of -b and -t"),
        (["-PM"], "specify one of -M, -P"),
        (["-Md"], "with option -M, do not specify -d"),
        (["-jh"], "with option -j, do not specify -h"),
        (["-aj"], "with option -a, do not specify -j"),
        (["-dn"], "specify one of -d, -n"),
        (["-X", "a=1"], "specify one of -e, -X"),
        (["-o", "a=b", "-X", "c"], "specify one of -o, -X"),
        (["-e"], "-e requires name=value argument"),
        (["-X"], "missing service argument"),
    ],
)
def test_conflicts(arguments: list[str], complaint: str) -> None:
    with pytest.raises(Fatal) as raised:
        parse(arguments)
    assert str(raised.value) == complaint


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["-E"], "invalid option -- 'E'"),
        (["-n:"], "invalid option -- ':'"),
        (["-nc"], "option requires an argument -- 'c'"),
    ],
)
def test_usage(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Fatal, match=r"^usage: postconf \[-a \(server SASL types\)\]"):
        parse(arguments)
    assert capsys.readouterr().err == f"postconf: {line}\n"


def test_tls_mode_excludes_nothing() -> None:
    assert parse(["-T", "run-version", "-dn"]).tls_mode == "run-version"
