"""Which user and groups an instance belongs to."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass

from pyfix.install.layout import Ids

_OWNERS = (("postfix", "postdrop"), ("daemon", "mail"), ("mail", "daemon"))


@dataclass(frozen=True, slots=True)
class Accounts:
    """Names for mail_owner and setgid_group."""

    mail_owner: str
    setgid_group: str

    def ids(self) -> Ids | None:
        """Return their numbers; None where one does not exist."""
        try:
            owner = pwd.getpwnam(self.mail_owner)
            group = grp.getgrnam(self.setgid_group)
        except KeyError:
            return None
        return Ids(owner.pw_uid, owner.pw_gid, group.gr_gid)


def accounts_for_private_instance() -> Accounts:
    """Return the caller; for root, the first unprivileged pair that exists: Postfix's, else one of every system.

    Raises LookupError when root has no such pair.
    """
    if os.getuid() != 0:
        return Accounts(caller(), group_name(os.getgid()))
    for owner, group in _OWNERS:
        found = Accounts(owner, group)
        ids = found.ids()
        if ids is not None and ids.owner_group != ids.setgid_group:
            return found
    raise LookupError("no user for mail_owner on this system: create user postfix and group postdrop")


def caller() -> str:
    """Return the name of the user who runs this; the number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def group_name(group: int) -> str:
    """Return the name of a group; the number where it has no name."""
    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)
