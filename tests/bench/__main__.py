"""``python -m tests.bench``: measure pyfix against the reference, in alternation, and print the table.

Needs root and Debian (for the reference).  Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench import commands, costs, deferred, fairness, loadtools, report, stalls, tables
from tests.bench.disk import own_file_system
from tests.bench.domains import many_servers
from tests.bench.load import RoundFailed, run_round
from tests.bench.logins import service
from tests.bench.milter import header_milter
from tests.bench.policy import site
from tests.bench.rewriting import rules_and_aliases
from tests.bench.rows import (
    COLD_GREETING,
    CONNECTIONS,
    CONNECTIONS_PSS,
    FILES,
    IDLE_PSS,
    MAIN,
    NEXT_CLIENT,
    ROWS,
    Row,
    Server,
)
from tests.bench.sink import smtp_sink
from tests.kit.certificates import make_certificates
from tests.kit.instance import Instance
from tests.kit.smtp import Dialogue

_SERVERS: Mapping[Server, Callable[[], AbstractContextManager[dict[str, str]]]] = {
    Server.MILTER: header_milter,
    Server.POLICY: site,
    Server.REWRITING: rules_and_aliases,
    Server.AUTH: service,
    Server.DOMAINS: many_servers,
}


def main(arguments: list[str]) -> int:
    """Return 0 when every row reached what it has to, 1 when one missed it or failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each side (default 5)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages, 3 rounds")
    parser.add_argument("--rows", default="", help="comma-separated row names, * allowed; also: memory, greeting, commands, build-TYPE, lookup-TYPE, drain-10000, deferred-100000, scans, fairness, stalls, PROTOCOL-source, PROTOCOL-sink")
    parser.add_argument("--calls", action="store_true", help="count system calls with strace, in a round of its own")
    parser.add_argument(
        "--sides",
        default="reference,pyfix",
        help="the two sides (default reference,pyfix); kind+daemon+... takes these daemons from the other side",
    )
    parser.add_argument("--json", type=Path, help="write all figures into this file too")
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="open connections in the memory rows")
    parser.add_argument(
        "--shared-disk", action="store_true", help="measure on the machine's own file system, with all that it has seen"
    )
    options = parser.parse_args(arguments)
    first, second = options.sides.split(",")
    with nullcontext("file system: the machine's own") if options.shared_disk else own_file_system() as where:
        print(where, flush=True)
        return _run(options, (first, second))


def _run(options: argparse.Namespace, sides: tuple[str, str]) -> int:
    bench = Bench(sides, 3 if options.quick else options.rounds, options.calls, options.connections)
    wanted = [name for name in options.rows.split(",") if name]
    chosen = [row for row in ROWS if not wanted or any(fnmatch(row.name, name) for name in wanted)]
    if chosen:
        bench.rates([row.quick() if options.quick else row for row in chosen])
    if not wanted or "greeting" in wanted:
        bench.greeting()
    if not wanted or "commands" in wanted:
        bench.commands()
    for kinds, measure in ((tables.BUILDS, tables.build_seconds), (tables.LOOKUPS, tables.lookup_seconds)):
        rows = [row for row in tables.rows(kinds) if not wanted or any(fnmatch(row.name, name) for name in wanted)]
        if rows:
            bench.tables(rows, measure)
    tools = [row for row in loadtools.rows() if not wanted or any(fnmatch(row.name, name) for name in wanted)]
    for row in tools:
        bench.alternate(row, [partial(loadtools.tool_seconds, side.partition("+")[0], row) for side in bench.sides])
    tenth = 10 if options.quick else 1
    if not wanted or deferred.DRAIN.name in wanted:
        bench.drain(replace(deferred.DRAIN, messages=deferred.DRAIN.messages // tenth))
    if not wanted or "deferred-100000" in wanted:
        bench.large_queue(deferred.LARGE // tenth)
    if not wanted or "scans" in wanted:
        bench.scans([count // tenth for count in deferred.GROWING])
    if not wanted or "fairness" in wanted:
        bench.fairness(fairness.BULK // tenth)
    if not wanted or "stalls" in wanted:
        bench.stalls()
    if not wanted or "memory" in wanted:
        bench.memory()
    if options.json:
        options.json.write_text(json.dumps(bench.figures, indent=1))
    print("all reached" if not bench.missed else f"missed: {', '.join(bench.missed)}")
    return 1 if bench.missed else 0


class Bench:
    """One run over the chosen rows."""

    def __init__(self, sides: tuple[str, str], rounds: int, calls: bool, connections: int) -> None:
        """*calls*: count system calls too; *connections*: how many are open in the memory rows."""
        self.sides = sides
        self.rounds = rounds
        self.calls = calls
        self.connections = connections
        self.missed: list[str] = []
        self.figures: dict[str, Any] = {"sides": sides, "rounds": rounds}

    def rates(self, rows: list[Row]) -> None:
        """Measure messages a second, and what one costs."""
        for encrypted in (False, True):
            group = [row for row in rows if row.starttls is encrypted and row.server is Server.SINK]
            if group:
                self._rates(group, encrypted=encrypted)
        for kind, server in _SERVERS.items():
            group = [row for row in rows if row.server is kind]
            if group:
                self._rates(group, server=server)

    def _rates(
        self,
        rows: list[Row],
        *,
        encrypted: bool = False,
        server: Callable[[], AbstractContextManager[dict[str, str]]] = smtp_sink,
    ) -> None:
        """Measure rows that need *server*, which tells main.cf's parameters."""
        with ExitStack() as stack:
            main = {**MAIN, **stack.enter_context(server())}
            if encrypted:
                folder = Path(stack.enter_context(TemporaryDirectory()))
                made = make_certificates(folder, ["mail.ours.example"])
                main |= {
                    "smtpd_tls_security_level": "may",
                    "smtpd_tls_cert_file": str(made.certificate),
                    "smtpd_tls_key_file": str(made.key),
                    "smtpd_client_connection_rate_limit": "0",
                }
            pair = [stack.enter_context(side_instance(side, main)).start() for side in self.sides]
            for row in rows:
                try:
                    self._rate(row, pair)
                except RoundFailed as failure:
                    print(f"{row.name:16} FAILED: {failure}", flush=True)
                    self.missed.append(row.name)

    def _rate(self, row: Row, pair: list[Instance]) -> None:
        warm = replace(row, messages=min(row.messages, 2 * row.connections))
        seconds: tuple[list[float], list[float]] = ([], [])
        used: list[costs.Times] = []
        for instance in pair:
            run_round(instance, warm)
        before = [costs.processor_times(instance) for instance in pair]
        for _ in range(self.rounds):
            for instance, values in zip(pair, seconds, strict=True):
                values.append(run_round(instance, row))
        for instance, start in zip(pair, before, strict=True):
            used.append(costs.processor_times(instance).since(start))
        text, ratio = report.summary(row, self.sides, seconds)
        print(text, flush=True)
        if ratio < row.least:
            self.missed.append(row.name)
        self.figures[row.name] = {"messages": row.messages, "seconds": seconds, "ratio": ratio}
        for side, instance, times in zip(self.sides, pair, used, strict=True):
            messages = row.messages * self.rounds
            calls: Counter[str] | None = None
            if self.calls:
                few = row.quick()
                counted = costs.system_calls(instance, partial(run_round, instance, few))
                calls = Counter({name: round(count * messages / few.messages) for name, count in counted.items()})
            for line in report.costs(side, messages, times, calls):
                print(line, flush=True)

    def greeting(self) -> None:
        """Measure the first greeting of a service that nobody has used yet."""
        print("first 220 of a cold service")
        for side in self.sides:
            times = []
            for _ in range(self.rounds):
                with side_instance(side, MAIN) as instance:
                    instance.start()
                    time.sleep(0.5)
                    start = time.monotonic()
                    with Dialogue(instance.host, instance.port):
                        times.append(time.monotonic() - start)
            self._limit(f"{side}, median of {self.rounds}", median(times) * 1000, COLD_GREETING * 1000, "ms")

    def commands(self) -> None:
        """Measure how fast commands start."""
        print("commands that have nothing to do")
        with ExitStack() as stack:
            main = {**MAIN, "defer_transports": "virtual"}
            started = [stack.enter_context(side_instance(side, main)).start() for side in self.sides]
            pair = [(instance, commands.held_message(instance)) for instance in started]
            for programs, table in ((1, commands.COMMANDS), (2, commands.IN_TURN), (2, commands.ALL_PARAMETERS)):
                for name, command in table.items():
                    found = commands.medians(pair, command, 2 * self.rounds)
                    for side, value in zip(self.sides, found, strict=True):
                        most = commands.START * programs * 1000
                        self._limit(f"{side}, {name}, median of {2 * self.rounds}", value * 1000, most, "ms")

    def tables(self, rows: list[Row], measure: Callable[[Instance, Path, Row], float]) -> None:
        """Measure how fast lookup tables are made, or answer."""
        print("tables: entries, or lookups, a second")
        with ExitStack() as stack:
            main = {**MAIN, "proxy_read_maps": tables.NAMES["proxy"]}
            instances = [stack.enter_context(side_instance(side, main)) for side in self.sides]
            pair = [(instance, tables.prepare(instance)) for instance in instances]
            for row in rows:
                self.alternate(row, [partial(measure, instance, folder, row) for instance, folder in pair])

    def alternate(self, row: Row, measures: Sequence[Callable[[], float]]) -> None:
        """Measure both sides in turn."""
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(self.rounds):
            for measure, values in zip(measures, seconds, strict=True):
                values.append(measure())
        text, ratio = report.summary(row, self.sides, seconds)
        print(text, flush=True)
        if ratio < row.least:
            self.missed.append(row.name)
        self.figures[row.name] = {"messages": row.messages, "seconds": seconds, "ratio": ratio}

    def drain(self, row: Row) -> None:
        """Measure how fast deferred mail is delivered."""
        with ExitStack() as stack:
            pair = [stack.enter_context(side_instance(side, MAIN)).start() for side in self.sides]
            self.alternate(row, [partial(deferred.drain_seconds, instance, row) for instance in pair])

    def large_queue(self, count: int) -> None:
        """Measure the start and a scan with many deferred files, and what they add to the memory of qmgr."""
        print(f"{count} deferred files")
        most: dict[str, float] = {}
        for side in self.sides:
            with side_instance(side, MAIN) as instance:
                instance.start()
                empty = deferred.scan(instance)
                start = deferred.start_seconds(instance, count)
                full = deferred.scan(instance)
                found = {"start, s": start, "scan, s of processor": full.processor}
                found["memory of qmgr, added KiB"] = full.memory - empty.memory
                self._no_worse(side, found, most, {"memory of qmgr, added KiB": deferred.SLACK})

    def scans(self, counts: Sequence[int]) -> None:
        """Show scans of ever larger queues: their time and memory grow with the number of names."""
        print("names in the deferred queue: a scan in seconds of processor time, memory of qmgr")
        for side in self.sides:
            with side_instance(side, MAIN) as instance:
                instance.start()
                with deferred.deferred_in_memory(instance):
                    for before, count in zip([0, *counts], counts, strict=False):
                        deferred.add_names(instance, before, count)
                        found = deferred.scan(instance)
                        print(f"  {side:12} {count:9} {found.processor:8.2f} s {found.memory:9.0f} KiB", flush=True)
                        self.figures[f"{side}, scan of {count}"] = [found.processor, found.memory]

    def fairness(self, recipients: int) -> None:
        """Measure how long single messages wait behind a bulk mailing, and what that takes of memory."""
        print(f"single messages behind one of {recipients} recipients")
        with fairness.slow_server() as main:
            most: dict[str, float] = {}
            for side in self.sides:
                with side_instance(side, {**MAIN, **main}) as instance:
                    instance.start()
                    found = {}
                    for place in fairness.PLACES:
                        delay, added = fairness.delays(instance, place, recipients)
                        found[f"delay of mail {place}, s"] = delay
                        print(f"  {side}: the bulk mailing added {added:.0f} KiB to qmgr", flush=True)
                        self.figures[f"{side}, {place}, KiB added"] = added
                    self._no_worse(side, found, most, dict.fromkeys(found, fairness.SLACK))

    def _no_worse(
        self, side: str, found: Mapping[str, float], most: dict[str, float], slack: Mapping[str, float]
    ) -> None:
        """Print what was found; the second side's must be no more than the first's in *most*, with some *slack*."""
        for name, value in found.items():
            limit = most.setdefault(name, value + slack.get(name, 0.0))
            second = side == self.sides[1]
            print(report.limit(f"{side}, {name}", value, limit, "", second), flush=True)
            self.figures[f"{side}, {name}"] = value
            if second and value > limit:
                self.missed.append(name)

    def stalls(self) -> None:
        """Measure how long lookups keep an event loop of pyfix from its next turn; the reference has no such loop."""
        print("longest stand-still of an event loop during lookups (of that the processor; without lookups), least of all rounds")
        with TemporaryDirectory() as place, stalls.prepared(Path(place)) as name:
            for kind in stalls.KINDS:
                rounds = [stalls.longest(kind, name(kind), Path(place)) for _ in range(self.rounds)]
                idle, busy, used, lookups = (min(values) for values in zip(*rounds, strict=True))
                good = used <= stalls.LIMIT and busy < stalls.WAITED
                text = f"stall-{kind:10} {busy:6.1f} ms ({used:.1f} ms; {idle:.1f} ms), {lookups:.0f} lookups"
                print(f"{text}  {'ok' if good else 'MISSED'}", flush=True)
                self.figures[f"stall-{kind}"] = {"milliseconds": busy, "processor": used, "idle": idle, "lookups": lookups}
                if not good:
                    self.missed.append(f"stall-{kind}")

    def memory(self) -> None:
        """Measure memory: idle after a first message, and with many idle SMTP connections."""
        print("memory (sum of Pss)")
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4 * CONNECTIONS), most))
        for side in self.sides:
            with side_instance(side, {**MAIN, "default_process_limit": str(self.connections + 100)}) as instance:
                instance.start()
                for recipient in ("user@ours.example", "nobody@mail.ours.example", "someone@discard.example"):
                    instance.send_message(recipient)
                instance.wait_until_empty()
                self._limit(f"{side}, idle", costs.proportional_memory(instance), IDLE_PSS, "KiB")
                self._connections(side, instance)

    def _connections(self, side: str, instance: Instance) -> None:
        with ExitStack() as stack:
            for _ in range(self.connections):
                stack.enter_context(Dialogue(instance.host, instance.port, timeout=60))
            name = f"{side}, {self.connections} open SMTP connections"
            self._limit(name, costs.proportional_memory(instance), CONNECTIONS_PSS, "KiB")
            start = time.monotonic()
            stack.enter_context(Dialogue(instance.host, instance.port))
            waited = (time.monotonic() - start) * 1000
            self._limit(f"{side}, greeting of the next client", waited, NEXT_CLIENT * 1000, "ms")

    def _limit(self, name: str, value: float, most: float, unit: str) -> None:
        wanted = name.startswith("pyfix")
        print(report.limit(name, value, most, unit, wanted), flush=True)
        self.figures[name] = value
        if wanted and value > most:
            self.missed.append(name)


def side_instance(side: str, main: Mapping[str, str]) -> Instance:
    """Return an instance of ``kind``, or of ``kind+daemon+...`` with these daemons of the other side."""
    kind, *daemons = side.split("+")
    other = "reference" if kind == "pyfix" else "pyfix"
    return Instance(kind, main=main, files=FILES, replace=dict.fromkeys(daemons, other))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
