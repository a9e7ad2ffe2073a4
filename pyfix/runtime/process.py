"""Other programs, run with a user's rights: started, fed, listened to, and ended, while the event loop goes on.

The child changes its ids after the fork, for good; this process keeps its own.  Source: pipe(8), local(8), spawn(8).
"""

from __future__ import annotations

import errno
import os
import select
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from pyfix.config.errors import ConfigError
from pyfix.runtime.environment import chosen_environment
from pyfix.runtime.identity import Owner, is_rootless
from pyfix.runtime.log import log
from pyfix.runtime.loop import current
from pyfix.runtime.task import Waiter, gather

__all__ = ["Conversation", "Process", "Program", "exported_environment", "start"]

_PATH: Final = "/usr/bin:/bin"
_SHELL: Final = "/bin/sh"
_MOST_TROUBLE: Final = 4096
_READ_SIZE: Final = 4096
_MANY: Final = 1 << 20
_NOT_HERE: Final = (errno.ENOENT, errno.ENOTDIR)


def exported_environment(words: Sequence[str]) -> dict[str, str]:
    """Return what programs see of our environment.  Source: postconf(5) export_environment.  Raises ConfigError."""
    try:
        return chosen_environment(words, os.environ)
    except ConfigError as error:
        raise ConfigError(str(error).replace("import_environment", "export_environment")) from None


@dataclass(frozen=True, slots=True)
class Program:
    """What is to be run, and as whom."""

    arguments: Sequence[str]
    """The first is the program: a path, or a name that is looked for in /usr/bin and /bin."""
    owner: Owner
    environment: Mapping[str, str] = field(default_factory=dict)
    """All variables but PATH."""
    directory: str = ""
    """The working directory, entered with the owner's rights; empty for ours."""
    root_directory: str = ""
    """Root directory, entered with root's rights before all else; empty for ours."""
    otherwise: Sequence[str] = ()
    """What is run instead if a program without a path cannot be found."""
    caller: str = "pipe_command"
    """What a complaint about a program that cannot be run begins with."""
    failure_status: int = 75
    """The exit status where it cannot be run; that of <sysexits.h> for a temporary failure."""
    says_trouble: str = ""
    """The name under which that complaint is written to standard error too; empty: it is only logged."""


class Process:
    """A program that runs."""

    def __init__(self, pid: int, trouble: int) -> None:
        """*trouble* is where the child says why it could not become the program; it is closed when it did."""
        self.pid = pid
        self.status = -1
        """The wait status, -1 while the program runs."""
        self._trouble = trouble
        self._listeners: list[Callable[[], None]] = []
        self._handle = os.pidfd_open(pid)
        current().watch(self._handle, select.EPOLLIN, self._has_ended)

    def _has_ended(self, _event: int) -> None:
        current().unwatch(self._handle)
        os.close(self._handle)
        _, self.status = os.waitpid(self.pid, 0)
        complaint = os.read(self._trouble, _MOST_TROUBLE)
        os.close(self._trouble)
        if complaint:
            log.fatal(complaint.decode("utf-8", "surrogateescape"))
        for call in self._listeners:
            call()

    def when_ended(self, call: Callable[[], None]) -> None:
        """Call *call* when the program is over: at once if it is."""
        if self.status < 0:
            self._listeners.append(call)
        else:
            call()

    async def ended(self) -> int:
        """Wait for the program's end and return its wait status."""
        if self.status < 0:
            waiter: Waiter[None] = Waiter()
            self.when_ended(lambda: waiter.wake_soon(None))
            await waiter
        return self.status

    def kill(self) -> None:
        """End the program and all that it has started, unless they have left its process group.

        To be called with the owner's rights.
        """
        if self.status < 0:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except OSError as error:
                # It may just have ended, or be about to become the leader of its group.
                if error.errno != errno.ESRCH:
                    log.warning(f"kill process group {self.pid}: {error.strerror}")
                else:
                    _kill_alone(self.pid)


def _kill_alone(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError as error:
        if error.errno != errno.ESRCH:
            log.warning(f"kill process {pid}: {error.strerror}")


def start(program: Program, stdin: int, stdout: int, stderr: int) -> Process:
    """Run *program* in a session of its own with these descriptors, which stay open here.  Raises OSError."""
    trouble, says_trouble = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        pid = os.fork()
    except OSError:
        os.close(trouble)
        os.close(says_trouble)
        raise
    if not pid:
        _become(program, (stdin, stdout, stderr), says_trouble)
    os.close(says_trouble)
    return Process(pid, trouble)


def _become(program: Program, descriptors: tuple[int, int, int], trouble: int) -> NoReturn:
    """Run the program in this process, the child.  Only system calls here: locks may be held by threads that are gone.

    Never returns, and never lets an exception out, which would run the parent's code a second time.
    """
    step = ""
    try:
        rootless = is_rootless()
        if not rootless:
            os.seteuid(0)
        if program.root_directory:
            step = f"chroot({program.root_directory})"
            os.chroot(program.root_directory)
            os.chdir("/")
        if not rootless:
            owner = program.owner
            step = "cannot take the user's rights"
            if owner.uid <= 0 or owner.gid <= 0:
                raise OSError(errno.EPERM, f"privileged uid or gid: {owner}")
            os.setgroups([owner.gid])
            os.setresgid(owner.gid, owner.gid, owner.gid)
            os.setresuid(owner.uid, owner.uid, owner.uid)
        os.setsid()
        # The copies lie above 2 for certain, so that none is overwritten before its turn.
        copies = [_above_the_standard(fd) for fd in descriptors]
        for target, copy in enumerate(copies):
            os.dup2(copy, target)
        os.closerange(3, trouble)
        os.closerange(trouble + 1, _MANY)
        if program.directory:
            ids = f"for uid={os.geteuid()} gid={os.getegid()}"
            step = f'cannot change directory to "{program.directory}" {ids}'
            os.chdir(program.directory)
        step = ""
        _exec(program)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        if not step:
            step = f"{program.caller}: execvp {program.arguments[0]}".removeprefix(": ")
            if program.says_trouble:
                os.write(2, _encoded(f"{program.says_trouble}: fatal: {step}: {reason}\n"))
        os.write(trouble, _encoded(f"{step}: {reason}"))
    finally:
        os._exit(program.failure_status)


def _above_the_standard(fd: int) -> int:
    copies = []
    while fd <= 2:
        fd = os.dup(fd)
        copies.append(fd)
    for copy in copies[:-1]:
        os.close(copy)
    return fd


def _exec(program: Program) -> None:
    environment = {_encoded(name): _encoded(value) for name, value in program.environment.items()}
    environment[b"PATH"] = _encoded(_PATH)
    name = program.arguments[0]
    try:
        _exec_found(program.arguments, environment)
    except OSError as error:
        if not program.otherwise or error.errno != errno.ENOENT or "/" in name:
            raise
    _exec_found(program.otherwise, environment)


def _exec_found(arguments: Sequence[str], environment: Mapping[bytes, bytes]) -> None:
    """Become the program, looked for in PATH, as execvp(3) does; a file without an interpreter is the shell's."""
    name = arguments[0]
    words = [_encoded(word) for word in arguments]
    candidates = [name] if "/" in name else [f"{folder}/{name}" for folder in _PATH.split(":") if name]
    problem = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    for candidate in candidates:
        path = _encoded(candidate)
        try:
            try:
                os.execve(path, words, environment)
            except OSError as error:
                if error.errno != errno.ENOEXEC:
                    raise
                os.execve(_SHELL, [_encoded(_SHELL), path, *words[1:]], environment)
        except OSError as error:
            if error.errno not in (*_NOT_HERE, errno.EACCES) or len(candidates) == 1:
                raise
            if error.errno == errno.EACCES:
                problem = error
    raise problem


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class Conversation:
    """What a program is given to read, and what it says; it may take its time, but not more than *limit* for a step.

    The limit is for each time that the program neither reads nor writes nor ends, as in Postfix.
    """

    def __init__(self, program: Program, limit: float) -> None:
        """Start the program, with pipes to and from it.  Raises OSError."""
        stdin, self._stdin = os.pipe2(os.O_CLOEXEC)
        try:
            self._stdout, stdout = os.pipe2(os.O_CLOEXEC)
            try:
                self.process = start(program, stdin, stdout, stdout)
            except OSError:
                os.close(self._stdout)
                raise
            finally:
                os.close(stdout)
        except OSError:
            os.close(self._stdin)
            raise
        finally:
            os.close(stdin)
        os.set_blocking(self._stdin, False)
        os.set_blocking(self._stdout, False)
        self._limit = limit
        self._waiting: dict[int, Waiter[None]] = {}
        self._ending: Waiter[None] | None = None
        self.output = b""
        self.timed_out = ""
        """What we waited for when the limit was over: ``read``, ``write``, ``end``."""
        self.write_error: OSError | None = None
        """Why not all could be written, when it is not that the program did not read it."""
        self.deadline = 0.0

    async def hold(self, content: Iterator[bytes], most: int) -> None:
        """Write *content* and read up to *most* bytes of what the program says.

        Returns when the program has closed its output or was too slow.  What iterating raises is raised at the end.
        """
        current().expire_at(self, current().now + self._limit)
        await gather(self._write(content), self._read(most))

    async def end(self) -> bool:
        """Wait for the program's end; say whether it came before the time was over."""
        if not self.timed_out:
            self._step()
            self._ending = Waiter()
            self.process.when_ended(self._wake_ending)
            await self._ending
        current().expire_never(self)
        return not self.timed_out

    def _wake_ending(self) -> None:
        if self._ending is not None and not self._ending.done:
            self._ending.wake_soon(None)

    def expired(self) -> None:
        """Called by the loop when the program has done nothing for too long."""
        if self._ending is not None:
            self.timed_out = "end"
        else:
            self.timed_out = "write" if self._stdin in self._waiting else "read"
        for waiter in list(self._waiting.values()):
            waiter.wake_soon(None)
        self._wake_ending()

    def _step(self) -> None:
        self.deadline = current().now + self._limit
        current().expire_at(self, self.deadline)

    async def _ready(self, fd: int, events: int) -> bool:
        """Wait until *fd* is ready; say whether it is, and not the time over."""
        waiter: Waiter[None] = Waiter()
        self._waiting[fd] = waiter
        loop = current()

        def ready(_event: int) -> None:
            if not waiter.done:
                waiter.wake_soon(None)

        loop.watch(fd, events, ready)
        try:
            await waiter
        finally:
            loop.unwatch(fd)
            del self._waiting[fd]
        if self.timed_out:
            return False
        self._step()
        return True

    async def _write(self, content: Iterator[bytes]) -> None:
        fd = self._stdin
        try:
            for block in content:
                rest = memoryview(block)
                while rest:
                    try:
                        rest = rest[os.write(fd, rest) :]
                    except BlockingIOError:
                        if not await self._ready(fd, select.EPOLLOUT):
                            return
        except BrokenPipeError:
            pass  # The program knows enough.
        except OSError as error:
            self.write_error = error
        finally:
            os.close(fd)

    async def _read(self, most: int) -> None:
        fd = self._stdout
        try:
            while len(self.output) < most:
                try:
                    data = os.read(fd, min(_READ_SIZE, most - len(self.output)))
                except BlockingIOError:
                    if not await self._ready(fd, select.EPOLLIN):
                        return
                    continue
                if not data:
                    return
                self.output += data
        finally:
            os.close(fd)
