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
from pyfix.config.blanks import split_blanks
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
        self.overrides: list[dict[str, str]] = []
        """What the -o options say, by entry: entries with one name and type share it, as in Postfix."""
        self.builtin: dict[str, Parameter[Any]] = {}
        self.service: dict[str, Parameter[Any]] = {}
        self.user: set[str] = set()
        self.local: list[set[str]] = []
        """User-defined names among the -o options, by entry."""
        self.snapshot: Snapshot = _Values({}, config_directory=self.directory, process_name="postconf")

    def read_main(self, overrides: Sequence[str] = ()) -> None:
        """Read main.cf.  Raises ConfigError."""
        settings = main_cf.read_main_cf(self.main_path, warn, {"config_directory": self.directory})
        for argument in overrides:
            assignment = main_cf.split_assignment(argument)
            if isinstance(assignment, str):
                raise Fatal(f"invalid parameter override: {argument}: {assignment}")
            settings[assignment[0]] = assignment[1]
        self.settings = settings
        self.snapshot = _Values(
            settings, config_directory=self.directory, process_name="postconf", services=self.service
        )

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
        shared: dict[str, dict[str, str]] = {}
        for entry in self.entries:
            own = entry.overrides
            known = shared.get(entry.key)
            if known is None:
                known = {}
                if own:  # an entry in front of the first one with options has no part in it
                    shared[entry.key] = known
            known.update(own)
            self.overrides.append(known)

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
        self.service.update((name, found) for name, found in made.items() if name not in self.builtin)

    def find_user_names(self) -> None:
        """Learn the user-defined names, with warnings about names that are referred to but not set."""
        self.local = [set() for _ in self.entries]
        for settings in (self.settings, *self.overrides):
            self.user.update(filter(self.is_legacy, settings))
        tables = database_clients.Check(quiet=self.quiet)
        for index, own in enumerate(self.overrides):
            if not own:
                continue
            scope = self.scope(index)
            self._restriction_classes(own, index)
            for name, value in list(own.items()):
                self._note_value(tables, name, value, scope, index)
                if name in READ_ONLY:
                    del own[name]
        for parameter in (*self.builtin.values(), *self.service.values()):
            if parameter.expanded and isinstance(parameter.default, str) and parameter.name not in self.settings:
                self._refer(parameter.default, self.overrides, None)
        self.check_host_defaults()
        self._restriction_classes(self.settings, None)
        for name, value in sorted(self.settings.items()):
            self._note_value(tables, name, value, self.snapshot, None)

    def scope(self, index: int) -> Snapshot:
        """Return the values as the program of the entry at a position sees them."""
        entry = self.entries[index]
        return _Values(
            {**self.settings, **self.overrides[index]},
            config_directory=self.directory,
            process_name=entry.fields[7],
            service_name=entry.fields[0],
            services=self.service,
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
            self._refer(value, self.overrides, where)
        else:
            self._refer(value, [self.overrides[index]], where, index)
        if parameter is not None:
            self._note_tables(tables, expand(scope, value), index)

    def _refer(self, value: str, overrides: list[dict[str, str]], where: str | None, index: int | None = None) -> None:
        """Note the names in a value; those that nobody sets get a warning, unless it is a default (*where* None)."""
        if "$" not in value:
            return
        try:
            for name in referenced_names(value):
                self._use(name, overrides, where, index)
        except MacroError as error:
            warn(str(error))

    def _use(self, name: str, overrides: list[dict[str, str]], where: str | None, index: int | None) -> None:
        known = self.find(name) is not None or self.is_legacy(name)
        if index is not None and name in overrides[0]:
            self._learn(name, index, index)
            return
        if name in self.settings and self.find(name) is None:
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
        if self.verbose and name not in known and not (place is None and self.is_legacy(name)):
            tell(f"${name} in {self._file(source)} validates {name}=value in {self._file(place)}")
        known.add(name)

    def _file(self, index: int | None) -> str:
        return "main.cf" if index is None else f"master.cf:{self.entries[index].key}"

    def _restriction_classes(self, settings: dict[str, str], index: int | None) -> None:
        """Note the names of the classes; what the value refers to is looked up beside it only."""
        value = settings.get("smtpd_restriction_classes")
        if not value:
            return
        overrides = self.overrides if index is None else [self.overrides[index]]
        where = self.main_path if index is None else self.master_path
        scope = _MainCfAlone(settings, config_directory=self.directory, process_name="postconf")
        try:
            expanded = scope.expand(value)
        except ConfigError as error:
            if index is None or not error.warnings:
                raise
            text = f"dictionary {self.entries[index].key}: macro processing error"
            raise ConfigError(text, warnings=error.warnings) from None
        for name in split_blanks(expanded.replace(",", " ")):
            self._use(name, overrides, where, index)

    def _note_tables(self, tables: database_clients.Check, value: str, index: int | None) -> None:
        """Learn names such as ``ldapsource_server_host``, which a table ``ldap:ldapsource`` reads."""
        overrides = self.overrides if index is None else [self.overrides[index]]
        if index is None:
            made_names = tables.names(value, self.main_path, self.main_path)
        else:
            made_names = tables.names(value, self.master_path, f"{self.master_path}:{self.entries[index].key}")
        for made in made_names:
            self._use(made, overrides, None, index)


class _Values(Snapshot):
    """Values that know the defaults of the names that services make."""

    def __init__(
        self,
        settings: dict[str, str],
        *,
        config_directory: str,
        process_name: str,
        service_name: str = "",
        services: dict[str, Parameter[Any]] | None = None,
    ) -> None:
        super().__init__(
            settings, config_directory=config_directory, process_name=process_name, service_name=service_name
        )
        self._services = {} if services is None else services

    def _declared(self, name: str) -> Parameter[Any] | None:
        return self._services.get(name) or super()._declared(name)


class _MainCfAlone(Snapshot):
    """Values as they are before the defaults are known: a name that main.cf does not set is empty, but for a few."""

    def _written(self, name: str) -> str | None:
        return super()._written(name) if name in self._settings or name in _KNOWN_FIRST else None


def expand(snapshot: Snapshot, text: str) -> str:
    """Return the expanded text.  Raises Fatal, after the warning, for a malformed one."""
    try:
        return snapshot.expand(text)
    except ConfigError as error:
        if not error.warnings:
            raise
        for warning in error.warnings:
            warn(warning)
        raise Fatal("macro processing error") from None
