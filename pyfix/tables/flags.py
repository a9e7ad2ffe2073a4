"""The bits that say how a lookup table is opened, as Postfix numbers them.

The numbers travel in proxymap(8) requests (``instance_flags``) and the words in
the "table ... has changed" log line, so both are Postfix's own.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final


DUP_WARN: Final = 1 << 0
DUP_IGNORE: Final = 1 << 1
TRY0NULL: Final = 1 << 2
TRY1NULL: Final = 1 << 3
FIXED: Final = 1 << 4
PATTERN: Final = 1 << 5
LOCK: Final = 1 << 6
DUP_REPLACE: Final = 1 << 7
SYNC_UPDATE: Final = 1 << 8
DEBUG: Final = 1 << 9
NO_REGSUB: Final = 1 << 11
NO_PROXY: Final = 1 << 12
NO_UNAUTH: Final = 1 << 13
FOLD_FIX: Final = 1 << 14
FOLD_MUL: Final = 1 << 15
OPEN_LOCK: Final = 1 << 16
BULK_UPDATE: Final = 1 << 17
MULTI_WRITER: Final = 1 << 18
UTF8_REQUEST: Final = 1 << 19
UTF8_ACTIVE: Final = 1 << 20
SRC_RHS_IS_FILE: Final = 1 << 21

PARANOID: Final = NO_REGSUB | NO_PROXY | NO_UNAUTH
"""What local(8), virtual(8) and others ask of tables that name files, commands or users."""

ORDINARY: Final = LOCK | FOLD_FIX | UTF8_REQUEST
"""What nearly every main.cf parameter that names lookup tables is opened with."""

CONTENT: Final = LOCK
"""What tables that look at headers and lines of bodies are opened with: their keys are whatever bytes a message has."""

_WORDS: Final = (
    (DUP_WARN, "dup_warn"),
    (DUP_IGNORE, "dup_ignore"),
    (TRY0NULL, "try0null"),
    (TRY1NULL, "try1null"),
    (FIXED, "fixed"),
    (PATTERN, "pattern"),
    (LOCK, "lock"),
    (DUP_REPLACE, "replace"),
    (SYNC_UPDATE, "sync_update"),
    (DEBUG, "debug"),
    (NO_REGSUB, "no_regsub"),
    (NO_PROXY, "no_proxy"),
    (NO_UNAUTH, "no_unauth"),
    (FOLD_FIX, "fold_fix"),
    (FOLD_MUL, "fold_mul"),
    (OPEN_LOCK, "open_lock"),
    (BULK_UPDATE, "bulk_update"),
    (MULTI_WRITER, "multi_writer"),
    (UTF8_REQUEST, "utf8_request"),
    (UTF8_ACTIVE, "utf8_active"),
    (SRC_RHS_IS_FILE, "src_rhs_is_file"),
)


def describe(flags: int) -> str:
    """Return the words for *flags*, joined with ``|``, as log lines show them: ``lock|fold_fix``."""
    return "|".join(word for bit, word in _WORDS if flags & bit)
