"""The command line of master.  Source: master(8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

USAGE = (
    "usage: master [-c config_dir] [-D (debug)] [-d (don't detach from terminal)] [-e exit_time] [-t (test)] [-v] "
    "[-w (wait for initialization)]"
)
_WITH_VALUE = "ce"
_FLAGS = "Ddistvw"


class UsageError(ValueError):
    """The command line makes no sense; the text is that of the fatal line."""


@dataclass(slots=True)
class Options:
    """What was asked for."""

    config_directory: str | None = None
    debugger: bool = False
    """-D: run debugger_command on this process."""
    debug_in_foreground: bool = False
    """-d: stay with the terminal."""
    exit_time: int = 0
    """-e: seconds after which master ends; 0 is never."""
    init: bool = False
    """-i: be the init process of a container."""
    keep_stdout: bool = False
    """-s: leave standard output open, for ``maillog_file = /dev/stdout``."""
    test: bool = False
    """-t: only tell, by the exit status, whether a master runs."""
    verbosity: int = 0
    wait: bool = False
    """-w: go into the background, and return when the service is there."""

    @classmethod
    def parse(cls, argv: Sequence[str], pid: int) -> Options:
        """Read the arguments of process *pid*.  Raises UsageError."""
        options = cls()
        words = list(argv)
        while words and words[0].startswith("-") and len(words[0]) > 1:
            cluster = words.pop(0)[1:]
            while cluster:
                letter, cluster = cluster[0], cluster[1:]
                if letter in _WITH_VALUE:
                    if not cluster and not words:
                        raise UsageError(USAGE)
                    options._set_value(letter, cluster or words.pop(0))
                    cluster = ""
                elif letter in _FLAGS:
                    options._set_flag(letter)
                else:
                    raise UsageError(USAGE)
        if words:
            raise UsageError(USAGE)
        options._check(pid)
        return options

    def _set_value(self, letter: str, value: str) -> None:
        if letter == "c":
            self.config_directory = value
            return
        if not (value.isascii() and value.isdecimal()) or int(value) == 0:
            raise UsageError(USAGE)
        self.exit_time = int(value)

    def _set_flag(self, letter: str) -> None:
        match letter:
            case "D":
                self.debugger = True
            case "d":
                self.debug_in_foreground = True
            case "i":
                self.init = True
            case "s":
                self.keep_stdout = True
            case "t":
                self.test = True
            case "v":
                self.verbosity += 1
            case "w":
                self.wait = True

    def _check(self, pid: int) -> None:
        if self.init and pid != 1:
            raise UsageError("-i is allowed only for PID 1 process")
        if self.test and self.wait:
            raise UsageError("the -t and -w options cannot be used together")
        if self.init and (self.debugger or self.debug_in_foreground or self.wait):
            raise UsageError("the -i option cannot be used with -D, -d, or -w")
