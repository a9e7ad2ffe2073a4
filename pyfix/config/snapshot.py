"""One reading of main.cf, and the typed views on it."""

from __future__ import annotations

import os
import sys

import pyfix
from pyfix.config import main_cf
from pyfix.config.authorized import check_directory, has_borrowed_rights
from pyfix.config.errors import ConfigError
from pyfix.config.parameter import DECLARED, Parameter
from pyfix.formats.macros import MacroError, expand

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, ClassVar

__all__ = ["DEFAULT_CONFIG_DIRECTORY", "Settings", "Snapshot", "default_config_directory"]

DEFAULT_CONFIG_DIRECTORY = pyfix.CONFIG_DIRECTORY
_DEEPEST_NESTING = 100


def default_config_directory() -> str:
    """Return $MAIL_CONFIG or the built-in directory, which an installation below a folder of its own has changed."""
    return os.environ.get("MAIL_CONFIG") or pyfix.CONFIG_DIRECTORY


class Snapshot:
    """What main.cf and the ``-o`` options said at one moment; it never changes afterwards.

    Nothing is read from disk later, except where a value names a file by definition (``myorigin = /etc/mailname``)
    and where a default depends on the host (its name, its networks).
    """

    def __init__(
        self,
        settings: dict[str, str],
        *,
        config_directory: str = DEFAULT_CONFIG_DIRECTORY,
        process_name: str = "",
        service_name: str = "",
        warnings: Sequence[str] = (),
    ) -> None:
        self.config_directory = config_directory
        self.process_name = process_name or os.path.basename(sys.argv[0])
        self.service_name = service_name or "amnesiac"
        self.warnings = tuple(warnings)
        """What is to be logged about the file: duplicate entries, lines that are ignored."""
        self._settings = settings
        self._values: dict[str, str] = {}
        self._depth = 0

    @classmethod
    def read(
        cls,
        config_directory: str | None = None,
        overrides: Sequence[tuple[str, str]] = (),
        *,
        process_name: str = "",
        service_name: str = "",
    ) -> Snapshot:
        """Read main.cf in *config_directory* (None: $MAIL_CONFIG, else the built-in one) once.

        *overrides* are the ``-o name=value`` options; they win over the file, and a later one over an earlier one.
        Raises ConfigError when the file can't be read or has a malformed line, and in a set-gid program for a directory
        that the built-in one's main.cf does not list.
        """
        directory = default_config_directory() if config_directory is None else config_directory
        if directory != pyfix.CONFIG_DIRECTORY and has_borrowed_rights():
            check_directory(directory, pyfix.CONFIG_DIRECTORY)
        warnings: list[str] = []
        try:
            settings = main_cf.read_main_cf(f"{directory}/main.cf", warnings.append, {"config_directory": directory})
        except ConfigError as error:
            error.warnings = (*warnings, *error.warnings)  # about the lines before the one that cannot be used
            raise
        settings.update(overrides)
        if service_name:  # what -n says is set last, by each daemon
            settings.pop("service_name", None)
        snapshot = cls(
            settings,
            config_directory=directory,
            process_name=process_name,
            service_name=service_name,
            warnings=warnings,
        )
        shown = dict(overrides).get("process_name")
        if shown is not None:  # main.cf can't change it, an option can, for what is shown of it
            snapshot._values["process_name"] = shown
        return snapshot

    @property
    def names(self) -> tuple[str, ...]:
        """The names that main.cf or an option sets, in the order of their first appearance."""
        return tuple(self._settings)

    def raw(self, name: str) -> str | None:
        """Return the text as written; None when neither main.cf nor an option sets *name*."""
        return self._settings.get(name)

    def value(self, name: str) -> str:
        """Return the expanded text of main.cf or else of the default; empty for a name that nobody knows.

        Raises ConfigError when the text is malformed.
        """
        try:
            return self._values[name]
        except KeyError:
            pass
        try:
            return self._look_up(name, False) or ""
        except MacroError as error:
            raise _config_error(error) from None

    def expand(self, text: str) -> str:
        """Return *text* with the ``$name`` forms replaced by values of this snapshot.  Raises ConfigError."""
        try:
            return expand(text, self._look_up)
        except MacroError as error:
            raise _config_error(error) from None

    def default(self, name: str) -> str | None:
        """Return the default of *name* as written; None when no program declares it."""
        parameter = self._declared(name)
        return None if parameter is None else parameter.default_text(self)

    def service_value(self, service: str, suffix: str, default_parameter: str) -> str:
        """Return the value of ``<service><suffix>``, or of *default_parameter* when that is not set.

        Example: ``service_value("smtp", "_destination_concurrency_limit", "default_destination_concurrency_limit")``.
        """
        name = service + suffix
        if name in self._settings or self._declared(name) is not None:
            return self.value(name)
        return self.value(default_parameter)

    def with_overrides(self, overrides: Sequence[tuple[str, str]]) -> Snapshot:
        """Return a snapshot of the same reading with further ``-o name=value`` options."""
        return type(self)(
            {**self._settings, **dict(overrides)},
            config_directory=self.config_directory,
            process_name=self.process_name,
            service_name=self.service_name,
        )

    def _declared(self, name: str) -> Parameter[Any] | None:
        parameter = DECLARED.get(name)
        if parameter is None:
            from pyfix.config import catalogue  # it imports every declaration, which few programs need

            parameter = catalogue.find(name)
        return parameter

    def _written(self, name: str) -> str | None:
        if name == "process_name":  # main.cf can't change this and the next
            return self.process_name
        if name == "process_id":
            return str(os.getpid())
        text = self._settings.get(name)
        if text is not None:
            return text
        if name == "service_name":
            return self.service_name
        parameter = self._declared(name)
        return None if parameter is None else parameter.default_text(self)

    def _look_up(self, name: str, test: bool) -> str | None:
        if test:  # what is written decides, whatever it comes to
            return self._written(name)
        value = self._values.get(name)
        if value is not None:
            return value
        text = self._written(name)
        if text is None:
            return text
        if "$" not in text:
            self._values[name] = text
            return text
        if self._depth >= _DEEPEST_NESTING:
            raise MacroError(f'unreasonable macro call nesting: "{name}"')
        self._depth += 1
        try:
            value = self._values[name] = expand(text, self._look_up)
        finally:
            self._depth -= 1
        return value


class Settings:
    """Base of the typed views: the parameters that one program or one topic reads."""

    _parameters: ClassVar[dict[str, Parameter[Any]]]

    read_later: ClassVar[bool] = False
    """Whether programs read the parameters of this class only when they need them, not when they start."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    @classmethod
    def parameters(cls) -> dict[str, Parameter[Any]]:
        """Return the declarations of this class and its bases by attribute name, those of the bases first."""
        found: dict[str, Parameter[Any]] | None = cls.__dict__.get("_parameters")
        if found is None:
            found = {
                attribute: declaration
                for base in reversed(cls.__mro__)
                for attribute, declaration in base.__dict__.items()
                if isinstance(declaration, Parameter)
            }
            cls._parameters = found
        return found

    def check(self) -> None:
        """Evaluate what the program reads when it starts, as a Postfix program does; of no other parameter is told.

        Raises ConfigError with Postfix's fatal text for the first bad value.
        """
        program = self.snapshot.process_name
        later = {
            attribute
            for base in type(self).__mro__
            if base.__dict__.get("read_later", False)
            for attribute in base.__dict__
        }
        for attribute, declaration in self.parameters().items():
            if attribute not in later and declaration.is_read_by(program):
                getattr(self, attribute)


def _config_error(error: MacroError) -> ConfigError:
    if error.fatal:
        return ConfigError(str(error))
    return ConfigError("dictionary mail_dict: macro processing error", warnings=(*error.reasons, str(error)))
