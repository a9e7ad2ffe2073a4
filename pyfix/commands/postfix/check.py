"""Looking whether everything is in its place, as ``postfix check`` and ``postfix start`` do."""

from __future__ import annotations

import os
import stat
import sys

from pyfix.commands.postfix.jailcopies import complaints
from pyfix.commands.postfix.layout import folders
from pyfix.commands.postfix.system import Failure, System
from pyfix.commands.postfix.tree import below

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_OF_OWNER = (
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "public",
    "saved", "trace",
)  # fmt: skip
_REMNANTS = ("/usr/sbin/sendmail", "/usr/lib/sendmail")
_SHARED_WRITE = stat.S_IWGRP | stat.S_IWOTH
_SET_GID_PROGRAM = stat.S_ISGID | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


def check(system: System, words: Sequence[str]) -> int:
    """Make missing folders, warn of wrong owners and modes; return 0.

    With ``--doctor`` among *words*, examine the configuration instead.  Raises Failure for what would prevent a start.
    """
    if "--doctor" in words:
        from pyfix.commands.postfix.doctor.command import run

        return run(system, words)
    check_fatal(system)
    check_warn(system)
    return 0


# What prevents a start


def check_fatal(system: System) -> None:
    """Make the folders that are missing, and check what the mail system can't do without.  Raises Failure."""
    for folder in folders(system):
        if not os.path.isdir(folder.path):
            try:
                folder.make()
            except OSError as error:
                system.warning(f"{folder.path}: {error.strerror}")
                raise system.failure("unable to create missing queue directories") from None
    if os.path.exists(f"{system.settings.meta_directory}/postfix-files"):
        _make_listed(system)
    if not os.path.isfile(f"{system.config_directory}/master.cf"):
        raise system.failure(f"no {system.config_directory}/master.cf file found")
    if system.settings.maillog_file and not _has_logger(system):
        raise system.failure("missing 'postlog' service in master.cf - run 'postfix upgrade-configuration'")
    check_queue = system.command("postsuper")
    if os.path.exists(check_queue) and system.run(check_queue) != 0:
        raise Failure  # postsuper(1) has said why


def _make_listed(system: System) -> None:
    from pyfix.commands.postfix.filelist import Trouble
    from pyfix.commands.postfix.permissions import make_listed

    try:
        make_listed(system)
    except Trouble as trouble:
        print(trouble, file=sys.stderr, flush=True)
        raise system.failure("unable to create missing queue directories") from None


def _has_logger(system: System) -> bool:
    from pyfix.config.errors import ConfigError
    from pyfix.config.master_cf import read_master_cf

    try:
        entries = read_master_cf(f"{system.config_directory}/master.cf")
    except ConfigError as error:
        raise system.failure(str(error)) from None
    name = system.settings.postlog_service_name
    return any(entry.name == name and entry.type == "unix-dgram" for entry in entries)


# What may be wrong


def check_warn(system: System) -> None:
    """Warn of owners and modes by which somebody else could harm the mail system, and of damaged mail."""
    from pyfix.runtime.identity import is_rootless, mail_owner

    system.tell_unused()
    settings = system.settings
    queue = settings.queue_directory
    shared = not system.is_secondary()
    owner = mail_owner(settings.mail_owner).uid
    root, root_name, owner_name = 0, "root", settings.mail_owner
    if is_rootless():
        import pwd

        root = owner
        root_name = owner_name = pwd.getpwuid(owner).pw_name
    by_root, by_owner = _Owned(system, root, root_name), _Owned(system, owner, owner_name)
    for path in (f"{queue}/.", f"{queue}/pid"):
        by_root.look(path)
    ours = [system.config_directory]
    if shared:  # which the primary instance looks after
        ours += [settings.daemon_directory, settings.shlib_directory, settings.meta_directory]
    for folder in sorted({folder for folder in ours if os.path.isdir(folder)}):
        by_root.look_below(f"{folder}/.")
    by_owner.look_below(f"{settings.data_directory}/.", links=True)
    for name in _OF_OWNER:
        by_owner.look_below(f"{queue}/{name}", modes=False, skip=_is_endpoint)
    by_owner.look(f"{queue}/maildrop", modes=False)
    if not is_rootless():
        _check_set_gid(system, (f"{queue}/public", f"{queue}/maildrop"), programs=shared)
    for complaint in complaints(queue, root, root_name):
        system.warning(complaint)
    for path in below("corrupt"):
        if os.path.isfile(path):
            system.warning(f"damaged message: {path}")
    if shared:
        _check_remnants(system)


class _Owned:
    """Warns of what does not belong to one user, or may be changed by others."""

    def __init__(self, system: System, uid: int, name: str) -> None:
        self._system = system
        self._uid = uid
        self._name = name

    def look(
        self,
        *paths: str,
        modes: bool = True,
        links: bool = False,
        skip: Callable[[os.stat_result], bool] | None = None,
    ) -> None:
        """Look at these; *modes*: at their modes, too, *links*: even of symbolic links, whose modes say nothing."""
        found = [(path, status) for path in paths if (status := _status(path)) and not (skip and skip(status))]
        for path, status in found:
            if status.st_uid != self._uid:
                self._system.warning(f"not owned by {self._name}: {path}")
        for path, status in found if modes else ():
            if status.st_mode & _SHARED_WRITE and (links or not stat.S_ISLNK(status.st_mode)):
                self._system.warning(f"group or other writable: {path}")

    def look_below(
        self,
        path: str,
        *,
        modes: bool = True,
        links: bool = False,
        skip: Callable[[os.stat_result], bool] | None = None,
    ) -> None:
        """Look at a folder and all that is in it."""
        self.look(path, *below(path), modes=modes, links=links, skip=skip)


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _is_endpoint(status: os.stat_result) -> bool:
    return stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode)


def _check_remnants(system: System) -> None:
    """Warn of another mail system's sendmail(8), which programs find first."""
    ours, other = _REMNANTS
    if os.path.isfile(ours) and os.path.isfile(other):
        from filecmp import cmp

        try:
            same = cmp(ours, other, shallow=False)
        except OSError:
            same = False
        if not same:
            system.warning(f"{other} and {ours} differ")
            system.warning("Replace one by a symbolic link to the other")


def _check_set_gid(system: System, shared_folders: Sequence[str], *, programs: bool) -> None:
    from pyfix.runtime.identity import group_id

    group = group_id(system.settings.setgid_group)
    commands = (system.command("postqueue"), system.command("postdrop")) if programs else ()
    if commands and all(_is_script(path) for path in commands):
        # A script can't be set-gid, so it makes no sense to tell of each that it is not.
        system.warning(f"maildrop is open to all users: {commands[1]} is not a set-gid program")
        commands = ()
    for path in (*commands, *shared_folders):
        try:
            status = os.stat(path)
        except OSError:
            continue
        if status.st_gid != group:
            system.warning(f"not owned by group {system.settings.setgid_group}: {path}")
        if path in commands and status.st_mode & _SET_GID_PROGRAM != _SET_GID_PROGRAM:
            system.warning(f"not set-gid or not owner+group+world executable: {path}")


def _is_script(path: str) -> bool:
    try:
        with open(path, "rb") as stream:
            return stream.read(2) == b"#!"
    except OSError:
        return False
