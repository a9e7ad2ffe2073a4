"""The reference's cleanup and pyfix's, side by side, each under the reference's master."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.parity import discard

from .side import Compare, CompareAll, Seen, Side, Submission

_KEPT = 5
"""Pairs of instances that wait for the next test with the same configuration."""
_AT_ONCE = {"in_flow_delay": "0"}
"""Each refused message costs the reference a flow token; without them the next ones would wait."""
Sides = Callable[..., tuple[Side, Side]]
_SERVICES: dict[str, str | None] = {"tlsmgr": None, "scache": None, "verify": None, "flush": None}


@pytest.fixture(scope="session")
def sides() -> Iterator[Sides]:
    """Return a function that gives both sides with a configuration and files; the last few go on running."""
    requirements.need_reference()
    running: OrderedDict[str, tuple[Side, Side]] = OrderedDict()

    def get(
        main: Mapping[str, str], files: Mapping[str, str] | None = None, services: Mapping[str, str] | None = None
    ) -> tuple[Side, Side]:
        key = repr((sorted(main.items()), sorted((files or {}).items()), services))
        if key not in running:
            with ExitStack() as stack:
                pair = []
                # pyfix's own master forks its many cleanups; the reference's would start an interpreter for each.
                ours: tuple[str, dict[str, str] | None] = ("pyfix", None) if services else ("reference", {"cleanup": "pyfix"})
                for kind, replace in (("reference", None), ours):
                    lines = {**_SERVICES, **(services or {})}
                    instance = stack.enter_context(Instance(kind, {**_AT_ONCE, **main}, lines, replace, files))
                    instance.start()
                    pair.append(Side(instance))
                stack.pop_all()
            running[key] = (pair[0], pair[1])
        running.move_to_end(key)
        while len(running) > _KEPT:
            end(running.popitem(last=False)[1])
        return running[key]

    def end(pair: tuple[Side, Side]) -> None:
        for side in pair:
            discard(side.instance)

    yield get
    while running:
        end(running.popitem()[1])


@pytest.fixture
def compare(sides: Sides) -> Compare:
    """Return a function that brings the same records to both sides and fails unless both made the same of them."""

    def both(
        stream: bytes, flags: int = 4 | 16 | 32, *, main: Mapping[str, str] | None = None, **options: object
    ) -> Seen:
        theirs, ours = [side.submit(stream, flags, **options) for side in sides(main or {})]  # type: ignore[arg-type]  # submit's own
        assert ours.file == theirs.file
        assert ours == theirs
        return ours

    return both


@pytest.fixture
def compare_all(sides: Sides) -> CompareAll:
    """Return a function that brings many messages to both sides and fails unless both made the same of each."""

    def all_of(
        messages: Mapping[str, Submission],
        *,
        main: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        services: Mapping[str, str] | None = None,
    ) -> list[Seen]:
        pair = sides(main or {}, files, services)
        (theirs, their_rest), (ours, our_rest) = [side.submit_all(list(messages.values())) for side in pair]
        different = {
            name: (seen, expected)
            for name, seen, expected in zip(messages, ours, theirs, strict=True)
            if seen != expected
        }
        for name, (seen, expected) in different.items():
            print(f"{name}\n  reference {expected}\n  pyfix     {seen}")
        assert not different, list(different)
        assert our_rest == their_rest
        return ours

    return all_of
