"""Forking where a process may be refused for a moment."""

from __future__ import annotations

import os
import time

from pyfix.runtime.log import log

__all__ = ["fork_patiently"]


def fork_patiently(program: str, attempts: int, delay: float) -> int | None:
    """Fork, as often as *attempts* says, *delay* seconds apart; return what fork(2) does, None when it never could.

    Each time that the system refuses, a warning says so and names *program*.
    Source: postconf(5) fork_attempts, fork_delay.
    """
    for attempt in range(attempts):
        if attempt:
            time.sleep(delay)
        try:
            return os.fork()
        except OSError as error:
            log.warning(f"fork {program}: {error.strerror}")
    return None
