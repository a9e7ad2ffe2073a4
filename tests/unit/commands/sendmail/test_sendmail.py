"""What sendmail(1), mailq(1) and newaliases(1) do with their options."""

from __future__ import annotations

import pytest

from tests.unit.commands.running import Done
from tests.unit.commands.sendmail.conftest import Programs


@pytest.mark.parametrize(
    ("name", "argv", "called"),
    [
        ("mailq", [], "postqueue -p"), ("sendmail", ["-bp"], "postqueue -p"), ("sendmail", ["-q"], "postqueue -f"),
        ("sendmail", ["-qIABC"], "postqueue -i ABC"),
        ("sendmail", ["-qRx.example"], "postqueue -s x.example"), ("sendmail", ["-I"], "postalias -- hash:/a hash:/b"),
        ("newaliases", [], "postalias -- hash:/a hash:/b"), ("sendmail", ["-bi"], "postalias -- hash:/a hash:/b"),
        ("newaliases", ["-oAhash:/c"], "postalias -- hash:/c"),
    ],
)  # fmt: skip
def test_other_programs(programs: Programs, name: str, argv: list[str], called: str) -> None:
    for program in ("postqueue", "postalias", "postfix"):
        programs.program(program)
    programs.mail.write_main(command_directory=programs.folder, alias_database="hash:/a, hash:/b")
    assert programs.run(*argv, name=name).status == 7
    assert programs.called() == called


@pytest.mark.parametrize("argv", [["-bd"], ["-bd", "-q15m"], ["-bl"]])
def test_daemon_mode(programs: Programs, argv: list[str]) -> None:
    """What becomes of it, postfix(1) says."""
    programs.program("postfix")
    assert programs.run(*argv) == Done(0, b"", [])
    assert programs.called() == f"postfix -c {programs.mail.folder} start"


@pytest.mark.parametrize(("argv", "called"), [(["-bs"], "smtpd -S"), (["-bs", "-v", "-v", "-v"], "smtpd -S -v -v")])
def test_stand_alone(programs: Programs, argv: list[str], called: str) -> None:
    programs.program("smtpd")
    assert programs.run(*argv).status == 7
    assert programs.called() == called


def test_no_aliases(programs: Programs) -> None:
    programs.mail.write_main(command_directory=programs.folder, alias_database="")
    assert programs.run(name="newaliases") == Done(0, b"", [])


@pytest.mark.parametrize("argv", [["-q15m"], ["-bh"], ["-bH"]])
def test_modes_without_sense_here(programs: Programs, argv: list[str]) -> None:
    assert programs.run(*argv) == Done(0, b"", [])
    assert not programs.got.exists()


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["-bp", "x"], "display queue mode requires no recipient"),
        (["-bd", "x"], "daemon mode requires no recipient"),
        (["-bs", "x"], "stand-alone mode requires no recipient"),
        (["-bz"], "unsupported: -bz"), (["-n", "x"], "-n option not supported"),
        (["-Bweird", "x"], "-B option needs 8BITMIME or 7BIT"), (["-qf"], "-qf is not implemented"), (["-qI"], "specify: -qIqueueid"),
        (["-bs", "-t"], "-t can be used only in delivery mode"), (["-XVab", "x"], "-V requires two characters from -=+"),
        (["-bv", "-v", "x"], "-v option cannot be used with -bv"), (["-bi", "x"], "alias initialization mode requires no recipient"),
        (["-qX"], "-qX is not implemented"), (["-bv", "-t"], "-t option cannot be used with -bv"),
        (["-bv", "-Nnever", "x"], "-N option cannot be used with -bv"), (["-bv", "-Rfull", "x"], "-R option cannot be used with -bv"),
    ],
)  # fmt: skip
def test_complaints(programs: Programs, argv: list[str], text: str) -> None:
    done = programs.run(*argv)
    assert (done.status, done.err) == (75, [f"sendmail: fatal: {text}"])


def test_usage(programs: Programs) -> None:
    assert programs.run("-z") == Done(
        75, b"", ["sendmail: invalid option -- 'z'", "sendmail: invalid option -- 'z'", "sendmail: fatal: usage: sendmail [options]"]
    )


@pytest.mark.parametrize(
    ("argv", "lines"),
    [
        (["-Rweird"], ["bad -R option value -- ignored"]),
        (["-Nweird"], ['unknown DSN NOTIFY command value "weird" in "weird"', "bad -N option value: 'weird' -- ignored"]),
        (["-Nnever,success"], ["bad -N option value: 'never,success' -- ignored"]),
        (["-V" + "x" * 101], ["too long -V option value -- ignored"]),
        (["-V+="], ["option -V+= is deprecated with Postfix 2.3; specify -XV+= instead"]),
    ],
)
def test_warnings(programs: Programs, argv: list[str], lines: list[str]) -> None:
    done = programs.run(*argv, "r@x")
    assert (done.status, done.err) == (0, [f"sendmail: warning: {line}" for line in lines])
    assert ("R", b"r@x") in programs.records()


@pytest.mark.parametrize("word", ["-C", "-C{folder}/main.cf", "-C{folder}"])
def test_configuration(programs: Programs, word: str) -> None:
    folder = str(programs.mail.folder)
    argv = [word.format(folder=folder)] if len(word) > 2 else ["-C", folder]
    programs.program("postqueue")
    assert programs.run(*argv, "-bp", MAIL_CONFIG="/nowhere").status == 7


def test_no_configuration(programs: Programs) -> None:
    done = programs.run("-C", "/nowhere", "r@x")
    assert (done.status, done.err) == (75, ["sendmail: fatal: open /nowhere/main.cf: No such file or directory"])


def test_a_program_that_is_missing(programs: Programs) -> None:
    done = programs.run("-bp")
    assert (done.status, done.err) == (
        75, [f"sendmail: fatal: execv {programs.folder}/postqueue: No such file or directory"],
    )  # fmt: skip
