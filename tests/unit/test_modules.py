"""Every module with code of its own has its tests, at the same path: pyfix/a/b.py in tests/unit/a/test_b.py."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WITHOUT_TESTS = {
    "config/parameters": "declarations only; config/test_catalogue.py looks at all of them",
    "config/errors.py": "an exception with three attributes; every fatal line of every test goes through it",
}
"""Modules, or whole folders, that need no file of their own, and why."""


def _modules() -> list[str]:
    return sorted(str(path.relative_to(ROOT / "pyfix")) for path in (ROOT / "pyfix").rglob("*.py"))


def _has_code(module: str) -> bool:
    """Tell whether a module has a function or a class: imports and literal tables need no tests of their own."""
    tree = ast.parse((ROOT / "pyfix" / module).read_text())
    return any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)) for node in ast.walk(tree))


def _is_excepted(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}/") for name in WITHOUT_TESTS)


def _tests_of(module: str) -> str:
    path = Path(module)
    name = path.parent.name if path.name == "__init__.py" else path.stem
    return f"tests/unit/{path.parent / f'test_{name}.py'}"


@pytest.mark.parametrize("module", [module for module in _modules() if _has_code(module) and not _is_excepted(module)])
def test_it_has_tests(module: str) -> None:
    path = ROOT / _tests_of(module)
    assert path.exists(), f"{_tests_of(module)} is missing"
    assert "\ndef test_" in path.read_text(), f"{_tests_of(module)} tests nothing"


def test_exceptions_are_needed() -> None:
    for name in WITHOUT_TESTS:
        path = ROOT / "pyfix" / name
        assert path.exists(), f"{name} is gone"
        assert path.is_dir() or not (ROOT / _tests_of(name)).exists(), f"{name} has tests now"
