"""Showing master.cf: entries (-M), fields (-F) and parameters (-P)."""

from __future__ import annotations

from functools import partial

from pyfix.commands.postconf.configuration import Configuration, expand
from pyfix.commands.postconf.entries import FIELDS, Entry, Pattern
from pyfix.commands.postconf.layout import Layout, json_pair, width
from pyfix.commands.postconf.messages import Fatal, print_text, warn

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyfix.config.snapshot import Snapshot

__all__ = ["show_services"]

_FORMS = {
    "M": (2, "-M option requires service_name[/type]"),
    "F": (3, "-F option requires service_name[/type[/field]]"),
    "P": (3, "-P option requires service_name[/type[/parameter]]"),
}


def show_services(
    configuration: Configuration, mode: str, arguments: Sequence[str], layout: Layout, *, expanded: bool
) -> None:
    """Print what the arguments (none: everything) select.  Raises Fatal for a malformed one."""
    parts, complaint = _FORMS[mode]
    patterns = [Pattern.parse(argument, parts, complaint) for argument in arguments or ["*"]]
    if mode == "F":
        for pattern in patterns:
            if pattern.item not in (*FIELDS, "*"):
                raise Fatal(f'invalid service attribute name: "{pattern.item}"')
    out: list[str] = []
    for index, written in enumerate(configuration.entries):
        chosen = [pattern for pattern in patterns if pattern.matches(written)]
        if not chosen:
            continue
        scope = configuration.scope(index) if expanded else None
        entry = written.shown(None if scope is None or mode == "P" else partial(expand, scope))
        for pattern in chosen:
            if mode == "P":
                texts = _parameter_texts(entry.key, configuration.overrides[index], scope, pattern.item, layout)
            else:
                texts = _TEXTS[mode](entry, pattern.item, layout)
            pattern.matched = pattern.matched or bool(texts)
            out += texts
    print_text("".join(out))
    for pattern in patterns:
        if not pattern.matched and arguments:
            warn(f'unmatched request: "{pattern.text}"')


def _entry_text(entry: Entry, _item: str, layout: Layout) -> list[str]:
    if layout.json:
        return [json_pair(entry.key, entry.line(aligned=False))]
    return [entry.line(folded=layout.folded) + "\n"]


def _field_texts(entry: Entry, item: str, layout: Layout) -> list[str]:
    return [_field_text(entry, field, layout) for field in FIELDS if item in ("*", field)]


def _field_text(entry: Entry, field: str, layout: Layout) -> str:
    name = f"{entry.key}/{field}"
    if layout.json or not layout.value:
        return layout.setting(name, entry.field(field))
    label = f"{name} = " if layout.name else ""
    if field == "command":
        return f"{label}{entry.command_text(folded=layout.folded, column=width(label))}\n"
    return f"{label}{entry.field(field)}\n"


def _parameter_texts(
    key: str, overrides: dict[str, str], scope: Snapshot | None, item: str, layout: Layout
) -> list[str]:
    return [
        layout.setting(f"{key}/{name}", value if scope is None else expand(scope, value))
        for name, value in sorted(overrides.items())
        if item in ("*", name)
    ]


_TEXTS: dict[str, Callable[[Entry, str, Layout], list[str]]] = {
    "M": _entry_text,
    "F": _field_texts,
}
