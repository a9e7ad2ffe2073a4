"""qshape(1): how many addresses of each domain are in the queue, and for how long."""

from __future__ import annotations

import sys
import time

from pyfix.queue.agecount import AgeCount, BadFile, files_below, read_addresses
from pyfix.runtime.console import BadOption, CommandError, enter_queue, parse_options, read_settings, run_command

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE = (
    "usage: qshape [-s] [-p] [-m min_subdomains] [-l] [-b bucket_count] [-t bucket_time] [-w terminal_width] "
    "[-N batch_msg_count] [-n batch_top_domains] [-c config_directory] [queue_name ...]"
)
_WIDTH = 80
_DOMAIN_WIDTH = 18
_RANGES, _MINUTES, _SUBDOMAINS = 10, 5, 5
_BATCH, _TOP = 1000, 20
_QUEUES = ("incoming", "active")
_CLEAR = b"\033[H\033[2J\033[3J"


def main(argv: Sequence[str]) -> int:
    """Print the table; return the exit status.  Source: qshape(1)."""
    return run_command("qshape", lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    try:
        options, words = parse_options(argv, "lhc:psw:b:t:m:n:N:")
    except BadOption as error:
        print(f"qshape: {error}", file=sys.stderr)
        raise CommandError(_USAGE, 255) from None
    values = dict(options)
    if "h" in values:
        raise CommandError(_USAGE, 255)
    queues = words or _QUEUES
    if not all(queue.startswith("/") for queue in queues):
        enter_queue(read_settings("qshape", values.get("c")))
    minutes = _number(values.get("t"), _MINUTES)
    ranges = int(_number(values.get("b"), _RANGES))
    count = AgeCount(int(time.time()), ranges, minutes, linear="l" in values, parents="p" in values)
    width = max(int(_number(values.get("w"), _WIDTH)), _WIDTH)
    table = _Table(count, width, int(_number(values.get("m"), _SUBDOMAINS)), minutes, ranges, linear="l" in values)
    shown = sys.stdout.isatty()
    batch = int(_number(values.get("N"), _BATCH)) if shown else 0
    top = int(_number(values.get("n"), _TOP)) if shown else 0
    messages = 0
    for queue in queues:
        for path in files_below(queue, lambda error, name=queue: _missing(name, error)):  # type: ignore[misc]  # a default binds it
            try:
                arrived, sender, recipients = read_addresses(path)
            except BadFile:
                continue
            for address in [sender] if "s" in values else recipients:
                count.add(arrived, address)
            messages += 1
            if batch and not messages % batch:
                table.write(top, clear=True)
    table.write(top, clear=bool(batch))
    return 0


def _missing(name: str, error: OSError) -> None:
    print(f"Can't stat {name}: {error.strerror}", file=sys.stderr)


def _number(text: str | None, default: float) -> float:
    """Return a number above zero, or the default."""
    try:
        value = float(text) if text is not None else 0
    except ValueError:
        return default
    return value if value > 0 else default


class _Table:
    """The counts as lines, domains to the right and counts in columns."""

    def __init__(
        self, count: AgeCount, width: int, subdomains: int, minutes: float, ranges: int, *, linear: bool
    ) -> None:
        self._count = count
        self._width = width
        self._subdomains = subdomains
        self._heads = ["T", *_limits(minutes, ranges, linear=linear)]

    def write(self, top: int, *, clear: bool) -> None:
        """Write the table, of *top* domains unless that is 0, to standard output."""
        counts = self._count.counts
        total = counts[b"TOTAL"]
        widths = [max(len(str(number)), len(head), 2) + 1 for number, head in zip(total, self._heads, strict=True)]
        room = max(self._width - sum(widths), _DOMAIN_WIDTH)
        lines = [_CLEAR] if clear else []
        lines.append(_line(b"", self._heads, widths, room))
        left = top or len(counts)
        for domain in sorted(counts, key=lambda name: (-counts[name][0], len(name))):
            if domain.startswith(b".") and self._count.subdomains.get(domain, 0) < self._subdomains:
                continue
            if not left:
                break
            left -= 1
            lines.append(_line(domain, [str(number) for number in counts[domain]], widths, room))
        sys.stdout.flush()
        sys.stdout.buffer.write(b"".join(lines))
        sys.stdout.buffer.flush()


def _limits(minutes: float, ranges: int, *, linear: bool) -> list[str]:
    """Return the ages, in minutes, at which the ranges end; the last has none."""
    limits: list[str] = []
    limit = 0.0
    for _ in range(ranges - 1):
        limit += limit if limit and not linear else minutes
        limits.append(f"{limit:.15g}")
    return [*limits, f"{limit:.15g}+"] if ranges else limits


def _line(domain: bytes, texts: Sequence[str], widths: Sequence[int], room: int) -> bytes:
    if len(domain) > room:
        mark = b".+" if domain.startswith(b".") else b"+"
        domain = mark + domain[len(domain) - room + len(mark) :]
    columns = "".join([f"{text:>{width}}" for text, width in zip(texts, widths, strict=True)])
    return domain.rjust(room) + columns.encode() + b"\n"
