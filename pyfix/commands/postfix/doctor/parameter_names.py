"""Which names mean something in main.cf and in -o options.

Source: postconf(5); postconf(1), "user-defined parameters", "service-defined parameters".
"""

from __future__ import annotations

import re
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination
from pyfix.config import catalogue
from pyfix.config.errors import ConfigError
from pyfix.config.families import FAMILIES, family_parameters
from pyfix.config.parameter import split_words
from pyfix.formats.macros import MacroError, referenced_names

__all__ = ["KnownNames"]

_NAMED_TABLE: Final = re.compile(r"(?<![\w/-])(?:ldap|mysql|pgsql|sqlite|memcache|mongodb):([A-Za-z0-9_-]+)")
_MAY_HAVE_NAMES: Final = ("process_id", "process_name", "service_name", "config_directory")


class KnownNames:
    """The names that the two files give a meaning to."""

    def __init__(self, examination: Examination) -> None:
        self.builtin = catalogue.all_parameters()
        services = {service.entry.name: service.entry.command for service in examination.services}
        self.of_services = family_parameters(services)
        self.referenced: set[str] = set()
        self._prefixes: set[str] = set()
        values = [(name, examination.snapshot.raw(name) or "") for name in examination.lines]
        values += [item for service in examination.services for item in service.overrides.items()]
        for name, value in values:
            self._prefixes |= {f"{table}_" for table in _NAMED_TABLE.findall(value)}
            if name == "smtpd_restriction_classes":
                try:
                    self.referenced |= set(split_words(examination.snapshot.expand(value)))
                except ConfigError:
                    pass
            try:
                self.referenced |= set(referenced_names(value))
            except MacroError:
                pass  # bad_values tells of it

    def has(self, name: str) -> bool:
        """Say whether anything reads a parameter of this name."""
        return (
            name in self.builtin
            or name in _MAY_HAVE_NAMES
            or name in self.of_services
            or name in self.referenced
            or catalogue.find(name) is not None
            or any(name.startswith(prefix) for prefix in self._prefixes)
        )

    @staticmethod
    def service_of(name: str) -> str:
        """Return the service that a name such as ``dovecot_destination_recipient_limit`` is about, else empty."""
        found = [family.suffix for family in FAMILIES if name.endswith(family.suffix)]
        return name.removesuffix(max(found, key=len)) if found else ""
