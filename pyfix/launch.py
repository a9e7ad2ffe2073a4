"""What the two-line launchers in ``bin/`` and ``libexec/`` call.

A launcher starts the interpreter with ``-I -S`` (no environment, no ``site``: half the time to the first line of a
command) and ``-X utf8``, so the folder of the dependencies has to be put on ``sys.path`` here.  An installed launcher
names that folder itself (see ``pyfix.install.launchers``); one in a checkout has it found.
"""

from __future__ import annotations

import os
import sys

import pyfix

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

DAEMON_MODULES = {"trivial-rewrite": "trivial_rewrite", "lmtp": "smtp", "nqmgr": "qmgr", "oqmgr": "qmgr"}
"""Programs of daemon_directory whose module has another name than they."""

COMMAND_MODULES = {"mailq": "sendmail", "newaliases": "sendmail"}
"""Commands that are another command under a second name; they tell by ``sys.argv[0]``."""

_DAEMON_LINE = b'; daemon("'


def command(
    name: str, *, checkout: bool = False, configuration: str = "", defaults: Mapping[str, str] | None = None
) -> NoReturn:
    """Run the command *name* with the arguments of this process and exit with its status.

    *checkout*: the launcher stands in a checkout and does not know where the dependencies are.  *configuration*: the
    folder of main.cf unless MAIL_CONFIG or an option says otherwise.  *defaults*: see ``pyfix.SITE_DEFAULTS``.
    """
    _prepare(checkout, configuration, defaults)
    called = os.path.basename(sys.argv[0])
    if COMMAND_MODULES.get(called) == name:
        name = called  # by a link, as Debian's mailq is one to sendmail
    module = COMMAND_MODULES.get(name, name.replace("-", "_"))
    status = _run(f"pyfix.commands.{module}", name)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, AttributeError):  # the interpreter's own end tells of the first; the second: there is none
        sys.exit(status)
    os._exit(status)  # without giving back, one by one, what the process has in memory


def daemon(
    name: str, *, checkout: bool = False, configuration: str = "", defaults: Mapping[str, str] | None = None
) -> NoReturn:
    """Run the daemon *name* with the arguments of this process and exit with its status; see ``command``."""
    _prepare(checkout, configuration, defaults)
    sys.exit(_run(daemon_module(name), name))


def daemon_module(name: str) -> str:
    """Return the module that holds ``main`` of the program *name* of daemon_directory."""
    return f"pyfix.daemons.{DAEMON_MODULES.get(name, name.replace('-', '_'))}.daemon"


def launched_daemon(path: str) -> str | None:
    """Return the name of the pyfix daemon that the program at *path* launches; None for any other program.

    Raises OSError when the program can't be read.
    """
    with open(path, "rb") as stream:
        start = stream.read(1024)
    if not start.startswith(b"#!") or b"pyfix.launch" not in start:
        return None
    _, found, rest = start.partition(_DAEMON_LINE)
    return rest.partition(b'"')[0].decode() if found else None


def _prepare(checkout: bool, configuration: str, defaults: Mapping[str, str] | None) -> None:
    if checkout:
        _find_dependencies()
    if configuration:
        pyfix.CONFIG_DIRECTORY = configuration
    if defaults:
        pyfix.SITE_DEFAULTS.update(defaults)


def _run(module: str, name: str) -> int:
    sys.argv[0] = name
    main: Callable[[Sequence[str]], int] = __import__(module, fromlist=["main"]).main
    return main(sys.argv[1:])


def _find_dependencies() -> None:
    """Put the dependencies' folder on the path: the checkout's ``.venv``, else this interpreter's environment."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = os.path.dirname(os.path.dirname(sys.executable))
    for environment in (f"{root}/.venv", own, sys.prefix):
        for folder in (f"{environment}/lib/{version}/site-packages", "/usr/lib/python3/dist-packages"):
            if os.path.isdir(f"{folder}/twisted"):
                sys.path.append(folder)
                return
    interpreter = f"{root}/.venv/bin/python3"
    if own != f"{root}/.venv" and os.path.exists(interpreter):
        os.execv(interpreter, [interpreter, "-ISXutf8", *sys.argv])
