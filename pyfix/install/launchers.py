"""The two-line programs that start a command or a daemon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

COMMANDS = (
    "mailq",
    "newaliases",
    "postalias",
    "postcat",
    "postconf",
    "postdrop",
    "postfix",
    "postkick",
    "postlock",
    "postlog",
    "postmap",
    "postmulti",
    "postqueue",
    "postsuper",
    "qmqp-sink",
    "qmqp-source",
    "qshape",
    "sendmail",
    "smtp-sink",
    "smtp-source",
)
"""The programs of command_directory (``mailq`` and ``newaliases`` among them), by the name that users type."""

DAEMONS = (
    "anvil",
    "bounce",
    "cleanup",
    "discard",
    "error",
    "flush",
    "lmtp",
    "local",
    "master",
    "nbdb_reindexd",
    "oqmgr",
    "pickup",
    "pipe",
    "postlogd",
    "proxymap",
    "qmgr",
    "qmqpd",
    "scache",
    "showq",
    "smtp",
    "smtpd",
    "spawn",
    "tlsmgr",
    "trivial-rewrite",
    "verify",
    "virtual",
)
"""The programs of daemon_directory, by the name that master.cf has."""

SET_GID_COMMANDS = ("postdrop", "postlog", "postqueue")
"""Commands that ordinary users run with the rights of setgid_group."""

_IN_CHECKOUT = (
    "#!/usr/bin/env -S python3 -ISXutf8\n"
    "import os.path as p, sys; sys.path.append(p.dirname(p.dirname(p.realpath(__file__)))); "
    'from pyfix.launch import {kind}; {kind}("{name}", checkout=True)\n'
)

_INSTALLED = (
    "#!{python} -ISXutf8\nimport sys; sys.path += {folders}; "
    'from pyfix.launch import {kind}; {kind}("{name}"{options})\n'
)


@dataclass(frozen=True, slots=True)
class LaunchTarget:
    """What the launchers of one installation run."""

    python: Path
    folders: tuple[Path, ...]
    """Where pyfix and its dependencies are, to be searched after the standard library."""
    configuration: Path | None = None
    """The folder of main.cf unless MAIL_CONFIG or an option says otherwise; None: /etc/postfix."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Defaults of parameters that are not Postfix's own, see ``pyfix.SITE_DEFAULTS``."""


def checkout_launcher(kind: str, name: str) -> str:
    """Return the launcher of a checkout; *kind* is ``command`` or ``daemon``."""
    return _IN_CHECKOUT.format(kind=kind, name=name)


def installed_launcher(kind: str, name: str, target: LaunchTarget) -> str:
    """Return a launcher of *target*; *kind* is ``command`` or ``daemon``.

    Raises ValueError when the kernel could not run it: a blank in the interpreter's path, or a path that is too long.
    """
    options = f", configuration={str(target.configuration)!r}" if target.configuration else ""
    if target.defaults:
        options += f", defaults={dict(target.defaults)!r}"
    text = _INSTALLED.format(
        kind=kind,
        name=name,
        python=target.python,
        folders=[str(folder) for folder in target.folders],
        options=options,
    )
    first = text.partition("\n")[0]
    if " " in str(target.python) or len(first) > 127:
        raise ValueError(f"no launcher can name this interpreter (blank in its path, or too long): {target.python}")
    return text


def write_launcher(kind: str, program: Path, name: str, target: LaunchTarget) -> None:
    """Write the installed launcher of *name* as *program*, replaced in one step, mode 755."""
    new = program.with_name(f".{program.name}.new")
    new.write_text(installed_launcher(kind, name, target))
    new.chmod(0o755)
    new.replace(program)


def write_launchers(kind: str, folder: Path, names: Iterable[str], target: LaunchTarget) -> None:
    """Write installed launchers of *names* into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        write_launcher(kind, folder / name, name, target)


def write_checkout(root: Path) -> None:
    """Write the launchers that stand in the repository."""
    for kind, folder, names in (("command", root / "bin", COMMANDS), ("daemon", root / "libexec", DAEMONS)):
        for name in names:
            program = folder / name
            program.write_text(checkout_launcher(kind, name))
            program.chmod(0o755)
