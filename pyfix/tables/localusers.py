"""Which local users may use a command.

Source: postconf(5) authorized_mailq_users, authorized_flush_users, authorized_submit_users.
"""

from __future__ import annotations

import os

from pyfix.runtime.console import CommandError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from pyfix.config.snapshot import Snapshot

_EVERYBODY = "static:anyone"
"""The default of these parameters, for which no table needs to be opened."""


def check_user(snapshot: Snapshot, parameter: str, what: str, status: int) -> None:
    """Raise CommandError with the exit status *status* unless the caller is one of those that *parameter* names.

    *what* he wants stands in the text.  Who has no name is called unknown.
    """
    value = snapshot.value(parameter)
    if value == _EVERYBODY:
        return
    import pwd

    from pyfix.config.errors import ConfigError
    from pyfix.tables.matchlist import MatchList
    from pyfix.tables.table import TableError

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = "unknown"
    users = None
    try:
        users = MatchList(parameter, value, snapshot, strict=True, warns=False)
        allowed = users.matches_string(name)
    except (ConfigError, TableError) as error:
        raise CommandError(users.problem if users else str(error), status) from error
    if not allowed:
        raise CommandError(f"User {name}({os.getuid()}) is not allowed to {what}", status)
