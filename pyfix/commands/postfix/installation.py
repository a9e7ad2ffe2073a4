"""``postfix post-install``, ``set-permissions`` and ``upgrade-configuration`` with settings to change first.

Source: postfix(1); the usage text of post-install.
"""

from __future__ import annotations

import os
import sys

from pyfix.commands.postfix.filelist import Trouble
from pyfix.commands.postfix.layout import folders
from pyfix.commands.postfix.permissions import make_listed, set_all, set_listed
from pyfix.commands.postfix.system import Failure, System
from pyfix.commands.postfix.upgrade import upgrade_master

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
        if system.run(system.command("postconf"), "-e", *settings) != 0:
            return 1
        environment = system.environment
        system = System.read()
        system.environment = environment | {
            name: system.snapshot.value(name) for name in environment if name in dict(_pairs(settings))
        }
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
    return post_install(system, ["set-permissions", *words])


def upgrade_configuration(system: System, words: Sequence[str]) -> int:
    """Bring master.cf to what the mail system needs.  Raises Failure."""
    return post_install(system, ["upgrade-configuration", *words])


def _pairs(settings: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (setting.partition("=") for setting in settings)]


def _act(system: System, commands: frozenset[str]) -> int:
    if "create-missing" in commands:
        for folder in folders(system):
            if not os.path.isdir(folder.path):
                folder.make()
        make_listed(system)
    if commands & _PERMISSIONS:
        set_all(system)
        set_listed(system, all_of_them="set-permissions" in commands or "upgrade-source" in commands)
    if commands & _CONFIGURATION:
        upgrade_master(system)
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
