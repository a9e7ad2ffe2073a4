"""What commands share: options, the fatal line, and where warnings go.

No event loop, and nothing that is slow to import.
"""

from __future__ import annotations

import os
import sys

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Snapshot
from pyfix.config.startup import check_command_startup
from pyfix.runtime.environment import take_environment, update_environment
from pyfix.runtime.log import log
from pyfix.runtime.logtarget import configure_log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EX_USAGE = 64
EX_DATAERR = 65
EX_NOUSER = 67
EX_UNAVAILABLE = 69
EX_SOFTWARE = 70
EX_OSERR = 71
EX_IOERR = 74
EX_TEMPFAIL = 75


class CommandError(Exception):
    """The command cannot go on: the text is that of its fatal line, *status* its exit status."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


class BadOption(Exception):
    """An option that is not one, or lacks its value; the text says which."""


def parse_options(
    argv: Sequence[str],
    known: str,
    *,
    mend: Callable[[list[str]], None] | None = None,
    complaints: list[str] | None = None,
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return options with their values, and the words after them, as getopt(3) reads them.

    *known* has the option letters, each with a colon after it if it takes a value.  *mend* may change the words that
    are left before each is read.  Raises BadOption, or adds its text to *complaints* and goes on.
    """
    found: list[tuple[str, str]] = []
    words = list(argv)

    def complain(text: str) -> None:
        if complaints is None:
            raise BadOption(text)
        complaints.append(text)

    while words and words[0].startswith("-") and words[0] != "-":
        if mend is not None:
            mend(words)
        cluster = words.pop(0)[1:]
        if cluster == "-":
            break
        while cluster:
            letter, cluster = cluster[0], cluster[1:]
            at = known.find(letter)
            if at < 0 or letter == ":":
                complain(f"invalid option -- '{letter}'")
                continue
            if known[at + 1 : at + 2] == ":":
                if not cluster:
                    if not words:
                        complain(f"option requires an argument -- '{letter}'")
                        break
                    cluster = words.pop(0)
                found.append((letter, cluster))
                cluster = ""
            else:
                found.append((letter, ""))
    return found, words


def read_settings(program: str, config_directory: str | None, status: int = 1, *, clean: bool = False) -> Snapshot:
    """Read and check main.cf, take over the environment, and let the log go where main.cf says.

    It is copied to standard error.  *clean*: of the environment only what import_environment names is kept, as the
    caller's rights are not ours.  Raises CommandError with the exit status *status*.
    """
    log.tag = f"postfix/{program}"
    log.to_stderr()
    try:
        snapshot = Snapshot.read(config_directory, process_name=program)
        configure_log(snapshot, program, to_stderr=True)
        for warning in snapshot.warnings:
            log.warning(warning)
        settings = MailSettings(snapshot)
        check_command_startup(settings)
        os.environ["MAIL_LOGTAG"] = settings.syslog_name
        (take_environment if clean else update_environment)(settings.import_environment)
    except ConfigError as error:
        for warning in error.warnings:
            log.warning(warning)
        if error.error:
            log.error(error.error)
        raise CommandError(str(error), status) from error
    return snapshot


def enter_queue(snapshot: Snapshot, status: int = 1) -> None:
    """Make queue_directory the working directory.  Raises CommandError with the exit status *status*."""
    folder = snapshot.value("queue_directory")
    try:
        os.chdir(folder)
    except OSError as error:
        raise CommandError(f"chdir {folder}: {error.strerror}", status) from error


def run_command(program: str, act: Callable[[], int], *, called: str = "") -> int:
    """Run a command's work; turn what stops it into a fatal line and an exit status.

    *called* is the name by which it was called, if standard error is to show that.
    """
    log.tag = f"postfix/{program}"
    log.called = called
    log.to_stderr()
    try:
        status = act()
        sys.stdout.flush()
    except CommandError as error:
        sys.stdout.flush()
        log.fatal(str(error))
        return error.status
    except ConfigError as error:
        for warning in error.warnings:
            log.warning(warning)
        log.fatal(str(error))
        return 1
    except BrokenPipeError:
        # Nobody reads on: what a C program learns by SIGPIPE.
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        log.called = ""
    return status
