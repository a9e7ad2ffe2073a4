"""Saying that an old compatibility_level keeps old defaults in use.

Source: COMPATIBILITY_README; postconf(5) compatibility_level.
"""

from __future__ import annotations

from pyfix.formats.macros import compare_levels
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from pyfix.config.snapshot import Snapshot

__all__ = ["LATEST_LEVEL", "tell_old_defaults"]

LATEST_LEVEL = "3.11"
"""The level at which no old default is left."""


def tell_old_defaults(snapshot: Snapshot) -> None:
    """Log how to do without the old defaults, if compatibility_level is below the latest one."""
    if compare_levels(snapshot.value("compatibility_level"), LATEST_LEVEL) < 0:
        log.info("Postfix is using backwards-compatible default settings")
        log.info("See https://www.postfix.org/COMPATIBILITY_README.html for details")
        log.info(
            f'To disable backwards compatibility use "postconf compatibility_level={LATEST_LEVEL}" and "postfix reload"'
        )
