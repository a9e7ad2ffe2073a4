"""The manual: pages as they stand in ``man/``, and what is made from the declarations of the parameters.

The page of main.cf, postconf(5), is made here entirely: a declaration is the source of a parameter's type, default,
range, reader and meaning.  In any other page, a line ``.\\" PARAMETERS Class`` is replaced by a list of what the
programs with that class of settings read beyond what every program reads.  Pages are in the language of mdoc(7).
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pyfix.config.catalogue import MODULES
from pyfix.config.families import FAMILIES
from pyfix.config.parameter import Parameter
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Settings
from pyfix.install.launchers import COMMANDS
from pyfix.install.roff import escape, prose, reference

_WITHOUT_OWN = ("showq", "tlsmgr")
"""Modules with a program's settings but no parameters of their own, which the catalogue does not need."""
_PROGRAM = re.compile(r"[a-z_-]+\([18]\)")
_COMMANDS = frozenset((*COMMANDS, "postmulti", "posttls-finger"))
_LIST = re.compile(r'(?m)^\.\\" PARAMETERS (\w+)\n')
_TYPES = {
    "string": "text",
    "raw": "text, $name in it replaced when it is used",
    "int": "integer",
    "long": "integer of 64 bits",
    "bool": "yes or no",
    "time": "time",
}
_LENGTH = ("string", "raw")


@dataclass(frozen=True, slots=True)
class Described:
    """A parameter with what its declaration says about it."""

    declaration: Parameter[Any]
    meaning: str
    """What the parameter is for, one or two sentences."""
    readers: tuple[str, ...]
    """The programs that read it, as ``name(section)``; empty: every program."""

    @property
    def name(self) -> str:
        """Its name in main.cf."""
        return self.declaration.name


@cache
def settings_classes() -> dict[str, type[Settings]]:
    """Return the classes in which parameters are declared, by name."""
    found: dict[str, type[Settings]] = {}
    for name in (*MODULES, *_WITHOUT_OWN):
        module = import_module(f"pyfix.config.parameters.{name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Settings) and value.__module__ == module.__name__:
                found[value.__name__] = value
    return found


@cache
def described() -> dict[str, Described]:
    """Return all parameters that a main.cf may have, by name in the order of the alphabet."""
    found: dict[str, Described] = {}
    for owner in settings_classes().values():
        meanings = _meanings(owner)
        for attribute, value in vars(owner).items():
            if isinstance(value, Parameter) and not value.legacy:
                found[value.name] = Described(value, meanings.get(attribute, ""), _readers(owner, attribute))
    return dict(sorted(found.items()))


def _meanings(owner: type[Settings]) -> dict[str, str]:
    """Return the text below each declaration in the source of a class."""
    (tree,) = ast.parse(inspect.getsource(owner)).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for statement, following in zip(tree.body, tree.body[1:], strict=False):
        match statement, following:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text).replace("\n", " ")
            case _:
                continue
    return found


def _readers(owner: type[Settings], attribute: str) -> tuple[str, ...]:
    declaration = vars(owner)[attribute]
    if declaration.readers:
        return tuple(f"{name}({1 if name in _COMMANDS else 8})" for name in declaration.readers.split())
    if issubclass(MailSettings, owner):
        return ()
    readers: set[str] = set()
    for settings in settings_classes().values():
        if issubclass(settings, owner) and inspect.getattr_static(settings, attribute) is declaration:
            readers.update(_PROGRAM.findall((settings.__doc__ or "").rpartition(": ")[2]))
    return tuple(sorted(readers))


def parameters_of(class_name: str) -> list[Described]:
    """Return what the programs with these settings read and not every program does.  Raises KeyError."""
    settings = settings_classes()[class_name]
    attributes = settings.parameters() if class_name != "MailSettings" else ()
    names = {inspect.getattr_static(settings, name).name for name in attributes}
    return [found for name, found in described().items() if name in names and found.readers]


def finished(page: str) -> str:
    """Return a page with its lists of parameters put in.  Raises KeyError for a class that is not there."""
    return _LIST.sub(lambda found: _short_list(parameters_of(found[1])), page)


def _short_list(parameters: list[Described]) -> str:
    lines = [".Bl -tag -width Ds"]
    for found in parameters:
        lines += [f".It Va {found.name} Pq {_default(found.declaration)}", *prose(found.meaning)]
    return "\n".join([*lines, ".El", ""])


def postconf_page(head: str) -> str:
    """Return the page of main.cf: *head*, which describes the file, with all parameters in the place of its mark."""
    lines = [".Bl -tag -width Ds"]
    for found in described().values():
        lines += [f".It Va {found.name}", *prose(found.meaning), ".br", *_facts(found)]
    lines.append(".El")
    families = [".Bl -tag -width Ds"]
    for family in FAMILIES:
        families += [
            f".It Va service{family.suffix} Pq default: Va {family.default}",
            f"Services of {', '.join(family.programs)}.",
        ]
    families.append(".El")
    return head.replace('.\\" ALL PARAMETERS', "\n".join(lines)).replace('.\\" FAMILIES', "\n".join(families))


def _facts(found: Described) -> list[str]:
    declaration = found.declaration
    lines = [f"{_TYPES[declaration.kind].capitalize()}{_range(declaration)}."]
    if declaration.own:
        lines.append("A parameter of pyfix, unknown to Postfix.")
    if declaration.deprecated:
        lines.append(f"Deprecated: {escape(declaration.deprecated)}.")
    lines.append(f"Default: {_default(declaration)}.")
    lines.append(f"Read by {', '.join(found.readers) if found.readers else 'every program'}.")
    return [lines[0], *lines[1:-1], *(reference(lines[-1]) if found.readers else [lines[-1]])]


def _range(declaration: Parameter[Any]) -> str:
    unit = " bytes" if declaration.kind in _LENGTH else " seconds" if declaration.kind == "time" else ""
    match declaration.minimum, declaration.maximum:
        case None, None:
            return ""
        case least, None:
            return ", not empty" if unit == " bytes" and least == 1 else f", at least {least}{unit}"
        case None, most:
            return f", at most {most}{unit}"
        case least, most:
            return f", {least} to {most}{unit}"


def _default(declaration: Parameter[Any]) -> str:
    if not isinstance(declaration.default, str):
        return "depends on the host"
    return escape(declaration.default) or "empty"


def write_pages(source: Path, target: Path) -> None:
    """Write the finished pages of the folder *source* below *target*, ``man1`` to ``man8``, each of mode 644."""
    for page in sorted(source.glob("man[1-8]/*.[1-8]")):
        text = page.read_text()
        text = postconf_page(text) if page.name == "postconf.5" else finished(text)
        folder = target / page.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f".{page.name}.new"
        new.write_text(text)
        new.chmod(0o644)
        new.replace(folder / page.name)
