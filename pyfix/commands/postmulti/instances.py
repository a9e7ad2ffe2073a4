"""The instances of this host, as the primary instance's main.cf names them."""

from __future__ import annotations

import os
import sys

import pyfix
from pyfix.config.errors import ConfigError
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Snapshot
from pyfix.config.startup import check_startup
from pyfix.runtime.console import CommandError
from pyfix.runtime.log import log
from pyfix.runtime.logtarget import configure_log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_DIRECTORIES = ("config_directory", "queue_directory", "data_directory")


class Instance:
    """One instance: its name, its group, whether it is enabled, and the three directories that are its own."""

    __slots__ = ("config_directory", "data_directory", "enabled", "group", "name", "primary", "queue_directory")

    def __init__(
        self,
        config_directory: str,
        queue_directory: str,
        data_directory: str,
        *,
        name: str = "",
        group: str = "",
        enabled: bool = False,
        primary: bool = False,
    ) -> None:
        self.config_directory = config_directory
        self.queue_directory = queue_directory
        self.data_directory = data_directory
        self.name = name
        self.group = group
        self.enabled = enabled
        self.primary = primary

    @classmethod
    def of(cls, snapshot: Snapshot, *, primary: bool = False, enabled: bool | None = None) -> Instance:
        """Return the instance whose main.cf was read.  Raises ConfigError."""
        value = snapshot.value
        if enabled is None:
            enabled = value("multi_instance_enable").lower() == "yes"
        return cls(
            value("config_directory"),
            value("queue_directory"),
            value("data_directory"),
            name=value("multi_instance_name"),
            group=value("multi_instance_group"),
            enabled=enabled,
            primary=primary,
        )

    def answers_to(self, name: str) -> bool:
        """Tell whether ``-i name`` means this instance."""
        if name == "-":
            return self.primary
        return self.config_directory == name if name.startswith("/") else bool(name) and self.name == name

    def check_name(self, other: Instance) -> None:
        """Raise CommandError when another instance has the same name."""
        if self.name and self.name == other.name and self.config_directory != other.config_directory:
            raise self._conflict("multi_instance_name", self.name, other, "multi_instance_name")

    def check_directories(self, other: Instance) -> None:
        """Raise CommandError for a directory that two instances have, or one has for two purposes."""
        if other is not self and other.config_directory == self.config_directory:
            return
        for mine in _DIRECTORIES[1:]:
            for theirs in _DIRECTORIES:
                if other is self and theirs == mine:
                    break
                if getattr(self, mine) == getattr(other, theirs):
                    raise self._conflict(mine, getattr(self, mine), other, theirs)

    def _conflict(self, mine: str, value: str, other: Instance, theirs: str) -> CommandError:
        return CommandError(
            f"instance {self.config_directory}, {mine}={value} conflicts with "
            f"instance {other.config_directory}, {theirs}={value}"
        )


class Instances:
    """The primary instance and the secondary ones, in their order."""

    def __init__(self, snapshot: Snapshot, settings: MailSettings, members: Sequence[Instance]) -> None:
        self.snapshot = snapshot
        """Of the primary instance."""
        self.settings = settings
        self.members = list(members)

    @property
    def primary(self) -> Instance:
        """The instance in the built-in configuration directory."""
        return self.members[0]

    @classmethod
    def read(cls, snapshot: Snapshot) -> Instances:
        """Read main.cf of each instance that the primary one names.

        Raises ConfigError for the primary one's, CommandError for another one's, and for two that are in each
        other's way.
        """
        settings = MailSettings(snapshot)
        others = settings.multi_instance_directories
        # Without others there is nothing to enable: what is asked of all is asked of the one that there is.
        enabled = settings.multi_instance_enable or not others
        instances = cls(snapshot, settings, [Instance.of(snapshot, primary=True, enabled=enabled)])
        for directory in others:
            instances.add(instances.member(directory))
        return instances

    def member(self, directory: str) -> Instance:
        """Read the instance in *directory*.  Raises CommandError."""
        try:
            return Instance.of(Snapshot.read(directory, process_name="postconf"))
        except ConfigError as error:
            postconf = os.path.join(self.settings.command_directory, "postconf")
            for warning in error.warnings:
                print(f"{postconf}: warning: {warning}", file=sys.stderr)
            print(f"{postconf}: fatal: {error}", file=sys.stderr)
            raise CommandError(f"Failed to obtain all required {directory}/main.cf parameters") from None

    def add(self, new: Instance) -> None:
        """Add an instance as the last one.  Raises CommandError when it is in the way of another."""
        self.check(new)
        self.members.append(new)

    def check(self, new: Instance) -> None:
        """Raise CommandError when an instance that is not a member yet is in the way of one, or of itself."""
        for other in self.members:
            new.check_name(other)
        for other in (*self.members, new):
            new.check_directories(other)

    def named(self, name: str) -> Instance:
        """Return the instance that ``-i name`` means.  Raises CommandError without one."""
        for instance in self.members:
            if instance.answers_to(name):
                return instance
        raise CommandError(f"No instance named {name}")

    def selected(self, selection: tuple[str, str] | None) -> list[Instance]:
        """Return those that ``-a``, ``-g group`` or ``-i name`` means; all without a selection."""
        letter, value = selection or ("a", "")
        if letter == "g":
            return [instance for instance in self.members if value and instance.group == value]
        if letter == "i":
            return [instance for instance in self.members if instance.answers_to(value)]
        return list(self.members)


def read_primary() -> Snapshot:
    """Read main.cf of the primary instance, and let the log go where it says.  Raises ConfigError."""
    snapshot = Snapshot.read(process_name="postmulti")
    configure_log(snapshot, "postmulti", to_stderr=True, to_file=True)
    log.tag = "postmulti"
    for warning in snapshot.warnings:
        log.warning(warning)
    return snapshot


def check_primary(snapshot: Snapshot) -> None:
    """Raise ConfigError for a bad value, and CommandError when the environment names another instance."""
    check_startup(MailSettings(snapshot))
    if snapshot.config_directory != pyfix.CONFIG_DIRECTORY:
        raise CommandError(f"Non-default configuration directory: MAIL_CONFIG={snapshot.config_directory}")
