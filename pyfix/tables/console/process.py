"""Running a command: configuration, messages, exit status."""

from __future__ import annotations

import os
import sys

from pyfix.tables.console.options import Fatal, program
from pyfix.tables.console.progress import without_line
from pyfix.tables.notice import report_to, warn
from pyfix.tables.table import TableError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from pyfix.config.snapshot import Snapshot
    from pyfix.tables.table import Values


_log_ready: list[Snapshot] = []
_log_to: list[Callable[[str, str], None]] = []
_UNPRINTABLE: Final = dict.fromkeys([*range(32), 127, *range(0xDC80, 0xDD00)], "?")
_ascii_only: Final = [False]
"""Whether main.cf has smtputf8_enable = no: then messages have a question mark for each byte of another character."""


def _shown(text: str) -> str:
    if _ascii_only[0] and not text.isascii():
        text = text.encode(errors="surrogateescape").decode("ascii", "surrogateescape")
    return text.translate(_UNPRINTABLE)


def _report(severity: str, text: str) -> None:
    """Show on standard error, and log."""
    shown = text if severity == "info" else f"{severity}: {text}"
    print(f"{without_line()}{program()}: {_shown(shown)}", file=sys.stderr, flush=True)
    if _log_ready:
        from pyfix.runtime.log import log
        from pyfix.runtime.logtarget import configure_log

        configure_log(_log_ready.pop(), program())
        _log_to.append(lambda severity, text: getattr(log, severity)(text))
    for write in _log_to:
        write(severity, text)


def refuse(problem: Fatal) -> int:
    """Show why the command can't run, and return its exit status."""
    _report("fatal", str(problem))
    return 1


def run(body: Callable[[Values], int], directory: str | None) -> int:
    """Read main.cf, run a command, and return its exit status; problems end with a fatal message and 1."""
    before = report_to(_report)
    _log_ready.clear()
    _log_to.clear()
    _ascii_only[0] = False
    from pyfix.config.errors import ConfigError
    from pyfix.config.parameters.mail import MailSettings
    from pyfix.config.snapshot import Snapshot
    from pyfix.config.startup import check_command_startup
    from pyfix.runtime.environment import update_environment

    try:
        snapshot = Snapshot.read(directory, process_name=program())
        _log_ready.append(snapshot)
        _ascii_only[0] = snapshot.value("smtputf8_enable").lower() != "yes"
        for text in snapshot.warnings:
            warn(text)
        settings = MailSettings(snapshot)
        check_command_startup(settings)
        os.environ["MAIL_LOGTAG"] = settings.syslog_name
        update_environment(settings.import_environment)
        status = body(snapshot)
        sys.stdout.flush()
    except (ConfigError, Fatal, TableError) as problem:
        for text in getattr(problem, "warnings", ()):
            warn(text)
        _report("fatal", str(problem))
        return 1
    except BrokenPipeError:
        # Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    finally:
        report_to(before)
    return status


def read_plugins(snapshot: Values) -> None:
    """Read dynamicmaps.cf if it counts, whichever types are asked for.  Raises ConfigError when it is malformed."""
    from pyfix.config.dynamicmaps import plugins, uses_plugins

    if uses_plugins(snapshot):
        plugins(snapshot, warn)
