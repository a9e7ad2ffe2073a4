"""Users, groups and the effective uid, which belongs to the process as a whole."""

from __future__ import annotations

import grp
import os
import pwd
from contextlib import contextmanager

from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import default_config_directory

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator


class Owner:
    """A user and group whose rights are taken for a while."""

    __slots__ = ("gid", "uid")

    def __init__(self, uid: int, gid: int) -> None:
        self.uid = uid
        self.gid = gid

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Owner) and (self.uid, self.gid) == (other.uid, other.gid)

    def __hash__(self) -> int:
        return hash((self.uid, self.gid))

    def __repr__(self) -> str:
        return f"Owner({self.uid}, {self.gid})"

    @contextmanager
    def rights(self) -> Iterator[None]:
        """Act as this user inside the block; nothing may wait for the event loop there.

        Without root there is nothing to change: the process goes on as its caller.
        """
        if os.getuid() != 0:
            yield
            return
        saved_uid, saved_gid, saved_groups = os.geteuid(), os.getegid(), os.getgroups()
        if saved_uid != 0:
            os.seteuid(0)
        os.setgroups([self.gid])
        os.setegid(self.gid)
        os.seteuid(self.uid)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(saved_gid)
            os.setgroups(saved_groups)
            if saved_uid != 0:
                os.seteuid(saved_uid)


_others = 0


@contextmanager
def of_another() -> Iterator[None]:
    """Note that one thread has the rights of another user inside the block."""
    global _others
    _others += 1
    try:
        yield
    finally:
        _others -= 1


def is_another() -> bool:
    """Tell whether a thread has the rights of another user now: a thread that it made would have them for good."""
    return _others > 0


def is_rootless() -> bool:
    """Tell whether this system runs without root: nobody changes uid, mail_owner is the caller."""
    return os.getuid() != 0


def mail_owner(name: str) -> Owner:
    """Return the user of postconf(5) mail_owner.  Raises ConfigError for one that does not exist, or is root."""
    if is_rootless():
        return Owner(os.getuid(), os.getgid())
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        where = f"file {default_config_directory()}/main.cf: parameter mail_owner"
        raise ConfigError(f"{where}: unknown user name value: {name}") from None
    if entry.pw_uid == 0:
        where = f"file {default_config_directory()}/main.cf: parameter mail_owner"
        raise ConfigError(f"{where}: user {name} has privileged user ID")
    return Owner(entry.pw_uid, entry.pw_gid)


def group_id(name: str) -> int:
    """Return the group id of postconf(5) setgid_group.  Raises ConfigError if there is no such group."""
    if is_rootless():
        return os.getgid()
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        where = f"file {default_config_directory()}/main.cf: parameter setgid_group"
        raise ConfigError(f"{where}: unknown group name: {name}") from None


def named_owner(value: str, unknown_user: str, unknown_group: str) -> Owner:
    """Return the owner that a command attribute ``user=name`` or ``user=name:group`` gives.

    Raises ConfigError, which begins with *unknown_user* or *unknown_group*.  Source: pipe(8), spawn(8).
    """
    name, colon, group = value.partition(":")
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise ConfigError(f"{unknown_user}: {name}") from None
    if not colon:
        return Owner(entry.pw_uid, entry.pw_gid)
    try:
        return Owner(entry.pw_uid, grp.getgrnam(group).gr_gid)
    except KeyError:
        raise ConfigError(f"{unknown_group}: {group}") from None


def drop_privileges(owner: Owner, root_directory: str | None) -> None:
    """Become *owner* for good, with all groups that he is a member of, inside *root_directory* if one is given.

    Only root can; without root nothing changes.
    """
    if is_rootless():
        return
    groups = _groups(owner)  # before the jail, which has no list of them
    if root_directory is not None:
        os.chroot(root_directory)
        os.chdir("/")
    os.setgroups(groups)
    os.setresgid(owner.gid, owner.gid, owner.gid)
    os.setresuid(owner.uid, owner.uid, owner.uid)


def _groups(owner: Owner) -> list[int]:
    try:
        return os.getgrouplist(pwd.getpwuid(owner.uid).pw_name, owner.gid)
    except KeyError:
        return [owner.gid]


def act_as(owner: Owner) -> None:
    """Take *owner*'s effective rights and keep root in reserve, as privileged daemons do between deliveries."""
    if is_rootless():
        return
    os.setgroups([owner.gid])
    os.setegid(owner.gid)
    os.seteuid(owner.uid)
