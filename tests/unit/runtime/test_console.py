from __future__ import annotations

import os

import pytest

from pyfix.config.errors import ConfigError
from pyfix.runtime.console import (
    EX_TEMPFAIL,
    BadOption,
    CommandError,
    parse_options,
    read_settings,
    run_command,
)
from pyfix.runtime.log import log
from tests.unit.commands.running import Done, call
from tests.unit.daemons.running import System


@pytest.mark.parametrize(
    ("argv", "options", "words"),
    [
        ([], [], []), (["x", "-a"], [], ["x", "-a"]), (["-a", "-bv", "x"], [("a", ""), ("b", "v")], ["x"]),
        (["-ab", "v"], [("a", ""), ("b", "v")], []), (["-a", "--", "-b"], [("a", "")], ["-b"]), (["-a", "-"], [("a", "")], ["-"]),
        (["-b", "-a"], [("b", "-a")], []), (["-b", ""], [("b", "")], []), (["-aa"], [("a", ""), ("a", "")], []),
    ],
)  # fmt: skip
def test_options(argv: list[str], options: list[tuple[str, str]], words: list[str]) -> None:
    assert parse_options(argv, "ab:") == (options, words)


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["-c"], "invalid option -- 'c'"), (["-a:"], "invalid option -- ':'"), (["-b"], "option requires an argument -- 'b'"),
        (["--long"], "invalid option -- '-'"), (["-é"], "invalid option -- 'é'"),
    ],
)  # fmt: skip
def test_bad_options(argv: list[str], text: str) -> None:
    with pytest.raises(BadOption, match=f"^{text}$"):
        parse_options(argv, "ab:")


def run(act: object, name: str = "command") -> Done:
    return call(lambda _argv: run_command(name, act), name=name)  # type: ignore[arg-type]  # what acts


def test_statuses() -> None:
    def stop(error: BaseException) -> object:
        def act() -> int:
            print("before")
            raise error

        return act

    assert run(lambda: 3) == Done(3, b"", [])
    assert run(stop(CommandError("no", EX_TEMPFAIL))) == Done(75, b"before\n", ["command: fatal: no"])
    assert run(stop(ConfigError("bad"))).err == ["command: fatal: bad"]
    assert run(stop(KeyboardInterrupt())).status == 130
    assert run(stop(ValueError("a bug"))).status == 99, "a bug shows its traceback"


def test_a_reader_that_goes_away() -> None:
    def act() -> int:
        reader, writer = os.pipe()
        os.dup2(writer, 1)
        os.close(reader)
        print("x" * 100000)
        return 0

    done = run(act)
    assert (done.status, done.err) == (1, [])


def test_settings(system: System) -> None:
    def act() -> int:
        snapshot = read_settings("command", str(system.folder))
        log.warning("watch out")
        print(snapshot.value("myhostname"), snapshot.value("process_name"))
        return 0

    assert run(act) == Done(0, b"mail.ours.example command\n", ["command: warning: watch out"])
    assert system.logged("watch out") == ["command: warning: watch out"]


@pytest.mark.parametrize(("main_cf", "text"), [(None, "open {}/main.cf: No such file or directory"), ("nonsense\n", "missing '=' after attribute name")])
def test_settings_that_cannot_be_read(system: System, main_cf: str | None, text: str) -> None:
    path = system.folder / "main.cf"
    if main_cf is None:
        path.unlink()
    else:
        path.write_text(main_cf)

    def act() -> int:
        read_settings("command", str(system.folder))
        return 0

    done = run(act)
    assert done.status == 1 and text.format(system.folder) in done.err[-1]
