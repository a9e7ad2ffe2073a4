"""postlock(1): run a command while a mailbox is locked."""

from __future__ import annotations

import os
import sys
import time

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.local import LocalSettings
from pyfix.delivery.locks import LockBusy, lock_file, parse_methods, release_dotlock, take_dotlock
from pyfix.runtime.console import EX_TEMPFAIL, BadOption, CommandError, parse_options, read_settings, run_command
from pyfix.runtime.patientfork import fork_patiently

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_MODE = 0o600


def main(argv: Sequence[str]) -> int:
    """Run postlock with the arguments after its name; return the command's exit status, 75 when there is no lock.

    Source: postlock(1).
    """
    return run_command("postlock", lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    usage = f"usage: {sys.argv[0]} [-c config_dir] [-l lock_style] [-v] folder command..."
    try:
        options, words = parse_options(argv, "c:l:v")
    except BadOption as error:
        print(f"postlock: {error}", file=sys.stderr)
        raise CommandError(usage, EX_TEMPFAIL) from None
    if len(words) < 2:
        raise CommandError(usage, EX_TEMPFAIL)
    values = dict(options)
    settings = LocalSettings(read_settings("postlock", values.get("c"), EX_TEMPFAIL))
    try:
        style = values.get("l")
        name = "mailbox_delivery_lock"
        if style is None:
            methods = parse_methods(name, settings.mailbox_delivery_lock, settings.snapshot.value(name))
        else:
            methods = parse_methods(name, style.replace(",", " ").split(), style)
    except ConfigError:
        text = settings.snapshot.value("mailbox_delivery_lock") if style is None else style
        raise CommandError(f'unknown mailbox_delivery_lock value "{text}" in "{text}"', EX_TEMPFAIL) from None
    return _run_locked(words[0], words[1:], methods, settings)


def _run_locked(path: str, command: Sequence[str], methods: frozenset[str], settings: LocalSettings) -> int:
    dotlock, fd = _lock(path, methods, settings)
    try:
        return _wait_for(command, settings)
    finally:
        os.close(fd)
        if dotlock:
            release_dotlock(path)


def _lock(path: str, methods: frozenset[str], settings: LocalSettings) -> tuple[bool, int]:
    """Return whether there is a lock file, and the open mailbox.  Raises CommandError."""
    for attempt in range(settings.deliver_lock_attempts):
        if attempt:
            time.sleep(settings.deliver_lock_delay)
        dotlock = False
        fd = -1
        try:
            if "dotlock" in methods:
                dotlock = take_dotlock(path, settings.stale_lock_time, may_fail=True)
            fd = os.open(path, _FLAGS, _MODE)
            lock_file(fd, methods)
            return dotlock, fd
        except (LockBusy, OSError) as error:
            if fd >= 0:
                os.close(fd)
            if dotlock:
                release_dotlock(path)
            if isinstance(error, OSError):
                what = f"unable to create lock file {path}.lock" if fd < 0 and not dotlock else "cannot open file"
                raise CommandError(f"open file {path}: {what}: {error.strerror}", EX_TEMPFAIL) from error
            busy = error
    raise CommandError(f"open file {path}: {busy.text}: {busy.error.strerror}", EX_TEMPFAIL)


def _wait_for(command: Sequence[str], settings: LocalSettings) -> int:
    pid = fork_patiently(command[0], settings.fork_attempts, settings.fork_delay)
    if pid is None:
        return EX_TEMPFAIL
    if pid == 0:
        try:
            os.execvp(command[0], list(command))
        except OSError as error:
            print(f"{sys.argv[0]}: fatal: execvp {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status if status >= 0 else 1
