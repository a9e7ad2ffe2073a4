"""A queue on a disk that is full, or that forgets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.commands.postfix.doctor.finding import Finding, Place, Severity
from pyfix.config.errors import ConfigError
from pyfix.config.parameter import parse_integer

__all__ = ["check"]

_IN_MEMORY: Final = ("tmpfs", "ramfs")
_WITHOUT_OWNERS: Final = ("vfat", "msdos", "exfat", "ntfs", "ntfs3", "iso9660", "squashfs")
_BY_NETWORK: Final = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.glusterfs", "ceph")
_LEAST_INODES: Final = 1000
_FULL: Final = 0.95


def check(examination: Examination) -> Iterator[Finding]:
    """Look at the file system of queue_directory."""
    path = examination.queue_directory
    place = examination.place("queue_directory")
    try:
        state = os.statvfs(path)
    except OSError:
        return  # postfix itself would not have come so far
    yield from _check_kind(examination.host.file_system(path), path, place)
    yield from _check_space(examination, state, path, place)


def _check_kind(kind: str, path: str, place: Place) -> Iterator[Finding]:
    if kind in _IN_MEMORY:
        yield Finding(
            Severity.WARNING,
            place,
            f"the queue ({path}) is in memory ({kind})",
            "Mail that was accepted and waits is lost when the machine or the container ends.",
            ("queue_directory = /var/spool/postfix",),
        )
    elif kind in _WITHOUT_OWNERS:
        yield Finding(
            Severity.ERROR,
            place,
            f"the queue ({path}) is on a file system without owners and modes ({kind})",
            "Programs give messages to each other by owner, mode and name; none of this works here.",
            ("queue_directory = /var/spool/postfix",),
        )
    elif kind in _BY_NETWORK:
        yield Finding(
            Severity.NOTE,
            place,
            f"the queue ({path}) is on another host's disk ({kind})",
            "Only one mail system may use it, and mail waits while the other host is away.",
        )
    elif kind in ("overlay", "aufs"):
        yield Finding(
            Severity.WARNING,
            place,
            f"the queue ({path}) belongs to the container's own layer ({kind})",
            "It goes with the container: mail that waits is lost when that is made anew. Mount a volume there.",
        )


def _check_space(examination: Examination, state: os.statvfs_result, path: str, place: Place) -> Iterator[Finding]:
    free = state.f_bavail * state.f_frsize
    try:
        limit = parse_integer("", examination.snapshot.value("message_size_limit"), 2**63 - 1)
        least = parse_integer("", examination.snapshot.value("queue_minfree"), 2**63 - 1)
    except ConfigError:
        return  # bad_values tells
    needed = max(least, limit + limit // 2)
    if free < needed:
        yield Finding(
            Severity.ERROR,
            place,
            f"{free} bytes are free for the queue ({path}), and {needed} are needed",
            "smtpd(8) answers MAIL with 452 4.3.1 Insufficient system storage. It wants room for one and a half "
            "messages of message_size_limit, or queue_minfree.",
        )
    elif state.f_blocks and 1 - state.f_bavail / state.f_blocks > _FULL and free < 20 * needed:
        yield Finding(
            Severity.WARNING,
            place,
            f"the disk of the queue ({path}) is nearly full: {free // 2**20} MB are left",
            "When it is full, no mail is taken any more.",
        )
    if state.f_files and state.f_favail < _LEAST_INODES:
        yield Finding(
            Severity.WARNING,
            place,
            f"the disk of the queue ({path}) has room for {state.f_favail} more files only",
            "Each message is a file or several; without inodes no mail is taken.",
        )
