"""One daemon of the other side in an otherwise whole system, for each daemon, and mail flowing through it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kit import exercise
from tests.kit.instance import Instance

DAEMONS = (
    "anvil",
    "bounce",
    "cleanup",
    "discard",
    "error",
    "flush",
    "local",
    "pickup",
    "postlogd",
    "proxymap",
    "qmgr",
    "scache",
    "showq",
    "smtpd",
    "tlsmgr",
    "trivial-rewrite",
    "verify",
    "virtual",
)

MIXED_WITH_37 = exercise.MAIN | {"pyfix_internal_protocol": "3.7"}
"""The internal lists of 3.7 differ slightly from those of 3.11."""

pytestmark = pytest.mark.reference


def run(mta: Instance) -> None:
    mta.start()
    exercise.exercise(mta)
    mta.stop()


@pytest.mark.parametrize("daemon", [*DAEMONS, "master"])
def test_pyfix_daemon_under_the_reference(new_instance: Callable[..., Instance], daemon: str) -> None:
    """The real master starts pyfix's daemon, and real daemons and commands talk with it."""
    run(new_instance("reference", main=exercise.MAIN, replace={daemon: "pyfix"}))


@pytest.mark.parametrize("daemon", [*DAEMONS, "master"])
def test_reference_daemon_under_pyfix(new_instance: Callable[..., Instance], daemon: str) -> None:
    """pyfix's master starts the real daemon, and pyfix's daemons and commands talk with it."""
    run(new_instance("pyfix", main=exercise.MAIN, replace={daemon: "reference"}))


@pytest.mark.parametrize("daemon", [*DAEMONS, "master"])
def test_pyfix_daemon_under_reference_37(new_instance: Callable[..., Instance], daemon: str) -> None:
    """The same with Postfix 3.7."""
    run(new_instance("reference37", main=MIXED_WITH_37, replace={daemon: "pyfix"}))


@pytest.mark.parametrize("daemon", [*DAEMONS, "master"])
def test_reference_37_daemon_under_pyfix(new_instance: Callable[..., Instance], daemon: str) -> None:
    """The same with Postfix 3.7."""
    run(new_instance("pyfix", main=MIXED_WITH_37, replace={daemon: "reference37"}))


@pytest.mark.parametrize("kind", ["reference", "reference37"])
def test_reference_alone(new_instance: Callable[..., Instance], kind: str) -> None:
    """The course itself is right: the reference alone passes it."""
    run(new_instance(kind, main=exercise.MAIN))


def test_pyfix_alone(new_instance: Callable[..., Instance]) -> None:
    run(new_instance("pyfix", main=exercise.MAIN))
