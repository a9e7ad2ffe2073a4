"""Syncing several files at once.

The kernel's own workers sync the files of a batch side by side (Linux's asynchronous I/O, io_submit(2)), so that they
share the commits of the file system's journal: a batch takes half the time that fsync(2) for one file after the other
needs, and none of this process's.  Where that is not to be had, the write-out of all files is started before any is
waited for.  Each file is synced by itself, because only that makes it durable.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Sequence
from typing import Final

_START_WRITING: Final = 2
"""SYNC_FILE_RANGE_WRITE."""
_SYSTEM_CALLS: Final = {"x86_64": (206, 208, 209), "aarch64": (0, 4, 2)}
"""Numbers of io_setup, io_getevents and io_submit, for which the C library has no functions."""
_FSYNC: Final = 2
"""IOCB_CMD_FSYNC."""
_REQUEST: Final = struct.Struct("=QIiHhIQQqQII")
"""struct iocb of linux/aio_abi.h: data, key, flags, operation, priority, descriptor, and what fsync does not need."""
_EVENT: Final = struct.Struct("=QQqq")
"""struct io_event: data, request, result, second result."""
_MOST: Final = 128
"""Files that are synced at once."""

_libc: Final = ctypes.CDLL(None, use_errno=True)
_syscall: Final = _libc.syscall
_syscall.restype = ctypes.c_long
_sync_file_range: Final = getattr(_libc, "sync_file_range", None)
if _sync_file_range is not None:
    _sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]


def sync_files(fds: Sequence[int]) -> list[OSError | None]:
    """Return when all data and metadata of *fds* are on the disk: for each the error that it met, or None."""
    if len(fds) == 1:
        return [_sync(fds[0])]
    queue = _queue()
    if queue is None:
        return _one_by_one(fds)
    results: list[OSError | None] = []
    for start in range(0, len(fds), _MOST):
        some = fds[start : start + _MOST]
        results += _one_by_one(some) if queue.broken else queue.sync(some)
    return results


def _sync(fd: int) -> OSError | None:
    try:
        os.fsync(fd)
    except OSError as error:
        return error
    return None


def _one_by_one(fds: Sequence[int]) -> list[OSError | None]:
    if _sync_file_range is not None:
        for fd in fds:
            _sync_file_range(fd, 0, 0, _START_WRITING)
    return [_sync(fd) for fd in fds]


class _Queue:
    """One process's context of asynchronous I/O.  Its buffers are used for one batch after the other."""

    def __init__(self, calls: tuple[int, int, int]) -> None:
        """Raises OSError."""
        setup, self._getevents, self._submit = calls
        context = ctypes.c_ulong(0)
        if _syscall(ctypes.c_long(setup), ctypes.c_long(_MOST), ctypes.byref(context)) != 0:
            raise OSError(ctypes.get_errno(), "io_setup")
        self._context = context
        self._requests = ctypes.create_string_buffer(_REQUEST.size * _MOST)
        first = ctypes.addressof(self._requests)
        self._pointers = (ctypes.c_void_p * _MOST)(*(first + index * _REQUEST.size for index in range(_MOST)))
        self._events = ctypes.create_string_buffer(_EVENT.size * _MOST)
        self._next = 0
        """What the first request of the next batch is known by."""
        self.broken = False
        """Results may still come that nobody waits for."""

    def sync(self, fds: Sequence[int]) -> list[OSError | None]:
        """Sync at most _MOST files."""
        count, first = len(fds), self._next
        self._next += count
        for index, fd in enumerate(fds):
            at = index * _REQUEST.size
            _REQUEST.pack_into(self._requests, at, first + index, 0, 0, _FSYNC, 0, fd, 0, 0, 0, 0, 0, 0)
        taken = max(_syscall(ctypes.c_long(self._submit), self._context, ctypes.c_long(count), self._pointers), 0)
        results: list[OSError | None] = [None] * count
        for index in self._wait(first, taken, results):
            results[index] = OSError(errno.EIO, os.strerror(errno.EIO))
        # What the kernel did not take, for a file system that can't or for want of memory, is synced in the plain way.
        for index in range(taken, count):
            results[index] = _sync(fds[index])
        return results

    def _wait(self, first: int, count: int, results: list[OSError | None]) -> set[int]:
        """Take the results of *count* requests; return the requests of which nothing was heard."""
        missing = set(range(count))
        while missing:
            left = ctypes.c_long(len(missing))
            found = _syscall(ctypes.c_long(self._getevents), self._context, left, left, self._events, None)
            if found < 0:
                if ctypes.get_errno() == errno.EINTR:
                    continue
                self.broken = True
                break
            for event in range(found):
                data, _, result, _ = _EVENT.unpack_from(self._events, event * _EVENT.size)
                index = data - first
                missing.discard(index)
                if result < 0:
                    results[index] = OSError(-result, os.strerror(-result))
        return missing


_known: tuple[int, _Queue | None] = (0, None)
"""The process that the next belongs to, and its context if it could have one."""


def _queue() -> _Queue | None:
    global _known
    pid = os.getpid()
    if _known[0] != pid:
        calls = _SYSTEM_CALLS.get(os.uname().machine)
        queue = None
        if calls is not None and struct.calcsize("P") == 8:
            try:
                queue = _Queue(calls)
            except OSError:
                queue = None
        _known = (pid, queue)
    return _known[1]
