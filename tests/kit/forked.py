"""Running pyfix's commands as children of a small process that has them loaded: quicker than an interpreter for each.

A child of the test process itself would cost more than the command: the kernel copies the page tables of all that pytest
holds, and the child touches much of it.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from pkgutil import walk_packages
from typing import Final

_LOADED: Final = ("pyfix.commands", "pyfix.config", "pyfix.formats", "pyfix.runtime", "pyfix.tables")
"""Packages of which every module that can be imported here waits to be used."""


def _modules() -> Iterator[str]:
    for name in _LOADED:
        package = import_module(name)
        yield from (found.name for found in walk_packages(package.__path__, f"{name}."))


_context = get_context("forkserver")
_context.set_forkserver_preload([__name__, *_modules()])


def run_forked(
    command: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], given: bytes, seconds: int = 0
) -> tuple[int, bytes, bytes]:
    """Run a command of ours in *folder*; return its exit status, what it printed, and what it printed as errors.

    *seconds*: of processor time, after which it is ended; 0: no limit.
    """
    with tempfile.TemporaryDirectory() as place:
        streams = Path(place)
        (streams / "0").write_bytes(given)
        child = _context.Process(target=_run, args=(command, list(arguments), str(folder), dict(environment), place, seconds))
        child.start()
        child.join()
        status = child.exitcode
        child.close()
        assert status is not None
        return status, (streams / "1").read_bytes(), (streams / "2").read_bytes()


def _run(command: str, arguments: list[str], folder: str, environment: dict[str, str], streams: str, seconds: int) -> None:
    if seconds:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    for number, flags in enumerate((os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)):
        file = os.open(f"{streams}/{number}", flags, 0o600)
        os.dup2(file, number)
        os.close(file)
    status = 70
    try:
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        sys.argv = [command, *arguments]
        status = import_module(f"pyfix.commands.{command}").main(arguments)
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def run_in_turn(command: str, cases: Sequence[Sequence[str]], folder: Path, environment: Mapping[str, str]) -> None:
    """Run a command of ours in *folder* once for each case, in one child.

    The file ``given`` is its input; it leaves the files ``statuses``, ``out.NUMBER`` and ``err.NUMBER``.
    """
    child = _context.Process(target=_run_all, args=(command, [list(case) for case in cases], str(folder), dict(environment)))
    child.start()
    child.join()
    child.close()


def _run_all(command: str, cases: list[list[str]], folder: str, environment: dict[str, str]) -> None:
    statuses = []
    try:
        main = import_module(f"pyfix.commands.{command}").main
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        for number, case in enumerate(cases, 1):
            status = 70
            for place, name in enumerate(("given", f"out.{number}", f"err.{number}")):
                fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC if place else os.O_RDONLY)
                os.dup2(fd, place)
                os.close(fd)
            sys.stdin, sys.stdout, sys.stderr = (os.fdopen(place, mode, closefd=False) for place, mode in enumerate("rww"))
            sys.argv = [command, *case]
            try:
                status = main(case)
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            statuses.append(status)
        Path("statuses").write_text(" ".join(map(str, statuses)))
    finally:
        os._exit(0)
