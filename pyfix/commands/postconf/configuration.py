"""Both files as postconf(1) has read them, and which parameter names mean something in them.

A name is known when a program declares it (builtin), when a service and a suffix make it (service), or when another
value refers to it and it is set (user).  Source: postconf(1), option -C.
"""

from __future__ import annotations

import os

from pyfix.commands.postconf import database_clients
from pyfix.commands.postconf.entries import READ_ONLY, Entry, read_entries
from pyfix.commands.postconf.messages import Fatal, tell, warn
from pyfix.config import catalogue, main_cf
from pyfix.config.blanks import SEPARATORS, split_blanks
from pyfix.config.errors import ConfigError
from pyfix.config.families import family_parameters
from pyfix.config.host import host_domain, host_qualified_name
from pyfix.config.snapshot import Snapshot, default_config_directory
from pyfix.formats.macros import MacroError, referenced_names

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pyfix.config.parameter import Parameter

__all__ = ["Configuration", "expand"]

_COMMENT_SHOWN = 20
_NETWORK_NAMES = ("inet_interfaces", "inet_protocols")
_KNOWN_FIRST = _NETWORK_NAMES
"""Parameters whose defaults are known when those that depend on the host are worked out."""


class Configuration:
    """What main.cf and master.cf say, and what their names mean."""

    def __init__(self, directory: str | None, *, quiet: bool = False, verbose: bool = False) -> None:
        self.directory = directory or default_config_directory()
        self.main_path = f"{self.directory}/main.cf"
        self.master_path = f"{self.directory}/master.cf"
        self.quiet = quiet
        self.verbose = verbose
        """Whether to tell what makes a user-defined name known."""
        self.settings: dict[str, str] = {}
        """main.cf, the -o options of the command line, and config_directory."""
        self.entries: list[Entry] = []
        self.builtin: dict[str, Parameter[Any]] = {}
        self.service: dict[str, Parameter[Any]] = {}
        self.user: set[str] = set()
        self.local: list[set[str]] = []
        """User-defined names among the -o options, by entry."""
        self.snapshot = Snapshot({}, config_directory=self.directory, process_name="postconf")

    def read_main(self, overrides: Sequence[str] = ()) -> None:
        """Read main.cf.  Raises ConfigError."""
        settings = main_cf.read_main_cf(self.main_path, warn, {"config_directory": self.directory})
        for argument in overrides:
            assignment = main_cf.split_assignment(argument)
            if isinstance(assignment, str):
                raise Fatal(f"invalid parameter override: {argument}: {assignment}")
            settings[assignment[0]] = assignment[1]
        self.settings = settings
        self.snapshot = Snapshot(settings, config_directory=self.directory, process_name="postconf")

    def check_host_defaults(self) -> None:
        """Work out the defaults that depend on the host, as a fault in what they are made of is told of first.

        Raises Fatal or ConfigError.
        """
        snapshot = _MainCfAlone(self.settings, config_directory=self.directory, process_name="postconf")
        if "myhostname" not in self.settings:
            host_qualified_name(snapshot)
        if "mydomain" not in self.settings:
            host_domain(snapshot)
        if "mynetworks" in self.settings:
            return
        style = expand(snapshot if "mynetworks_style" in self.settings else self.snapshot, "$mynetworks_style")
        if style not in ("host", "subnet") or any(name in self.settings for name in _NETWORK_NAMES):
            from pyfix.config.own_networks import default_networks  # asks the kernel and perhaps the DNS

            default_networks(snapshot.with_overrides([("mynetworks_style", style)]))

    def read_master(self, *, needed: bool) -> None:
        """Read master.cf; when it is not *needed*, a missing one is worth a warning only.  Raises ConfigError."""
        if os.path.isdir(self.master_path):  # Postfix opens it, and takes the failure to read for its end
            return
        try:
            self.entries = read_entries(self.master_path, warn)
        except ConfigError as error:
            if needed:
                raise
            warn(str(error))

    def declare(self) -> None:
        """Learn the builtin and the service-defined names."""
        self.builtin = {
            name: found
            for name, found in catalogue.all_parameters().items()
            if not found.legacy and (not found.own or name in self.settings)
        }
        made: dict[str, Parameter[Any]] = {}
        for entry in self.entries:  # several may have one name, each with a family of its own
            made |= family_parameters({entry.fields[0]: entry.fields[7]})
        self.service = {name: found for name, found in made.items() if name not in self.builtin}

    def find_user_names(self) -> None:
        """Learn the user-defined names, with warnings about names that are referred to but not set."""
        self.local = [set() for _ in self.entries]
        overrides = [entry.overrides for entry in self.entries]
        tables = database_clients.Check(quiet=self.quiet)
        for index, own in enumerate(overrides):
            if not self.entries[index].all_overrides:
                continue
            scope = self.scope(self.entries[index])
            self._restriction_classes(own, index)
            for name, value in self.entries[index].all_overrides.items():
                self._note_value(tables, name, value, scope, index)
        for parameter in self.builtin.values():
            if parameter.expanded and isinstance(parameter.default, str):
                self._refer(parameter.default, overrides, None)
        self.check_host_defaults()
        self._restriction_classes(self.settings, None)
        for name, value in sorted(self.settings.items()):
            self._note_value(tables, name, value, self.snapshot, None)

    def scope(self, entry: Entry) -> Snapshot:
        """Return the values as the entry's program sees them."""
        return Snapshot(
            {**self.settings, **entry.overrides},
            config_directory=self.directory,
            process_name=entry.fields[7],
            service_name=entry.fields[0],
        )

    def find(self, name: str) -> Parameter[Any] | None:
        """Return the declaration of a builtin or service-defined name."""
        return self.builtin.get(name) or self.service.get(name)

    @staticmethod
    def is_legacy(name: str) -> bool:
        """Whether the name is an old one, which only the default of its replacement refers to."""
        parameter = catalogue.all_parameters().get(name)
        return parameter is not None and parameter.legacy

    def _note_value(
        self, tables: database_clients.Check, name: str, value: str, scope: Snapshot, index: int | None
    ) -> None:
        """Learn from one setting; what a raw one says about names is not for us."""
        parameter = self.find(name)
        where = self.main_path if index is None else self.master_path
        if name in READ_ONLY:
            warn(f"{where}: read-only parameter assignment: {name}={value}")
            return
        if parameter is not None and not parameter.expanded:
            return
        if index is None:
            self._refer(value, [entry.overrides for entry in self.entries], where)
        else:
            self._refer(value, [self.entries[index].overrides], where, index)
        if parameter is not None:
            value = expand(scope, value)
            if "#" in value:
                value = _before_comment(value, where)
            self._note_tables(tables, value, index)

    def _refer(
        self, value: str, overrides: list[dict[str, str]], where: str | None, index: int | None = None
    ) -> None:
        """Note the names in a value; those that nobody sets get a warning, unless it is a default (*where* None)."""
        if "$" not in value:
            return
        try:
            for name in referenced_names(value):
                self._use(name, overrides, where, index)
        except MacroError as error:
            warn(str(error))

    def _use(self, name: str, overrides: list[dict[str, str]], where: str | None, index: int | None) -> None:
        known = self.find(name) is not None
        if index is not None and name in overrides[0]:
            self._learn(name, index, index)
            return
        if name in self.settings and not known:
            self._learn(name, index, None)
            known = True
        if index is None:
            for position, own in enumerate(overrides):
                if name in own:
                    self._learn(name, index, position)
                    known = True
        if not known and where is not None:
            warn(f"{where}: undefined parameter: {name}")

    def _learn(self, name: str, source: int | None, place: int | None) -> None:
        """Note that *source* makes *name* in *place* known; each is an entry's position, or None: main.cf."""
        known = self.user if place is None else self.local[place]
        if self.verbose and name not in known and not (name in self.settings and self.is_legacy(name)):
            tell(f"${name} in {self._file(source)} validates {name}=value in {self._file(place)}")
        known.add(name)

    def _file(self, index: int | None) -> str:
        return "main.cf" if index is None else f"master.cf:{self.entries[index].key}"

    def _restriction_classes(self, settings: dict[str, str], index: int | None) -> None:
        """Note the names of the classes; what the value refers to is looked up beside it only."""
        value = settings.get("smtpd_restriction_classes")
        if not value:
            return
        overrides: list[dict[str, str]] = [{}] if index is None else [self.entries[index].overrides]
        where = self.main_path if index is None else self.master_path
        scope = _MainCfAlone(settings, config_directory=self.directory, process_name="postconf")
        for name in split_blanks(scope.expand(value).replace(",", " ")):
            self._use(name, overrides, where, index)

    def _note_tables(self, tables: database_clients.Check, value: str, index: int | None) -> None:
        """Learn names such as ``ldapsource_server_host``, which a table ``ldap:ldapsource`` reads."""
        overrides = [entry.overrides for entry in self.entries] if index is None else [self.entries[index].overrides]
        where = self.main_path if index is None else f"{self.master_path}:{self.entries[index].key}"
        for made in tables.names(value, where):
            self._use(made, overrides, None, index)


class _MainCfAlone(Snapshot):
    """Values as they are before the defaults are known: a name that main.cf does not set is empty, but for a few."""

    def _written(self, name: str) -> str | None:
        return super()._written(name) if name in self._settings or name in _KNOWN_FIRST else None


def _before_comment(value: str, where: str) -> str:
    """Return what stands before the first word that looks like a comment, with a warning if there is one."""
    at = value.find("#")
    while at > 0 and value[at - 1] not in SEPARATORS:
        at = value.find("#", at + 1)
    if at < 0:
        return value
    comment = split_blanks(value[at:])[0]
    after = value[at + len(comment) + 1 :][:_COMMENT_SHOWN]
    warn(f"{where}: #comment after other text is not allowed: {comment} {after}...")
    return value[:at]


def expand(snapshot: Snapshot, text: str) -> str:
    """Return the expanded text.  Raises Fatal, after the warning, for a malformed one."""
    try:
        return snapshot.expand(text)
    except ConfigError as error:
        if error.warning is None:
            raise
        warn(error.warning)
        raise Fatal("macro processing error") from None
