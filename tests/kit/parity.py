"""Running one case on both sides and comparing what it did there."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import spool
from .comparison import KnownDifference, differences, group_differences
from .instance import Instance
from .normalise import Normaliser

Case = Callable[[Instance], object]

_KEPT = 4
"""Running instances that wait for the next case with the same configuration."""


@dataclass(frozen=True)
class Observation:
    """What one side did in one case, normalised."""

    result: object
    transcript: list[str]
    log: dict[str, list[str]]
    delivered: dict[str, list[str]]
    queue: dict[str, list[str]]


@dataclass
class InstancePool:
    """Started instances, reused by cases that want the same configuration."""

    _waiting: OrderedDict[str, Instance] = field(default_factory=OrderedDict)

    def take(self, key: str, arguments: Mapping[str, Any]) -> Instance:
        """Return a running instance as configured, as good as new."""
        instance = self._waiting.pop(key, None)
        if instance is None:
            instance = Instance(**arguments)
            try:
                instance.start()
            except BaseException:
                discard(instance)
                raise
        else:
            instance.settle()  # what the case before has left behind belongs to it
        instance.forget()
        return instance

    def give_back(self, key: str, instance: Instance) -> None:
        """Keep an instance for the next case."""
        self._waiting[key] = instance
        while len(self._waiting) > _KEPT:
            discard(self._waiting.popitem(last=False)[1])

    def close(self) -> None:
        """End all instances."""
        while self._waiting:
            discard(self._waiting.popitem()[1])


def discard(instance: Instance) -> None:
    """End an instance and delete it."""
    instance.__exit__(None, None, None)


class Parity:
    """The ``parity`` fixture: ``parity(case)`` runs *case* against both sides and compares."""

    def __init__(self, pool: InstancePool, known: Collection[KnownDifference], kinds: tuple[str, str]) -> None:
        """*kinds* are the two sides, the reference first."""
        self._pool = pool
        self._known = known
        self._kinds = kinds

    def __call__(
        self,
        case: Case,
        *,
        main: Mapping[str, str] | None = None,
        master: str | Mapping[str, str | None] | None = None,
        files: Mapping[str, str | bytes] | None = None,
        accounts: Sequence[str] = (),
        replace: Mapping[str, str] | None = None,
        mounts: Mapping[str, str] | None = None,
        logs: bool | str | Collection[str] = False,
        deliveries: bool = False,
        queue: bool = False,
        fresh: bool = False,
    ) -> Observation:
        """Run *case* on both sides; fail unless its result and all transcripts are the same.

        *logs*: compare log lines too, of all programs or of those named (``"smtpd"``, without the syslog name).
        *deliveries*: compare what lies in the mailboxes.  *queue*: compare what lies in the queue, record by record.
        *fresh*: use new instances, for cases that start or stop them.  The other arguments are Instance's (*replace*
        changes the pyfix side only).  Returns what was seen on the pyfix side.
        """
        seen = []
        wanted = set() if isinstance(logs, bool) else {logs} if isinstance(logs, str) else set(logs)
        for side, kind in enumerate(self._kinds):
            arguments = {
                "kind": kind, "main": main, "master": master, "files": files, "accounts": accounts, "mounts": mounts,
            }  # fmt: skip
            if side:
                arguments["replace"] = replace
            key = f"{side} {arguments!r}"
            instance = self._pool.take(f"fresh {key}" if fresh else key, arguments)
            try:
                seen.append(self._observe(case, instance, logs=bool(logs), first=wanted, queue=queue))
            except BaseException:
                discard(instance)
                raise
            if fresh:
                discard(instance)
            else:
                self._pool.give_back(key, instance)
        theirs, ours = seen
        found = differences("transcript", theirs.transcript, ours.transcript, self._known)
        if logs:
            found += group_differences("log", _chosen(theirs.log, wanted), _chosen(ours.log, wanted), self._known)
        if deliveries:
            found += group_differences("delivered", theirs.delivered, ours.delivered, self._known)
        if queue:
            found += group_differences("queue", theirs.queue, ours.queue, self._known)
        if theirs.result != ours.result:
            found += _result_differences(theirs.result, ours.result)
        assert not found, "the two sides differ:\n" + "\n".join(found)
        return ours

    def _observe(self, case: Case, instance: Instance, *, logs: bool, first: Collection[str], queue: bool) -> Observation:
        result = case(instance)
        if logs:
            instance.settle()
        normaliser = Normaliser(instance.directory, instance.port, [(str(instance.daemon_directory), "<DAEMONS>")])
        normaliser.learn(instance.log_lines())
        return Observation(
            result=normaliser.text(result) if isinstance(result, str) else result,
            transcript=[normaliser.text(reply) for reply in instance.transcript],
            log=normaliser.log(instance.log_lines(), first),
            delivered={
                mailbox: [line for content in contents for line in normaliser.content(content).split("\n")]
                for mailbox, contents in instance.deliveries().items()
            },
            queue=_queue_records(instance, normaliser) if queue else {},
        )


def _result_differences(theirs: object, ours: object) -> list[str]:
    """Return how two results differ, texts of many lines line by line."""
    if isinstance(theirs, str) and isinstance(ours, str) and "\n" in theirs + ours:
        return differences("result", theirs.split("\n"), ours.split("\n"))
    return [f"result\n  reference: {theirs!r}\n  pyfix:     {ours!r}"]


def _queue_records(instance: Instance, normaliser: Normaliser) -> dict[str, list[str]]:
    """Return the records of each queue file, by queue name and number."""
    for _ in range(10):
        try:
            return {
                f"{name} {number}": normaliser.records(spool.records(instance.spool_file(queue_id)))
                for name, ids in instance.queue().items()
                for number, queue_id in enumerate(ids)
            }
        except FileNotFoundError:  # it went to another queue meanwhile
            time.sleep(0.05)
    raise AssertionError(f"the queue does not come to rest: {instance.queue()}")


def _chosen(log: dict[str, list[str]], wanted: Collection[str]) -> dict[str, list[str]]:
    if not wanted:
        return log
    return {program: lines for program, lines in log.items() if program.rpartition("/")[2] in wanted}
