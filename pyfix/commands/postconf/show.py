"""Showing main.cf parameters, and warnings about those that nothing reads."""

from __future__ import annotations

from pyfix.commands.postconf.configuration import Configuration, expand
from pyfix.commands.postconf.messages import print_text, warn
from pyfix.config import catalogue
from pyfix.config.snapshot import Snapshot

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyfix.commands.postconf.layout import Layout

__all__ = ["show_parameters", "warn_unused"]

_README = "See https://www.postfix.org/DEPRECATION_README.html for details"


class Shown:
    """What is shown of each parameter."""

    def __init__(self, configuration: Configuration, layout: Layout, *, defaults: bool, only_set: bool, expanded: bool):
        self._configuration = configuration
        self._layout = layout
        self._defaults = defaults
        self._only_set = only_set
        self._expanded = expanded
        self._snapshot = Snapshot({}, process_name="postconf") if defaults else configuration.snapshot

    def text(self, name: str) -> str | None:
        """Return the lines to print; empty when there is nothing to show, None for a name that is not known."""
        configuration = self._configuration
        parameter = configuration.find(name)
        if parameter is None and configuration.is_legacy(name):
            parameter = catalogue.all_parameters()[name]
        if parameter is None and (self._defaults or name not in configuration.user):
            return None
        value = None if self._defaults else configuration.settings.get(name)
        if value is None or name in ("process_id", "process_name"):
            if parameter is None or self._only_set:
                return ""
            value = parameter.default_text(self._snapshot)
        if self._expanded and (parameter is None or parameter.expanded):
            value = expand(self._snapshot, value)
        return self._layout.setting(name, value)


def show_parameters(shown: Shown, names: Iterable[str], *, asked: bool) -> None:
    """Print the parameters; a name that was *asked* for and is not known gets a warning."""
    out: list[str] = []
    for name in names:
        text = shown.text(name)
        if text is None:
            if asked:
                warn(f"{name}: unknown parameter")
        else:
            out.append(text)
    print_text("".join(out))


def listed_names(configuration: Configuration, classes: Sequence[str]) -> list[str]:
    """Return the names of the selected classes in their order."""
    names: set[str] = set()
    if "builtin" in classes:
        names.update(configuration.builtin)
    if "service" in classes:
        names.update(configuration.service)
    if "user" in classes:
        names.update(configuration.user)
    return sorted(names)


def warn_unused(configuration: Configuration, *, main: bool) -> None:
    """Warn about settings that no program reads and about those that will go; main.cf only when asked."""
    deprecated: list[str] = []
    if main:
        for name, value in sorted(configuration.settings.items()):
            if configuration.find(name) is None and name not in configuration.user:
                warn(f"{configuration.main_path}: unused parameter: {name}={value}")
        deprecated += [_advice(configuration.main_path, name) for name in sorted(configuration.settings)]
    unused: list[tuple[str, str]] = []
    old: list[str] = []
    for overrides, local in zip(configuration.overrides, configuration.local, strict=True):
        for name, value in sorted(overrides.items()):
            old.append(name)
            known = configuration.find(name) is not None or name in local or name in configuration.user
            if not known and not configuration.is_legacy(name):
                unused.append((name, value))
    for name, value in unused:
        warn(f"{configuration.master_path}: unused parameter: {name}={value}")
    deprecated += [_advice(configuration.master_path, name) for name in old]
    deprecated = [text for text in deprecated if text]
    for text in deprecated:
        warn(text)
    if deprecated:
        warn(_README)


def _advice(where: str, name: str) -> str:
    parameter = catalogue.all_parameters().get(name)
    if parameter is None or not parameter.deprecated:
        return ""
    return f'{where}: support for parameter "{name}" will be removed; instead, {parameter.deprecated}'
