"""``make install PREFIX=DIR``: a whole mail system below DIR, and nothing outside it.

By the time this runs, the package and its dependencies are in the virtual environment DIR/lib/pyfix.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from pyfix.commands import postalias
from pyfix.install import setgid
from pyfix.install.accounts import Accounts, caller, group_name
from pyfix.install.launchers import COMMANDS, DAEMONS, SET_GID_COMMANDS, LaunchTarget, write_launcher, write_launchers
from pyfix.install.layout import lay_out
from pyfix.install.manual import write_pages
from pyfix.install.places import Places
from pyfix.install.settings_file import with_parameters, with_smtp_on
from pyfix.install.units import own_units

ACCOUNTS = Accounts("postfix", "postdrop")
ROOTLESS_PORT = 2525
"""Where SMTP is in a new master.cf without root."""


def install(source: Path, prefix: Path) -> list[str]:
    """Install below *prefix* what the checkout *source* has; return warnings for the user.

    Configuration that is there already stays as it is.  As root, groups, owners and modes are set.
    """
    warnings: list[str] = []
    places = Places.below(prefix)
    packages = (Path(sysconfig.get_paths()["purelib"]),)
    launched = LaunchTarget(prefix / "lib/pyfix/bin/python3", packages, places.configuration)
    write_launchers("daemon", places.daemons, DAEMONS, launched)
    for name in COMMANDS:
        if name not in SET_GID_COMMANDS:
            program = {"mailq": places.mailq, "newaliases": places.newaliases}.get(name, places.commands / name)
            program.parent.mkdir(parents=True, exist_ok=True)
            write_launcher("command", program, name, launched)
    write_pages(source, places.manual)
    _install_configuration(source / "etc/postfix", places, warnings)
    open_to_all = not _install_set_gid_commands(places, launched, warnings)
    ids = ACCOUNTS.ids() if os.getuid() == 0 else None
    lay_out(places.queue, places.data, ids, set_gid=not open_to_all)
    if places.units is not None and places.units.is_dir():
        for name, text in own_units(places.commands).items():
            (places.units / name).write_text(text)
    if os.getuid() == 0 and ids is None:
        warnings.append(
            f"create group {ACCOUNTS.setgid_group} and user {ACCOUNTS.mail_owner}, then install again: "
            f"groupadd --system {ACCOUNTS.setgid_group}; useradd --system {ACCOUNTS.mail_owner}"
        )
    return warnings


def _install_set_gid_commands(places: Places, launched: LaunchTarget, warnings: list[str]) -> bool:
    """Install the commands of SET_GID_COMMANDS; return False when all users need the right to write to maildrop.

    Without root the system is its owner's alone, who needs no further rights.
    """
    commands, scripts = places.commands, places.prefix / "lib/pyfix/set-gid"
    if os.getuid() != 0:
        write_launchers("command", commands, SET_GID_COMMANDS, launched)
        warnings.append(f"installed without root: only {caller()} can queue mail with it")
        return True
    ids = ACCOUNTS.ids()
    try:
        if ids is None:
            raise setgid.SetGidUnavailable(f"there is no group {ACCOUNTS.setgid_group}")
        setgid.install_commands(commands, scripts, ids.setgid_group, launched)
    except setgid.SetGidUnavailable as reason:
        write_launchers("command", commands, SET_GID_COMMANDS, launched)
        names = ", ".join(SET_GID_COMMANDS)
        warnings.append(f"{names} are not set-gid ({reason}): all users may write to the maildrop queue")
        return False
    return True


def _install_configuration(shipped: Path, places: Places, warnings: list[str]) -> None:
    """Write the files of configuration that are not there; aliases come with a new main.cf only, which names them."""
    target, aliases = places.configuration, places.aliases
    target.mkdir(parents=True, exist_ok=True)
    main, master = target / "main.cf", target / "master.cf"
    if not main.exists():
        if not aliases.exists():
            shutil.copyfile(shipped / "aliases", aliases)
        main.write_text(with_parameters((shipped / "main.cf").read_text(), _parameters(places)))
        # Without the table that main.cf names, the first mail would have to wait.
        if postalias.main(["-c", str(target), f"hash:{aliases}"]) != 0:
            warnings.append(f"{aliases} is not a table yet: run {places.newaliases}")
    for name, text in _prototypes(shipped, places).items():
        path = target / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    if not master.exists():
        text = (shipped / "master.cf").read_text()
        if os.getuid() != 0:
            text = with_smtp_on(text, str(ROOTLESS_PORT))
            warnings.append(
                f"without root, ports below 1024 are out of reach: {master} has SMTP on port {ROOTLESS_PORT}"
            )
        master.write_text(text)


def _prototypes(shipped: Path, places: Places) -> dict[str, str]:
    """Return what postmulti(1) begins a new instance with, by file name; it adds the places of that instance."""
    return {
        "main.cf.proto": with_parameters((shipped / "main.cf").read_text(), _parameters(places)),
        "master.cf.proto": (shipped / "master.cf").read_text(),
    }


def _parameters(places: Places) -> dict[str, str]:
    """Return what main.cf has to say because the system is where it is, and belongs to whom it does.

    Without root it belongs to the caller, whose mail goes to a Maildir at home.
    """
    if os.getuid() == 0:
        owners = {"mail_owner": ACCOUNTS.mail_owner, "setgid_group": ACCOUNTS.setgid_group}
    else:
        owners = {"mail_owner": caller(), "setgid_group": group_name(os.getgid()), "home_mailbox": "Maildir/"}
    return places.parameters() | owners


def main(source: Path, prefix: Path) -> int:
    """Install and tell the user what was done."""
    for warning in install(source, prefix):
        print(f"pyfix: warning: {warning}", file=sys.stderr)
    places = Places.below(prefix)
    print(f"pyfix is installed below {prefix}; its configuration is {places.configuration}")
    print(f"start it with: {places.commands}/postfix start")
    return 0
