"""Both files as the checks see them: values with the lines that they stand in, services with their own values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyfix.commands.postfix.doctor.finding import Place
from pyfix.commands.postfix.doctor.host import Host
from pyfix.config import main_cf, master_cf
from pyfix.config.errors import ConfigError
from pyfix.config.master_cf import ServiceEntry
from pyfix.config.parameter import split_words
from pyfix.config.snapshot import Snapshot
from pyfix.formats.macros import compare_levels

__all__ = ["Examination", "Service"]

_LOOPBACK = re.compile(r"(127\.[0-9.]+|\[?::1\]?|localhost|ip6-localhost)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Service:
    """One service of master.cf, and the parameters as its program sees them."""

    entry: ServiceEntry
    place: Place
    overrides: dict[str, str]
    """The -o options as written, of two with one name the last."""
    snapshot: Snapshot

    @property
    def title(self) -> str:
        """The service as a person would call it: ``submission inet``."""
        return f"{self.entry.name} {self.entry.type}"

    @property
    def listens_on_loopback_only(self) -> bool:
        """Whether no other host can reach the service."""
        host = self.entry.name.rpartition(":")[0]
        if host:
            return _LOOPBACK.fullmatch(host) is not None
        words = split_words(self.snapshot.value("inet_interfaces").lower())
        return bool(words) and all(word == "loopback-only" or _LOOPBACK.fullmatch(word) for word in words)


class Examination:
    """What is looked at.  Raises ConfigError for files that no program could read either."""

    def __init__(self, directory: str, host: Host) -> None:
        self.directory = directory
        self.host = host
        self.main_path = f"{directory}/main.cf"
        self.master_path = f"{directory}/master.cf"
        self.snapshot = Snapshot.read(directory, process_name="smtpd")
        text = main_cf.read_text(self.main_path)
        self._main_lines = text.split("\n")
        self.lines: dict[str, int] = {}
        """Where main.cf sets a parameter; the last place, which counts."""
        self.earlier: list[tuple[str, int, str]] = []
        """Settings that a later one replaces: name, line, value."""
        values: dict[str, str] = {}
        for number, line in main_cf.logical_lines(text, self.main_path, _ignore):
            assignment = main_cf.split_assignment(line)
            if isinstance(assignment, str):
                continue
            name, value = assignment
            if name in values and values[name] != value:
                self.earlier.append((name, self.lines[name], values[name]))
            values[name], self.lines[name] = value, number
        self.services = tuple(self._services())

    def _services(self) -> Iterator[Service]:
        self._master_lines = main_cf.read_text(self.master_path).split("\n")
        old = compare_levels(self.snapshot.value("compatibility_level"), "1") < 0
        settings = {name: self.snapshot.raw(name) or "" for name in self.snapshot.names}
        for entry in master_cf.read_master_cf(self.master_path, compatibility_chroot=old):
            try:
                overrides = dict(master_cf.overrides(entry.arguments))
            except ConfigError as error:
                raise ConfigError(f"{self.master_path}: line {entry.line}: {error}") from None
            snapshot = Snapshot(
                {**settings, **overrides},
                config_directory=self.directory,
                process_name=entry.command,
                service_name=entry.name,
            )
            yield Service(entry, Place(self.master_path, entry.line), overrides, snapshot)

    # Services

    def of_program(self, *programs: str) -> Iterator[Service]:
        """Yield the services that run one of *programs*."""
        return (service for service in self.services if service.entry.command in programs)

    def scopes(self, *programs: str) -> Iterator[tuple[Service | None, Snapshot]]:
        """Yield main.cf's own values, then those of each service of *programs* that has options of its own.

        Without a service of these programs nobody reads the parameters, and nothing is yielded.
        """
        services = list(self.of_program(*programs))
        if services:
            yield None, self.snapshot
        yield from ((service, service.snapshot) for service in services if service.overrides)

    def rewriting(self, snapshot: Snapshot) -> Snapshot:
        """Return the values of the trivial-rewrite(8) service that a program with these values asks."""
        name = snapshot.value("rewrite_service_name")
        return next((one.snapshot for one in self.services if one.entry.name == name), self.snapshot)

    def has_service(self, name: str, *, types: tuple[str, ...] = ("unix", "fifo", "unix-dgram")) -> bool:
        """Tell whether master.cf has a local service *name*."""
        return any(service.entry.name == name and service.entry.type in types for service in self.services)

    # Places

    def is_set(self, name: str, service: Service | None = None) -> bool:
        """Tell whether main.cf, or an option of *service*, sets the parameter."""
        return name in self.lines or (service is not None and name in service.overrides)

    def place(self, name: str, service: Service | None = None, word: str = "") -> Place:
        """Return where the value of a parameter comes from: an option of *service*, main.cf, or main.cf as a whole.

        With *word*, the very line of a long value that has the word.
        """
        if service is not None and name in service.overrides:
            option = re.compile(rf"(^|\s)-o\s*\{{?\s*{re.escape(name)}\s*=")
            start = service.entry.line
            for number in self._logical(self._master_lines, start):
                if option.search(self._master_lines[number - 1]):
                    return Place(self.master_path, number)
            return service.place
        start = self.lines.get(name, 0)
        if not start:
            return Place(self.main_path)
        if word:
            for number in self._logical(self._main_lines, start):
                if word in self._main_lines[number - 1]:
                    return Place(self.main_path, number)
        return Place(self.main_path, start)

    @staticmethod
    def _logical(lines: list[str], start: int) -> Iterator[int]:
        """Yield the numbers of the lines of one logical line, comments inside it left out."""
        yield start
        for number in range(start + 1, len(lines) + 1):
            line = lines[number - 1]
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            if line[0] not in " \t":
                return
            yield number

    # Writing

    @staticmethod
    def assignment(name: str, value: str, service: Service | None = None) -> str:
        """Return the line that gives a parameter a value, as an option of *service* where it has one already."""
        if service is None or name not in service.overrides:
            return f"{name} = {value}"
        return f"  -o {{ {name} = {value} }}" if any(blank in value for blank in " \t") else f"  -o {name}={value}"

    @property
    def queue_directory(self) -> str:
        """The folder that local sockets are named below."""
        return self.snapshot.value("queue_directory")

    def socket_path(self, path: str, service: Service | None = None) -> str:
        """Return a local socket's path on this machine, as the program of *service* names it."""
        if path.startswith("/") and not (service is not None and service.entry.chroot):
            return path
        return f"{self.queue_directory}/{path.lstrip('/')}"


def _ignore(_: str) -> None:
    """Take a warning: ``postfix check`` and the log have it."""
