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


def rotate(system: System, _words: Sequence[str]) -> int:
    """Rename maillog_file, let the daemons reopen it, and compress the old one; return 0.  Raises Failure.

    Source: postconf(5) maillog_file_rotate_suffix, maillog_file_compressor.
    """
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
        raise system.failure(f"{path}: {error.strerror} - logfile rotation failed") from None
    pid = system.running()
    if pid is not None:
        os.kill(pid, signal.SIGHUP)
        time.sleep(_WAIT)
    compressor = system.snapshot.value("maillog_file_compressor")
    return os.spawnvpe(os.P_WAIT, compressor, [compressor, old], system.environment)
