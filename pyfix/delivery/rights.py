"""The recipient's rights, for the thread that delivers.

The C library keeps the ids of all threads of a process the same: it stops each thread with a signal whenever one of
them changes its ids, which takes forty times as long as the change, and local(8) has threads that ask the name
service.  The kernel knows the ids of threads only.  So the calls go to the kernel directly, and threads that look users
up keep the rights that they have.  Source: nptl(7), setresuid(2), credentials(7), capabilities(7).

Why this is safe:

- Only the effective ids and the supplementary groups change; the real and saved user stays root.  With the effective
  user the kernel takes the effective capabilities away and gives them back, and the file system ids follow.  The
  recipient's own processes can neither signal nor trace this one: that goes by the real and saved ids.
- Groups first, user last, on the way in; user first, groups next on the way out.  So nothing runs with the recipient's
  user and another's groups, and no call lacks the right that it needs.
- An id that the kernel would take for something else is refused: -1 means "leave it as it is", which is root here, and
  of larger numbers the kernel looks at 32 bits only, which may be those of root.
- If the rights cannot be had, the block does not run.  If they cannot be given back, the process ends at once: it would
  go on with a stranger's rights, or root's.
- Other threads are not concerned: each has ids of its own.  A new thread would inherit those of its maker, so none may
  be made meanwhile (``runtime.threads`` refuses), and nothing waits for the event loop in the block, where other work
  would be done with these rights.  ``Owner.rights``, which acts on all threads through the C library, is not for a
  process that uses this: the C library would bring all threads to the ids of the one that calls it.
- Files made in the block belong to the recipient; what has to be read with other rights is opened before.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from pyfix.runtime import identity
from pyfix.runtime.identity import Owner, is_rootless
from pyfix.runtime.log import log


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
_LARGEST_ID: Final = 2**32 - 2


class _Kernel:
    """Changes the effective ids of the calling thread.  Each method raises OSError."""

    def __init__(self, numbers: _Numbers) -> None:
        self._numbers = numbers
        syscall = ctypes.CDLL(None, use_errno=True).syscall
        syscall.restype = ctypes.c_long
        # Whole registers: the kernel looks at 32 bits of an id, of -1 too.
        syscall.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_long)
        self._syscall: Callable[..., int] = syscall

    def _call(self, number: int, first: int, second: int, third: int) -> None:
        if self._syscall(number, first, second, third) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def set_user(self, uid: int) -> None:
        """Set the effective user id."""
        self._call(self._numbers.setresuid, _KEEP, uid, _KEEP)

    def set_group(self, gid: int) -> None:
        """Set the effective group id."""
        self._call(self._numbers.setresgid, _KEEP, gid, _KEEP)

    def set_groups(self, groups: list[int]) -> None:
        """Set the supplementary groups."""
        array = (ctypes.c_uint32 * len(groups))(*groups)
        self._call(self._numbers.setgroups, len(groups), ctypes.addressof(array), 0)


def _kernel() -> _Kernel | None:
    machine = os.uname().machine
    # A 32-bit program of a 64-bit machine has other numbers.
    if machine not in _NUMBERS or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    return _Kernel(_NUMBERS[machine])


_system: Final = _kernel()


@contextmanager
def rights(owner: Owner) -> Iterator[None]:
    """Act as *owner* inside the block; nothing may wait for the event loop there, and no thread may be made.

    Without root there is nothing to change: the process goes on as its caller.  Raises OSError.
    """
    if is_rootless():
        yield
        return
    if not (0 <= owner.uid <= _LARGEST_ID and 0 <= owner.gid <= _LARGEST_ID):
        raise OSError(errno.EINVAL, f"no such user or group: {owner}")
    if _system is None:
        with owner.rights():
            yield
        return
    system = _system
    before = os.geteuid(), os.getegid(), os.getgroups()
    try:
        with identity.of_another():
            if before[0] != 0:
                system.set_user(0)
            system.set_groups([owner.gid])
            system.set_group(owner.gid)
            system.set_user(owner.uid)
            yield
    finally:
        _restore(system, *before)


def _restore(system: _Kernel, uid: int, gid: int, groups: list[int]) -> None:
    try:
        system.set_user(0)
        system.set_group(gid)
        system.set_groups(groups)
        if uid != 0:
            system.set_user(uid)
    except OSError as error:
        log.fatal(f"cannot give the recipient's rights back: {error.strerror}")
        log.finish()
        os._exit(1)
