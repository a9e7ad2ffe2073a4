"""``postfix post-install``, ``set-permissions`` and ``upgrade-configuration`` with settings to change first.

Source: postfix(1); the usage text of post-install.
"""

from __future__ import annotations

import os
import re
import sys

from pyfix.commands.postfix.filelist import Entry, Trouble, entries
from pyfix.commands.postfix.layout import folders
from pyfix.commands.postfix.permissions import make_listed, set_all, set_listed
from pyfix.commands.postfix.system import Failure, System
from pyfix.commands.postfix.upgrade import upgrade
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Snapshot

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE = """\
Usage: {0} [name=value] command
    create-missing          Create missing queue directories.
    upgrade-source          When installing or upgrading from source code.
    upgrade-package         When installing or upgrading from pre-built package.
    first-install-reminder  Remind of mandatory first-time configuration steps.
    name=value              Specify an installation parameter.
"""
_REMINDER = """\

    Warning: you still need to edit myorigin/mydestination/mynetworks
    parameter settings in {config_directory}/main.cf.

    See also https://www.postfix.org/STANDARD_CONFIGURATION_README.html
    for information about dialup sites or about sites inside a firewalled
    network.

    BTW: Check your {aliases} file and be sure to set up aliases that
    send mail for root and postmaster to a real person, then run
    {newaliases_path}.

"""
_SAVED = (
    "daemon_directory", "command_directory", "queue_directory", "data_directory", "mail_owner", "setgid_group",
    "sendmail_path", "mailq_path", "newaliases_path", "html_directory", "manpage_directory", "sample_directory",
    "readme_directory", "shlib_directory", "meta_directory",
)  # fmt: skip
"""Parameters of an installation, in the order in which they are written."""
_PERMISSIONS = frozenset(("set-permissions", "upgrade-permissions", "upgrade-source", "upgrade-package"))
_CONFIGURATION = frozenset(("upgrade-configuration", "upgrade-source", "upgrade-package"))
_COMMANDS = _PERMISSIONS | _CONFIGURATION | {"create-missing", "first-install-reminder"}


def post_install(system: System, words: Sequence[str]) -> int:
    """Do what the words ask for; settings ``name=value`` among them go to main.cf first.  Raises Failure."""
    commands = [word for word in words if "=" not in word]
    settings = [word for word in words if "=" in word]
    if not commands or not _COMMANDS.issuperset(commands):
        program = system.daemon("post-install")
        print(f"{program}: Error: {_USAGE.format(program)}", file=sys.stderr, end="")
        return 1
    if settings:
        system = _changed(system, dict(_pairs(settings)))
    try:
        return _act(system, frozenset(commands))
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        raise Failure from None
    except OSError as error:
        print(f"{system.daemon('post-install')}: {error.filename}: {error.strerror}", file=sys.stderr)
        raise Failure from None


def set_permissions(system: System, words: Sequence[str]) -> int:
    """Give each folder and file its owner and mode.  Raises Failure."""
    return post_install(system, ["create-missing", "set-permissions", *words])


def upgrade_configuration(system: System, words: Sequence[str]) -> int:
    """Bring master.cf to what the mail system needs.  Raises Failure."""
    return post_install(system, ["create-missing", "upgrade-configuration", *words])


def _changed(system: System, settings: dict[str, str]) -> System:
    """Write what was said of an installation to main.cf, all of it if something is new.  Raises Failure."""
    values = {name: settings.get(name) or system.snapshot.value(name) for name in _SAVED}
    if any(value != system.snapshot.value(name) for name, value in values.items()):
        version = system.snapshot.value("mail_version")
        lines = [
            f"{name} = {re.sub(re.escape(version) + '$', '${mail_version}', value)}" for name, value in values.items()
        ]
        if system.run(system.command("postconf"), "-e", *lines) != 0:
            raise Failure
    snapshot = Snapshot.read(process_name="postfix")
    changed = System(snapshot, MailSettings(snapshot))  # without the checks of a start, such as of names of users
    changed.environment = system.environment | {
        name: value for name, value in settings.items() if name in system.environment
    }
    return changed


def _make_missing(system: System) -> None:
    """Make the folders that are not there.  A mail_owner that does not exist matters only if there are some."""
    missing = {folder.path for folder in folders(system, owned=False) if not os.path.isdir(folder.path)}
    if missing:
        for folder in folders(system):
            if folder.path in missing:
                folder.make()


def _is_left(entry: Entry) -> bool:
    return not entry.is_folder and os.access(entry.path, os.R_OK)


def _pairs(settings: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (setting.partition("=") for setting in settings)]


def _act(system: System, commands: frozenset[str]) -> int:
    if "create-missing" in commands:
        _make_missing(system)
        make_listed(system)
    if commands & _PERMISSIONS:
        set_all(system)
        set_listed(system, all_of_them="set-permissions" in commands or "upgrade-source" in commands)
    if commands & _CONFIGURATION:
        listed = entries(system) if "create-missing" in commands or commands & _PERMISSIONS else ()
        upgrade(system, [entry.path for entry in listed if entry.obsolete and _is_left(entry)])
    if "first-install-reminder" in commands:
        aliases = ""
        for table in system.snapshot.value("alias_database").replace(",", " ").split()[:1]:
            aliases = table.partition(":")[2]
        values = {
            "config_directory": system.config_directory,
            "newaliases_path": system.settings.newaliases_path,
            "aliases": aliases,
        }
        print(_REMINDER.format_map(values), end="")
    return 0
