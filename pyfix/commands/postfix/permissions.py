"""``postfix set-permissions``: owners and modes of an installed system.  Source: postfix(1), postfix-files."""

from __future__ import annotations

import os

import pyfix
from pyfix.commands.postfix.layout import folders
from pyfix.commands.postfix.system import System

_RECURSIVE = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "saved", "trace")
_CONFIGURATION = ("main.cf", "master.cf")
_SET_GID = ("postdrop", "postlog", "postqueue")


def set_listed(system: System, *, all_of_them: bool) -> None:
    """Give what postfix-files lists its owner and mode: all, or only what each upgrade sets anew.  Raises Trouble.

    The folders of the instance, which pyfix knows itself, are left out.
    """
    from pyfix.commands.postfix.filelist import entries
    from pyfix.runtime.identity import is_rootless

    if is_rootless():
        return
    known = {folder.path for folder in folders(system, owned=False)}
    for entry in entries(system):
        if entry.path in known or entry.obsolete:
            continue
        if entry.is_folder and entry.made and not os.path.isdir(entry.path):
            entry.make()
        elif all_of_them or entry.upgraded:
            entry.set_permissions()


def make_listed(system: System) -> None:
    """Make the folders that postfix-files wants to be there.  Raises Trouble."""
    from pyfix.commands.postfix.filelist import entries
    from pyfix.runtime.identity import is_rootless

    if is_rootless():
        return
    known = {folder.path for folder in folders(system, owned=False)}
    for entry in entries(system):
        if (
            entry.is_folder
            and entry.made
            and not entry.obsolete
            and entry.path not in known
            and not os.path.isdir(entry.path)
        ):
            entry.make()


def set_all(system: System) -> None:
    """Give each folder and file its owner and mode.  Raises OSError.

    What all instances share is the business of the one in the built-in configuration directory.
    """
    from pyfix.runtime.identity import group_id, is_rootless, mail_owner

    shared = system.config_directory == pyfix.CONFIG_DIRECTORY
    if shared and not is_rootless():
        # First, because the mode of maildrop depends on whether postdrop is set-gid.
        group = group_id(system.settings.setgid_group)
        for name in _SET_GID:
            _set_group(system.command(name), group)
    for folder in folders(system):
        if not os.path.isdir(folder.path):
            folder.make()
        folder.set_permissions()
    if is_rootless():
        return
    owner = mail_owner(system.settings.mail_owner)
    for name in _RECURSIVE:
        for path, inner, files in os.walk(f"{system.settings.queue_directory}/{name}"):
            for entry in (*inner, *files):
                os.lchown(f"{path}/{entry}", owner.uid, -1)
    os.chown(system.config_directory, 0, -1)
    os.chmod(system.config_directory, 0o755)
    for name in _CONFIGURATION:
        path = f"{system.config_directory}/{name}"
        if os.path.exists(path):
            os.chown(path, 0, -1)
            os.chmod(path, 0o644)


def _set_group(program: str, group: int) -> None:
    """Make a compiled launcher set-gid; a script can't be."""
    try:
        with open(program, "rb") as stream:
            compiled = stream.read(4) == b"\x7fELF"
    except OSError:
        return
    if compiled:
        os.chown(program, 0, group)
        os.chmod(program, 0o2755)
