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
        (["-Q"], "invalid option -- 'Q'"),
        (["-n:"], "invalid option -- ':'"),
        (["-nc"], "option requires an argument -- 'c'"),
    ],
)
def test_usage(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Fatal, match=r"^usage: postconf \[-a \(server SASL types\)\]"):
        parse(arguments)
    assert capsys.readouterr().err == f"postconf: {line}\n"


def test_a_letter_that_is_no_option_is_not_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Fatal, match=r"^usage: postconf \[-a"):
        parse(["-E"])
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-deX"], "specify one of -e, -X"),
        (["-den"], "specify one of -d, -e, -n"),
        (["-nx#"], "specify one of -n, -#"),
        (["-ehHx"], "specify one of -e, -x"),
        (["-T", "run-version", "-hj"], "with option -T, do not specify -h -j"),
        (["-T", "run-version", "-dn"], "specify one of -d, -n"),
        (["-aAF"], "specify one of -a, -A, -F"),
        (["-mT", "x"], "specify one of -m, -T"),
        (["-btQ"], "specify one of -b and -t"),
        (["-jfh"], "with option -j, do not specify -f -h"),
    ],
)
def test_all_that_conflict_are_named(arguments: list[str], complaint: str) -> None:
    with pytest.raises(Fatal) as raised:
        parse(arguments)
    assert str(raised.value) == complaint
