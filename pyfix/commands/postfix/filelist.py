"""postfix-files: what an installation or a site lists with owner, group and mode.

Source: the comments of postfix-files; ``postfix-files.d`` beside it has more such lines.
"""

from __future__ import annotations

import os
import re

from pyfix.commands.postfix.system import System

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Entry", "Trouble", "entries"]

_NAME = re.compile(r"\$(\w+)")
_FILE, _FOLDER = "f", "d"
_LINKS = ("l", "h")


class Trouble(Exception):
    """The list, or what it asks for, is wrong; the text is what is shown."""


class Entry:
    """One file or folder of the list."""

    def __init__(self, path: str, type_: str, owner: str, group: str, mode: str, flags: str) -> None:
        self.path = path
        self.is_folder = type_ == _FOLDER
        self._owner = owner
        self._group = group
        self._mode = mode
        self._recursive = "r" in flags
        self.upgraded = "u" in flags
        """Whether owner and mode are set with each upgrade."""
        self.made = "c" in flags
        """Whether a folder that is missing is made."""
        self.obsolete = "o" in flags
        """Whether the mail system had it once."""

    def make(self) -> None:
        """Make the folder.  Raises Trouble."""
        try:
            os.mkdir(self.path)
        except OSError as error:
            raise Trouble(f"mkdir: cannot create directory '{self.path}': {error.strerror}") from None
        self.set_permissions()

    def set_permissions(self) -> None:
        """Set owner, group and mode; with flag r those of inner folders, too,
        and owner and group of all that is inside.  Raises Trouble."""
        self._give("chown", _user(self._owner), -1)
        if self._group not in ("", "-"):
            self._give("chgrp", -1, _group(self._group))
        if not re.fullmatch("[0-7]+", self._mode):
            raise Trouble(f"chmod: invalid mode: '{self._mode}'\nTry 'chmod --help' for more information.")
        mode = int(self._mode, 8)
        try:
            os.chmod(self.path, mode)
            if self._recursive and self.is_folder:
                for folder, inner, _files in os.walk(self.path):
                    for name in inner:
                        if not os.path.islink(f"{folder}/{name}"):
                            os.chmod(f"{folder}/{name}", mode)
        except OSError as error:
            raise Trouble(f"chmod: changing permissions of '{self.path}': {error.strerror}") from None

    def _give(self, command: str, uid: int, gid: int) -> None:
        try:
            os.chown(self.path, uid, gid)
            if self._recursive and self.is_folder:
                for folder, inner, files in os.walk(self.path):
                    for name in (*inner, *files):
                        os.lchown(f"{folder}/{name}", uid, gid)
        except OSError as error:
            verb = "dereference" if os.path.islink(self.path) else "access"
            raise Trouble(f"{command}: cannot {verb} '{self.path}': {error.strerror}") from None


def entries(system: System) -> Iterator[Entry]:
    """Yield what meta_directory's postfix-files and postfix-files.d list, if there is such a file; links are left out.

    Raises Trouble for a type that is none.
    """
    import pyfix

    path = f"{system.settings.meta_directory}/postfix-files"
    if not os.path.isfile(path):
        return
    default = system.config_directory == pyfix.CONFIG_DIRECTORY
    for line in _lines(path):
        name, type_, owner, group, mode, flags = (*line.split(":"), "", "", "", "", "")[:6]
        if not name.startswith("$") or ("1" in flags and not default) or type_ in _LINKS:
            continue
        if type_ not in (_FILE, _FOLDER):
            raise Trouble(f"unknown type {type_} for {name} in {path}")
        name, owner, group = (_NAME.sub(lambda found: _value(system, found[1]), text) for text in (name, owner, group))
        if not name.startswith("no/"):  # a folder that is switched off
            yield Entry(name, type_, owner, group, mode, flags)


def _value(system: System, name: str) -> str:
    return system.environment.get(name) or system.snapshot.value(name)


def _lines(path: str) -> Iterator[str]:
    """Yield the lines of the file, and of those in the folder beside it, without comments."""
    more = f"{path}.d"
    paths = [path]
    if os.path.isdir(more):
        paths += [f"{more}/{name}" for name in sorted(os.listdir(more)) if not name.startswith(".")]
    for one in paths:
        with open(one, encoding="utf-8", errors="surrogateescape") as stream:
            for line in stream:
                if line.strip() and not line.startswith("#"):
                    yield line.rstrip("\n")


def _user(name: str) -> int:
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise Trouble(f"chown: invalid user: '{name}'") from None


def _group(name: str) -> int:
    import grp

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise Trouble(f"chgrp: invalid group: '{name}'") from None
