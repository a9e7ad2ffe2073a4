"""The folders of one instance with owner, group and mode."""

from __future__ import annotations

import os

from pyfix.commands.postfix.system import System
from pyfix.queue.folders import OF_ROOT, OPEN_TO_ALL, OPEN_TO_SET_GID, QUEUE_FOLDERS

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator


class Folder:
    """A folder as it should be; None leaves owner or group as they are."""

    __slots__ = ("group", "mode", "owner", "path")

    def __init__(self, path: str, mode: int, owner: int | None = None, group: int | None = None) -> None:
        self.path = path
        self.mode = mode
        self.owner = owner
        self.group = group

    def make(self) -> None:
        """Make the folder with all of these.  Raises OSError."""
        os.makedirs(os.path.dirname(self.path), 0o755, exist_ok=True)
        os.mkdir(self.path)
        self.set_permissions()

    def set_permissions(self) -> None:
        """Set owner, group and mode.  Raises OSError."""
        os.chown(self.path, -1 if self.owner is None else self.owner, -1 if self.group is None else self.group)
        os.chmod(self.path, self.mode)


def folders(system: System, *, owned: bool = True) -> Iterator[Folder]:
    """Yield the folders that must be there, outer ones first.

    Raises ConfigError for an unknown mail_owner, unless it is not to be said whose they are (*owned*).
    """
    from pyfix.runtime.identity import group_id, is_rootless, mail_owner

    settings = system.settings
    if is_rootless() or not owned:
        owner = group = root = None
    else:
        owner, group, root = mail_owner(settings.mail_owner).uid, group_id(settings.setgid_group), 0
    modes = QUEUE_FOLDERS if postdrop_is_set_gid(system) else QUEUE_FOLDERS | OPEN_TO_ALL
    queue = settings.queue_directory
    yield Folder(settings.data_directory, 0o700, owner)
    yield Folder(queue, 0o755, root)
    for name, mode in modes.items():
        yield Folder(
            f"{queue}/{name}",
            mode,
            root if name in OF_ROOT else owner,
            group if name in OPEN_TO_SET_GID else None,
        )


def postdrop_is_set_gid(system: System) -> bool:
    """Tell whether ordinary users can queue mail through postdrop(1); without root there is nobody else to think of."""
    if os.getuid() != 0:
        return True
    import stat

    try:
        return bool(os.stat(system.command("postdrop")).st_mode & stat.S_ISGID)
    except OSError:
        return False
