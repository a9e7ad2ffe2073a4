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
from pyfix.install.launchers import COMMANDS, DAEMONS, SET_GID_COMMANDS, write_launchers
from pyfix.install.layout import lay_out
from pyfix.install.manual import write_pages
from pyfix.install.settings_file import with_parameters, with_smtp_on

ACCOUNTS = Accounts("postfix", "postdrop")
ROOTLESS_PORT = 2525
"""Where SMTP is in a new master.cf without root."""


def install(source: Path, prefix: Path) -> list[str]:
    """Install below *prefix* what the checkout *source* has; return warnings for the user.

    Configuration that is there already stays as it is.  As root, groups, owners and modes are set.
    """
    warnings: list[str] = []
    python = prefix / "lib/pyfix/bin/python3"
    folders = [Path(sysconfig.get_paths()["purelib"])]
    configuration = prefix / "etc/postfix"
    commands, daemons = prefix / "sbin", prefix / "libexec/postfix"
    plain = [name for name in COMMANDS if name not in SET_GID_COMMANDS]
    write_launchers("daemon", daemons, DAEMONS, python, folders, configuration)
    write_launchers("command", commands, plain, python, folders, configuration)
    write_pages(source, prefix / "share/man")
    _install_configuration(source / "etc/postfix", prefix, warnings)
    open_to_all = not _install_set_gid_commands(prefix, python, folders, warnings)
    ids = ACCOUNTS.ids() if os.getuid() == 0 else None
    queue, data = prefix / "var/spool/postfix", prefix / "var/lib/postfix"
    lay_out(queue, data, ids, set_gid=not open_to_all)
    if os.getuid() == 0 and ids is None:
        warnings.append(
            f"create group {ACCOUNTS.setgid_group} and user {ACCOUNTS.mail_owner}, then install again: "
            f"groupadd --system {ACCOUNTS.setgid_group}; useradd --system {ACCOUNTS.mail_owner}"
        )
    return warnings


def _install_set_gid_commands(prefix: Path, python: Path, folders: list[Path], warnings: list[str]) -> bool:
    """Install the commands of SET_GID_COMMANDS; return False when all users need the right to write to maildrop.

    Without root the system is its owner's alone, who needs no further rights.
    """
    configuration = prefix / "etc/postfix"
    commands, scripts = prefix / "sbin", prefix / "lib/pyfix/set-gid"
    if os.getuid() != 0:
        write_launchers("command", commands, SET_GID_COMMANDS, python, folders, configuration)
        warnings.append(f"installed without root: only {caller()} can queue mail with it")
        return True
    ids = ACCOUNTS.ids()
    try:
        if ids is None:
            raise setgid.SetGidUnavailable(f"there is no group {ACCOUNTS.setgid_group}")
        setgid.install_commands(commands, scripts, ids.setgid_group, python, folders, configuration)
    except setgid.SetGidUnavailable as reason:
        write_launchers("command", commands, SET_GID_COMMANDS, python, folders, configuration)
        names = ", ".join(SET_GID_COMMANDS)
        warnings.append(f"{names} are not set-gid ({reason}): all users may write to the maildrop queue")
        return False
    return True


def _install_configuration(shipped: Path, prefix: Path, warnings: list[str]) -> None:
    """Write the files of configuration that are not there; aliases come with a new main.cf only, which names them."""
    target = prefix / "etc/postfix"
    target.mkdir(parents=True, exist_ok=True)
    main, master, aliases = (target / name for name in ("main.cf", "master.cf", "aliases"))
    if not main.exists():
        if not aliases.exists():
            shutil.copyfile(shipped / "aliases", aliases)
        main.write_text(with_parameters((shipped / "main.cf").read_text(), _parameters(prefix)))
        # Without the table that main.cf names, the first mail would have to wait.
        if postalias.main(["-c", str(target), f"hash:{aliases}"]) != 0:
            warnings.append(f"{aliases} is not a table yet: run {prefix}/sbin/newaliases")
    for name, text in _prototypes(shipped, prefix).items():
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


def _prototypes(shipped: Path, prefix: Path) -> dict[str, str]:
    """Return what postmulti(1) begins a new instance with, by file name; it adds the places of that instance."""
    return {
        "main.cf.proto": with_parameters((shipped / "main.cf").read_text(), _parameters(prefix)),
        "master.cf.proto": (shipped / "master.cf").read_text(),
    }


def _parameters(prefix: Path) -> dict[str, str]:
    """Return what main.cf has to say because the system is not where Postfix's defaults have it.

    Without root it belongs to the caller, whose mail goes to a Maildir at home.
    """
    parameters = {
        "queue_directory": f"{prefix}/var/spool/postfix",
        "data_directory": f"{prefix}/var/lib/postfix",
        "daemon_directory": f"{prefix}/libexec/postfix",
        "command_directory": f"{prefix}/sbin",
        "sendmail_path": f"{prefix}/sbin/sendmail",
        "mailq_path": f"{prefix}/sbin/mailq",
        "newaliases_path": f"{prefix}/sbin/newaliases",
        "manpage_directory": f"{prefix}/share/man",
        "meta_directory": f"{prefix}/etc/postfix",
        "alias_maps": f"hash:{prefix}/etc/postfix/aliases",
        "alias_database": f"hash:{prefix}/etc/postfix/aliases",
        "mail_owner": ACCOUNTS.mail_owner,
        "setgid_group": ACCOUNTS.setgid_group,
    }
    if os.getuid() != 0:
        parameters |= {"mail_owner": caller(), "setgid_group": group_name(os.getgid()), "home_mailbox": "Maildir/"}
    return parameters


def main(source: Path, prefix: Path) -> int:
    """Install and tell the user what was done."""
    for warning in install(source, prefix):
        print(f"pyfix: warning: {warning}", file=sys.stderr)
    print(f"pyfix is installed below {prefix}; its configuration is {prefix}/etc/postfix")
    print(f"start it with: {prefix}/sbin/postfix start")
    return 0
