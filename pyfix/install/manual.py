"""The manual: pages as they stand in ``man/``, completed with what the code and the configuration as shipped say.

A page is text in the language of mdoc(7).  A line ``.\\" MARK ...`` in it is replaced:

======================  ============================================================================
PARAMETERS name(8)      the parameters that this program reads and not every program does
ALL PARAMETERS          every parameter with type, range, default and readers
FAMILIES                the parameters that are named after services
SERVICES name           the entries of the shipped master.cf that run this program
RESTRICTIONS            what may stand in the restriction lists of smtpd(8)
======================  ============================================================================
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

from pyfix.config.families import FAMILIES
from pyfix.install.described import described, read_by
from pyfix.install.roff import escape, prose

_MARK = re.compile(r'(?m)^\.\\" (PARAMETERS|ALL PARAMETERS|FAMILIES|SERVICES|RESTRICTIONS)(?: (\S+))?\n')
_LINK = re.compile(r"(?m)^\.Xr (\S+) (\d)(.*)$")
_NAMES = re.compile(r"(?m)^(\.(?:It )?Va )(\w+_)")
_TITLE = re.compile(r"(?m)^\.Dt (\S+) (\d)$")


def finished(page: str, source: Path) -> str:
    """Return a page with its marks replaced; *source* is the checkout that has etc/postfix/master.cf."""
    lists: dict[str, Callable[[str], list[str]]] = {
        "PARAMETERS": _parameters,
        "ALL PARAMETERS": lambda _: _all_parameters(),
        "FAMILIES": lambda _: _families(),
        "SERVICES": lambda program: _services(program, (source / "etc/postfix/master.cf").read_text()),
        "RESTRICTIONS": lambda _: _restrictions(),
    }
    page = _MARK.sub(lambda found: "\n".join([*lists[found[1]](found[2] or ""), ""]), page)
    title = _TITLE.search(page)
    own = (title[1].lower(), title[2]) if title else ("", "")
    known = {(path.stem, path.suffix[1:]) for path in _pages(source)}

    def link(found: re.Match[str]) -> str:
        name, section, rest = found.groups()
        if (name, section) == own:
            return f".Nm{rest}"  # a page does not refer to itself
        if (name, section) in known:
            return found[0]
        return f"{escape(name)}({section}){rest.replace(' ', '')}"

    return _LINK.sub(link, _NAMES.sub(r"\1\\%\2", page))


def _pages(source: Path) -> list[Path]:
    return sorted((source / "man").glob("man[1-8]/*.[1-8]"))


def write_pages(source: Path, target: Path) -> None:
    """Write the finished pages of the checkout *source* below *target*, ``man1`` to ``man8``, each with mode 644."""
    for page in _pages(source):
        folder = target / page.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f".{page.name}.new"
        new.write_text(finished(page.read_text(), source))
        new.chmod(0o644)
        new.replace(folder / page.name)


def _listed(lines: list[str]) -> list[str]:
    return [".Bl -tag -width Ds", *lines, ".El"]


def _parameters(program: str) -> list[str]:
    lines: list[str] = []
    for found in read_by(program):
        # Between quotes, so that no word of a default is taken for a macro.
        lines += [f'.It Va {found.name} Pq "\\&{escape(found.default) or "empty"}"', *prose(found.meaning)]
    return _listed(lines) if lines else ["None."]


def _all_parameters() -> list[str]:
    lines: list[str] = []
    for found in described().values():
        declaration = found.declaration
        lines += [f".It Va {found.name}", *prose(found.meaning), ".br", f"{found.type.capitalize()}."]
        if declaration.own:
            lines.append("A parameter of pyfix, which Postfix does not know.")
        if declaration.deprecated:
            lines.append(f"Deprecated: {escape(declaration.deprecated)}.")
        lines += [f"Default: {escape(found.default)}." if found.default else "Empty by default."]
        lines += prose(f"Read by {', '.join(found.readers)}.") if found.readers else ["Read by every program."]
    return _listed(lines)


def _families() -> list[str]:
    lines: list[str] = []
    for family in FAMILIES:
        programs = ", ".join(f"{name}(8)" for name in family.programs)
        lines += [f".It Ar service Ns Va {family.suffix} Pq ${family.default}", *prose(f"For services of {programs}.")]
    return _listed(lines)


def _services(program: str, master: str) -> list[str]:
    entries = re.findall(rf"(?m)^\w\S+(?:\s+\S+){{6}}\s+{re.escape(program)}$", master)
    # A program that is there for a while only has no entry; an empty display would be an error.
    return [".Bd -literal -offset indent", *(escape(entry) for entry in entries or ["# none"]), ".Ed"]


def _restrictions() -> list[str]:
    from pyfix.access.restrictions import RESTRICTIONS, TAKES_ARGUMENT

    by_function: dict[object, list[str]] = {}
    for name, function in RESTRICTIONS.items():
        by_function.setdefault(function, []).append(name)
    lines: list[str] = []
    for check, names in by_function.items():
        argument = "" if names[0] not in TAKES_ARGUMENT else " Ar seconds" if names[0] == "sleep" else " Ar type:table"
        lines += [f".It Cm {name}{argument}" for name in names]
        lines += prose((inspect.getdoc(check) or "").partition("\n\n")[0].replace("\n", " "))
    return _listed(lines)
