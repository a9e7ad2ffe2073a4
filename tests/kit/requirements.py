"""What a test needs from the machine, and how it is skipped, loudly, where that is missing.

In CI (the environment variable ``CI`` is ``true``) nothing is skipped: a missing thing fails the test.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from .programs import ProgramsMissing, everyones_interpreter
from .reference import ReferenceMissing, reference

MISSING = (ReferenceMissing, ProgramsMissing)


def in_ci() -> bool:
    """Tell whether this run may skip nothing."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def missing(what: object) -> NoReturn:
    """Skip the running test because *what* is missing; fail it in CI."""
    text = f"not run: {what}"
    if in_ci():
        pytest.fail(f"{text} (nothing is skipped in CI)", pytrace=False)
    pytest.skip(text)


def need_reference(kind: str = "reference") -> None:
    """Skip (in CI: fail) the running test unless the reference runs here."""
    try:
        reference(kind)
        everyones_interpreter()
    except MISSING as reason:
        missing(reason)


def need_root() -> None:
    """Skip (in CI: fail) the running test unless it runs as root."""
    if os.getuid() != 0:
        missing("needs root")
