from __future__ import annotations

import pytest

from pyfix.daemons.master.options import USAGE, Options, UsageError


def test_all_options() -> None:
    options = Options.parse(["-c", "/etc/x", "-Dvv", "-d", "-e", "60", "-s"], 5)
    assert options == Options("/etc/x", True, True, 60, False, True, False, 2, False)


def test_attached_value() -> None:
    assert Options.parse(["-c/etc/x", "-w"], 5).config_directory == "/etc/x"


def test_init_mode_is_for_the_first_process() -> None:
    assert Options.parse(["-i"], 1).init
    with pytest.raises(UsageError, match="-i is allowed only for PID 1 process"):
        Options.parse(["-i"], 2)


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["-x"], USAGE),
        (["word"], USAGE),
        (["-c"], USAGE),
        (["-e", "x"], USAGE),
        (["-e", "0"], USAGE),
        (["-t", "-w"], "the -t and -w options cannot be used together"),
        (["-i", "-w"], "the -i option cannot be used with -D, -d, or -w"),
    ],
)
def test_bad_command_lines(argv: list[str], text: str) -> None:
    with pytest.raises(UsageError) as raised:
        Options.parse(argv, 1)
    assert str(raised.value) == text
