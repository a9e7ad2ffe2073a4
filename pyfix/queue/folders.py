"""The folders of queue_directory, their modes and owners: what ``postfix set-permissions`` makes of them."""

from __future__ import annotations

QUEUE_FOLDERS = {
    "active": 0o700,
    "bounce": 0o700,
    "corrupt": 0o700,
    "defer": 0o700,
    "deferred": 0o700,
    "flush": 0o700,
    "hold": 0o700,
    "incoming": 0o700,
    "maildrop": 0o730,
    "pid": 0o755,
    "private": 0o700,
    "public": 0o710,
    "saved": 0o700,
    "trace": 0o700,
}
"""What lies in queue_directory, and its mode.  Source: postfix-files of Postfix 3.11."""

OPEN_TO_SET_GID = frozenset({"maildrop", "public"})
"""Those that setgid_group may use: ``postdrop`` puts mail there and wakes pickup(8)."""

OF_ROOT = frozenset({"pid"})
"""Those that belong to root."""

OPEN_TO_ALL = {"maildrop": 0o1733, "public": 0o711}
"""The modes without a set-gid ``postdrop``: everyone may put files into maildrop, nobody may list or replace them."""
