"""postmulti(1): several mail systems on one host, listed, started and stopped together, added and removed."""

from __future__ import annotations

import os
import sys

from pyfix.config.errors import ConfigError
from pyfix.runtime.console import BadOption, CommandError, parse_options
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE = (
    "Usage:postmulti -l [-v] [-a] [-g group] [-i instance] | "
    "postmulti -p [-v] [-a] [-g group] [-i instance] command... | "
    "postmulti -x [-v] [-a] [-i name] [-g group] command... | "
    "postmulti -e action [-v] [-a] [-i name] [-g group] [-I name] [-G group] [param=value ...]"
)
_MODES, _SELECTIONS = "elpx", "agi"
_NAMING = ("create", "import", "assign")
"""The actions that may give an instance a name and a group."""
_ACTIONS = ("create", "destroy", "import", "deport", "enable", "disable", "assign", "init")
_PREFIX = "postfix-"
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890-_=+:.%")
"""Characters that a name or a group may have; a slash is told of apart."""


class Request:
    """What the command line asks for, checked; absent options are None."""

    def __init__(self, argv: Sequence[str]) -> None:
        """Raises CommandError with the reference's text for what makes no sense."""
        options = self._options(argv)
        self.mode = ""
        self.action = ""
        self.selection: tuple[str, str] | None = None
        """``("a", "")``, ``("g", group)`` or ``("i", name)``."""
        self.name: str | None = None
        self.group: str | None = None
        self.reverse = self.json = False
        self.verbosity = 0
        for letter, value in options:
            self._take(letter, value)
        if self.verbosity:
            os.environ["MAIL_VERBOSE"] = str(self.verbosity)
            log.verbosity = self.verbosity
        if self.action and self.action not in _ACTIONS:
            known = ", ".join(f"'{action}'" for action in _ACTIONS[:-1])
            raise CommandError(f"Invalid '-e' edit action '{self.action}'. Specify {known} or 'init'")
        self._check()

    def _options(self, argv: Sequence[str]) -> list[tuple[str, str]]:
        try:
            options, self.words = parse_options(argv, "ae:g:i:jG:I:lpRvx")
        except BadOption as error:
            print(f"postmulti: {error}", file=sys.stderr)
            raise CommandError(_USAGE) from None
        return options

    def _take(self, letter: str, value: str) -> None:
        match letter:
            case "e" | "l" | "p" | "x":
                if self.mode and (self.mode != letter or letter == "e"):
                    raise CommandError("Specify exactly one of '-e', '-l', '-p', '-x'")
                self.mode, self.action = letter, value
            case "a" | "g" | "i":
                if self.selection is not None and (letter, value) != self.selection:
                    raise CommandError("Specity no more than one of '-a', '-g', '-i'")
                self.selection = (letter, value)
            case "I":
                if self.name is not None:
                    raise CommandError("Specify at most one '-I' option")
                self.name = _checked_name(value)
            case "G":
                if self.group is not None:
                    raise CommandError("Specify at most one '-G' option")
                if not _SAFE.issuperset(value):
                    raise CommandError(f"Unsafe characters in '-G {value}'")
                self.group = value
            case "R":
                self.reverse = True
            case "j":
                self.json = True
            case "v":
                self.verbosity += 1

    def _check(self) -> None:
        if not self.mode:
            raise CommandError("Specify exactly one of '-e', '-l', '-p', '-x'")
        if self.mode in "ep" and self.reverse:
            raise CommandError("The '-p' and '-e' options preclude the use of '-R'")
        if self.json and self.mode != "l":
            raise CommandError("JSON output available only with '-l'")
        if self.name is not None or self.group is not None:
            if self.mode != "e":
                raise CommandError("Cannot assign instance name or group without '-e assign'")
            if self.action not in _NAMING:
                raise CommandError(f"Cannot assign instance name or group with '-e {self.action}'")
        if self.mode == "l" and self.words:
            raise CommandError("Command not allowed with '-l'")
        if self.mode in "px" and not self.words:
            raise CommandError("Command required with '-p' or '-x' option")
        if self.mode == "e":
            self._check_action()

    def _check_action(self) -> None:
        if self.words and self.action not in ("create", "import"):
            raise CommandError(f"Parameter overrides not valid with '-e {self.action}'")
        if self.action == "assign" and self.name is None and self.group is None:
            raise CommandError("Specify new instance name or group with '-e assign'")
        selects = self.selection is not None and self.selection[0] == "i"
        if self.action not in ("create", "import", "init") and not selects:
            raise CommandError("Select an instance via '-i name'")


def _checked_name(name: str) -> str:
    """Return a new instance name, empty for none.  Raises CommandError."""
    if name in ("", "-"):
        return ""
    if "/" in name:
        raise CommandError(f"Illegal '/' character in new instance name: '{name}'")
    if not _SAFE.issuperset(name):
        raise CommandError(f"Unsafe characters in new instance name: '{name}'")
    if not name.startswith(_PREFIX):
        raise CommandError(f"New instance name must start with '{_PREFIX}'")
    return name


def main(argv: Sequence[str]) -> int:
    """Run postmulti with the arguments after its name; return the exit status: 0, or 1 for failure.

    Source: postmulti(1), postfix-wrapper(5).
    """
    log.tag = "postmulti"
    log.to_stderr()
    try:
        status = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except CommandError as error:
        sys.stdout.flush()
        log.fatal(str(error))
        return error.status
    except ConfigError as error:
        for warning in error.warnings:
            log.warning(warning)
        log.fatal(str(error))
        return 1
    return status


def _run(argv: Sequence[str]) -> int:
    from pyfix.commands.postmulti.instances import Instances, check_primary, read_primary

    snapshot = read_primary()  # first, because it says where that is logged which is wrong with the options
    check_primary(snapshot)
    request = Request(argv)
    instances = Instances.read(snapshot)
    if request.mode == "e":
        from pyfix.commands.postmulti.lifecycle import change

        return change(request, instances)
    from pyfix.commands.postmulti.iteration import act

    return act(request, instances)
