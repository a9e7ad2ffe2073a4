"""Fixtures of all tests; what they give is described in ``tests/kit``."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.parity import InstancePool, Parity
from tests.known_failures import KNOWN_FAILURES
from tests.parity.known_differences import KNOWN_DIFFERENCES

if TYPE_CHECKING:
    from tests.kit.tls import World


@pytest.fixture(scope="session")
def instance_pool() -> Iterator[InstancePool]:
    """Running instances that one test leaves to the next."""
    pool = InstancePool()
    yield pool
    pool.close()


@pytest.fixture
def parity(instance_pool: InstancePool) -> Parity:
    """Run a case on the reference and on pyfix and compare: ``parity(case)``; see ``tests.kit.parity.Parity``."""
    first, second = os.environ.get("PYFIX_PARITY_SIDES", "reference,pyfix").split(",")
    for kind in {first, second} - {"pyfix"}:
        requirements.need_reference(kind)
    return Parity(instance_pool, KNOWN_DIFFERENCES, (first, second))


@pytest.fixture
def new_instance() -> Iterator[Callable[..., Instance]]:
    """Make instances that end with the test: ``new_instance("reference", replace={"smtpd": "pyfix"})``; not started."""
    with ExitStack() as stack:

        def make(kind: str = "pyfix", **arguments: Any) -> Instance:
            for side in {kind, *(arguments.get("replace") or {}).values()} - {"pyfix"}:
                requirements.need_reference(side)
            try:
                return stack.enter_context(Instance(kind, **arguments))
            except requirements.MISSING as reason:
                requirements.missing(reason)

        yield make


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Keys and certificates that daemons can read: see ``tests.kit.tls.World``."""
    from tests.kit.tls import make_world  # most tests have no use for cryptography

    folder = tmp_path_factory.mktemp("tls")
    for path in (folder, folder.parent):
        path.chmod(0o755)
    return make_world(folder)


@pytest.fixture(autouse=True)
def _no_environment_of_others() -> Iterator[None]:
    """Undo what a command under test has done to the environment of this process: its own ends with it."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    for name, value in before.items():
        if name != "PYTEST_CURRENT_TEST" and os.environ.get(name) != value:
            os.environ[name] = value


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that are known to fail."""
    for item in items:
        for pattern, reason in KNOWN_FAILURES.items():
            if fnmatch.fnmatchcase(item.nodeid.replace("[", "("), f"*{pattern.replace('[', '(')}"):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=False))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked as needing something that is not here."""
    if item.get_closest_marker("root"):
        requirements.need_root()
    if marker := item.get_closest_marker("reference"):
        requirements.need_reference(*marker.args)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a test that skipped itself makes the whole run fail, whatever its reason."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if requirements.in_ci() and reporter is not None and reporter.stats.get("skipped") and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly what was not run, and why."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", ()):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        terminalreporter.section("NOT RUN", sep="!", yellow=True, bold=True)
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count:5} tests: {reason.removeprefix('Skipped: ')}", yellow=True)
        if requirements.in_ci():
            terminalreporter.line("In CI nothing may be skipped: this run has failed.", red=True, bold=True)
