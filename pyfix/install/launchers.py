"""The two-line programs that start a command or a daemon."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    "sendmail",
)
"""The programs of command_directory (``mailq`` and ``newaliases`` among them), by the name that users type."""

DAEMONS = (
    "anvil",
    "bounce",
    "cleanup",
    "discard",
    "error",
    "flush",
    "local",
    "master",
    "nbdb_reindexd",
    "pickup",
    "postlogd",
    "proxymap",
    "qmgr",
    "scache",
    "showq",
    "smtpd",
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
    'from pyfix.launch import {kind}; {kind}("{name}"{configuration})\n'
)


def checkout_launcher(kind: str, name: str) -> str:
    """Return the launcher of a checkout; *kind* is ``command`` or ``daemon``."""
    return _IN_CHECKOUT.format(kind=kind, name=name)


def installed_launcher(
    kind: str, name: str, python: Path, folders: Sequence[Path], configuration: Path | None = None
) -> str:
    """Return a launcher that runs *python* with *folders* after the standard library's.

    *configuration* is the folder of main.cf unless MAIL_CONFIG or an option says otherwise (None: /etc/postfix).

    Raises ValueError when the kernel could not run it: a blank in the interpreter's path, or a path that is too long.
    """
    text = _INSTALLED.format(
        kind=kind,
        name=name,
        python=python,
        folders=[str(folder) for folder in folders],
        configuration=f", configuration={str(configuration)!r}" if configuration else "",
    )
    first = text.partition("\n")[0]
    if " " in str(python) or len(first) > 127:
        raise ValueError(f"no launcher can name this interpreter (blank in its path, or too long): {python}")
    return text


def write_launchers(
    kind: str,
    folder: Path,
    names: Iterable[str],
    python: Path,
    folders: Sequence[Path],
    configuration: Path | None = None,
) -> None:
    """Write installed launchers of *names* into *folder*, each replaced in one step, mode 755."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        new = folder / f".{name}.new"
        new.write_text(installed_launcher(kind, name, python, folders, configuration))
        new.chmod(0o755)
        new.replace(folder / name)


def write_checkout(root: Path) -> None:
    """Write the launchers that stand in the repository."""
    for kind, folder, names in (("command", root / "bin", COMMANDS), ("daemon", root / "libexec", DAEMONS)):
        for name in names:
            program = folder / name
            program.write_text(checkout_launcher(kind, name))
            program.chmod(0o755)
