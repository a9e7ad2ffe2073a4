"""The lookup tables that the configuration names, and the files that they are in.

Source: DATABASE_README, postconf(1) option -m.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pyfix.commands.postfix.doctor.examination import Examination, Service
from pyfix.commands.postfix.doctor.finding import Place
from pyfix.config.errors import ConfigError

__all__ = ["INDEXED", "KINDS", "Reference", "is_cache", "references"]

INDEXED: Final = {"hash": ".db", "btree": ".db", "cdb": ".cdb", "lmdb": ".lmdb", "dbm": ".pag", "sdbm": ".pag"}
"""Types that have an indexed file beside their source, and its suffix."""
IN_TEXT: Final = ("regexp", "pcre", "cidr", "texthash")
"""Types that read their source itself."""
WITH_SECRETS: Final = ("ldap", "mysql", "pgsql", "sqlite", "mongodb", "memcache")
"""Types whose file says how to ask a database, often with a password."""
KINDS: Final = frozenset(
    {
        *INDEXED, *IN_TEXT, *WITH_SECRETS, "debug", "environ", "fail", "inline", "internal", "nis", "nisplus",
        "pipemap", "proxy", "randmap", "socketmap", "static", "tcp", "unionmap", "unix",
    }
)  # fmt: skip
"""Every type of table of Postfix 3.11."""

_REFERENCE: Final = re.compile(
    rf"(?<![\w:./-])(?:proxy:|debug:)*(?P<kind>{'|'.join((*INDEXED, *IN_TEXT, *WITH_SECRETS))}):(?P<name>[^\s,{{}}]+)"
)
_WITH_TABLES: Final = ("alias_maps", "alias_database")
"""Parameters that name tables by default, and are read by programs that every system runs."""
_ABOUT_TABLES: Final = ("proxy_read_maps", "proxy_write_maps", "non_bdb_custom_mapping")
"""Parameters that name tables which others use, caches among them."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One table, and the parameter that names it."""

    kind: str
    name: str
    parameter: str
    service: Service | None
    place: Place
    queue_directory: str

    @property
    def text(self) -> str:
        """The table as the parameter names it: ``type:name``."""
        return f"{self.kind}:{self.name}"

    @property
    def source(self) -> str:
        """The path of the text file.  A relative name counts from the folder that daemons work in."""
        return self.name if self.name.startswith("/") else f"{self.queue_directory}/{self.name}"

    @property
    def indexed(self) -> str:
        """The path of the indexed file, empty for types without one."""
        suffix = INDEXED.get(self.kind)
        return "" if suffix is None else self.source + suffix

    @property
    def build(self) -> str:
        """The command that makes the indexed file."""
        return f"{'postalias' if self.parameter.startswith('alias_') else 'postmap'} {self.text}"


def is_cache(parameter: str) -> bool:
    """Tell whether daemons make and fill the tables of a parameter themselves."""
    return "cache" in parameter or parameter in ("address_verify_map", "postscreen_cache_map")


def references(examination: Examination) -> Iterator[Reference]:
    """Yield each table in a file that a parameter names, once a parameter and service."""
    queue = examination.queue_directory
    names = [name for name in dict.fromkeys((*examination.lines, *_WITH_TABLES)) if name not in _ABOUT_TABLES]
    scopes: list[tuple[Service | None, list[str]]] = [(None, names)]
    scopes += [(service, list(service.overrides)) for service in examination.services]
    for service, parameters in scopes:
        snapshot = examination.snapshot if service is None else service.snapshot
        for parameter in parameters:
            try:
                value = snapshot.value(parameter)
            except ConfigError:
                continue
            for match in _REFERENCE.finditer(value):
                if match["kind"] in WITH_SECRETS and not match["name"].startswith("/"):
                    continue  # its settings are in main.cf
                place = examination.place(parameter, service, match["name"])
                yield Reference(match["kind"], match["name"], parameter, service, place, queue)
