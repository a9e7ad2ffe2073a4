"""``postfix logrotate``: begin a new maillog_file."""

from __future__ import annotations

import os
import signal
import time

from pyfix.commands.postfix.system import System

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_WAIT = 1.0
"""Seconds that postlogd(8) has to finish what it writes to the old file."""


def rotate(system: System, words: Sequence[str]) -> int:
    """Rename maillog_file, let the daemons reopen it, and compress the old one; return 0.  Raises Failure.

    Source: postconf(5) maillog_file_rotate_suffix, maillog_file_compressor.
    """
    if words:
        raise system.failure("usage postfix logrotate (no arguments)")
    settings = system.settings
    path = settings.maillog_file
    if not path:
        raise system.failure("empty 'maillog_file' parameter value - logfile rotation failed")
    if path.startswith("/dev/"):
        raise system.failure(f"not rotating '{path}'")
    if not os.path.exists(path):
        return 0
    old = f"{path}.{time.strftime(system.snapshot.value('maillog_file_rotate_suffix'))}"
    try:
        os.rename(path, old)
    except OSError as error:
        reason = f"mv: cannot move '{path}' to '{old}': {error.strerror}"
        raise system.failure(f"logfile '{path}' rotation failed: {reason}") from None
    pid = system.running()
    if pid is not None:
        os.kill(pid, signal.SIGHUP)
        time.sleep(_WAIT)
    said = _compress(system, system.snapshot.value("maillog_file_compressor"), old)
    if said is not None:
        raise system.failure(f"logfile '{path}' rotation failed: {said}")
    return 0


def _compress(system: System, compressor: str, path: str) -> str | None:
    """Run the compressor; return None, or where it fails what it says, line after line separated by ``?``."""
    import subprocess

    try:
        done = subprocess.run(
            [compressor, path], env=system.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    except OSError as error:
        return f"{compressor}: {'not found' if isinstance(error, FileNotFoundError) else error.strerror}"
    if done.returncode == 0:
        return None
    return "?".join(done.stdout.decode("utf-8", "replace").splitlines())
