"""Every parameter of main.cf with what its declaration says about it, for the manual."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from pyfix.config.catalogue import MODULES
from pyfix.config.parameter import Parameter
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Settings
from pyfix.install.launchers import COMMANDS

_WITHOUT_OWN = ("showq", "tlsmgr")
"""Modules with a program's settings but no parameters of their own, which the catalogue does not need."""
_PROGRAM = re.compile(r"[a-z_-]+\([18]\)")
_COMMANDS = frozenset((*COMMANDS, "postmulti", "posttls-finger"))
_TYPES = {
    "string": "text",
    "raw": "text, $name in it replaced when it is used",
    "int": "integer",
    "long": "integer of 64 bits",
    "bool": "yes or no",
    "time": "time",
}
_TEXTS = ("string", "raw")


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

    @property
    def type(self) -> str:
        """What its value is, with the range."""
        return _TYPES[self.declaration.kind] + _range(self.declaration)

    @property
    def default(self) -> str:
        """The default as ``postconf -d`` prints it, or that it depends on the host; empty where that is the default."""
        default = self.declaration.default
        return default if isinstance(default, str) else "depends on the host"


@cache
def described() -> dict[str, Described]:
    """Return all parameters that a main.cf may have, by name in the order of the alphabet."""
    found: dict[str, Described] = {}
    for owner in _settings_classes():
        meanings = _meanings(owner)
        for attribute, value in vars(owner).items():
            if isinstance(value, Parameter) and not value.legacy:
                found[value.name] = Described(value, meanings.get(attribute, ""), _readers(owner, attribute))
    return dict(sorted(found.items()))


def read_by(program: str) -> list[Described]:
    """Return what *program*, ``name(section)``, reads and not every program does."""
    return [found for found in described().values() if program in found.readers]


@cache
def _settings_classes() -> tuple[type[Settings], ...]:
    found: list[type[Settings]] = []
    for name in (*MODULES, *_WITHOUT_OWN):
        module = import_module(f"pyfix.config.parameters.{name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Settings) and value.__module__ == module.__name__:
                found.append(value)
    return tuple(found)


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
    """Return the programs that the declaration names, else those whose settings have the parameter."""
    declaration = vars(owner)[attribute]
    if declaration.readers:
        return tuple(f"{name}({1 if name in _COMMANDS else 8})" for name in declaration.readers.split())
    if issubclass(MailSettings, owner):
        return ()
    readers: set[str] = set()
    for settings in _settings_classes():
        if issubclass(settings, owner) and inspect.getattr_static(settings, attribute) is declaration:
            readers.update(_PROGRAM.findall((settings.__doc__ or "").rpartition(": ")[2]))
    return tuple(sorted(readers))


def _range(declaration: Parameter[Any]) -> str:
    unit = " bytes" if declaration.kind in _TEXTS else " seconds" if declaration.kind == "time" else ""
    match declaration.minimum, declaration.maximum:
        case None, None:
            return ""
        case least, None:
            if unit == " bytes" and least == 1:
                return ", not empty"
            return f", at least {least}{unit.removesuffix('s') if least == 1 else unit}"
        case None, most:
            return f", at most {most}{unit}"
        case least, most:
            return f", {least} to {most}{unit}"
