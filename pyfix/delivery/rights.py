"""The recipient's rights, for the thread that delivers.

The C library keeps the ids of all threads of a process the same: it stops each thread with a signal whenever one of
them changes its ids, which takes forty times as long as the change, and local(8) has threads that ask the name
service.  The kernel knows the ids of threads only.  So the calls go to the kernel directly, and threads that look users
up keep the rights that they have.  Source: nptl(7), setresuid(2).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from pyfix.runtime.identity import Owner, is_rootless


class _Numbers(NamedTuple):
    """Numbers of system calls."""

    setgroups: int
    setresuid: int
    setresgid: int


_COMMON: Final = _Numbers(159, 147, 149)
_NUMBERS: Final = {
    "x86_64": _Numbers(116, 117, 119), "aarch64": _COMMON, "riscv64": _COMMON, "loongarch64": _COMMON,
}  # fmt: skip
_KEEP: Final = -1


class _Kernel:
    """Changes the effective ids of the calling thread.  Each method raises OSError."""

    def __init__(self, numbers: _Numbers) -> None:
        self._numbers = numbers
        syscall = ctypes.CDLL(None, use_errno=True).syscall
        syscall.restype = ctypes.c_long
        self._syscall: Callable[..., int] = syscall

    def _call(self, number: int, *arguments: object) -> None:
        if self._syscall(ctypes.c_long(number), *arguments) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def set_user(self, uid: int) -> None:
        """Set the effective user id."""
        self._call(self._numbers.setresuid, ctypes.c_long(_KEEP), ctypes.c_long(uid), ctypes.c_long(_KEEP))

    def set_group(self, gid: int) -> None:
        """Set the effective group id."""
        self._call(self._numbers.setresgid, ctypes.c_long(_KEEP), ctypes.c_long(gid), ctypes.c_long(_KEEP))

    def set_groups(self, groups: list[int]) -> None:
        """Set the supplementary groups."""
        array = (ctypes.c_uint32 * len(groups))(*groups)
        self._call(self._numbers.setgroups, ctypes.c_long(len(groups)), array)


def _kernel() -> _Kernel | None:
    machine = os.uname().machine
    # A 32-bit program of a 64-bit machine has other numbers.
    if machine not in _NUMBERS or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    return _Kernel(_NUMBERS[machine])


_system: Final = _kernel()


@contextmanager
def rights(owner: Owner) -> Iterator[None]:
    """Act as *owner* inside the block; nothing may wait for the event loop there.

    Without root there is nothing to change: the process goes on as its caller.  Raises OSError.
    """
    if _system is None or is_rootless():
        with owner.rights():
            yield
        return
    uid, gid, groups = os.geteuid(), os.getegid(), os.getgroups()
    system = _system
    if uid != 0:
        system.set_user(0)
    try:
        system.set_groups([owner.gid])
        system.set_group(owner.gid)
        system.set_user(owner.uid)
        yield
    finally:
        system.set_user(0)
        system.set_group(gid)
        system.set_groups(groups)
        if uid != 0:
            system.set_user(uid)
