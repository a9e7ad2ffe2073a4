"""One command in a forked child, with files in the place of its standard input, output and error output."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from pyfix.runtime.log import log

Main = Callable[[Sequence[str]], int]


class Done(NamedTuple):
    """What a command left behind."""

    status: int
    out: bytes
    err: list[str]
    """The lines of standard error."""

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.out.decode("utf-8", "surrogateescape").splitlines()


def call(
    main: Main, *argv: str, name: str = "command", input: bytes = b"", environment: Mapping[str, str] | None = None
) -> Done:
    """Run the *main* of a command in a child, under the program name *name*.

    *environment* is added to the test's own.
    """
    files = [tempfile.TemporaryFile() for _ in range(3)]  # noqa: SIM115  # they are closed below
    files[0].write(input)
    files[0].seek(0)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        code = 99
        try:
            gc.freeze()
            _redirect(files)
            log.after_fork()
            sys.argv = [name]
            os.environ.update(environment or {})
            code = main(argv)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except (OSError, ValueError):
                    pass
            if os.getuid() == 0:
                os.seteuid(0)  # what a measurement of coverage writes is the caller's
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    found = []
    for file in files:
        file.seek(0)
        found.append(file.read())
        file.close()
    return Done(status, found[1], found[2].decode("utf-8", "surrogateescape").splitlines())


def _redirect(files: Sequence[BinaryIO]) -> None:
    for number, file in enumerate(files):
        os.dup2(file.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115  # for good
        for number, mode in enumerate("rww")
    )
