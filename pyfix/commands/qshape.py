"""qshape(1): how many addresses of each domain are in the queue, and for how long."""

from __future__ import annotations

import os
import sys
import time
from functools import partial

from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot
from pyfix.queue.agecount import AgeCount, BadFile, files_below, read_addresses
from pyfix.runtime.console import parse_options, run_command
from pyfix.runtime.log import printable

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE = """\
Usage: qshape [ -s ] [ -p ] [ -m <min_subdomains> ] [ -l ]
\t[ -b <bucket_count> ] [ -t <bucket_time> ] [ -w <terminal_width> ]
\t[ -N <batch_msg_count> ] [ -n <batch_top_domains> ]
\t[ -c <config_directory> ] [ <queue_name> ... ]
-s counts senders, not recipients; -p also counts parent domains, with a dot before their names, that have at least
<min_subdomains> (5) subdomains here.  The first column holds what is younger than <bucket_time> (5) minutes, and each
of the others twice the time of the one before; with -l all hold the same time.  A queue is a name below
queue_directory or an absolute path; without any it is incoming and active.
"""
_BAD_USAGE = 255
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
    complaints: list[str] = []
    options, words = parse_options(argv, "lhc:psw:b:t:m:n:N:", complaints=complaints)
    values = dict(options)
    if complaints and "h" not in values:
        unknown, _, letter = complaints[0].partition("invalid option -- ")
        if unknown:  # an option without its value, which is an empty one then
            values.setdefault(complaints[0][-2], "")
        else:
            _tell("qshape: Unknown option: " + letter[1:-1])
            return _tell_usage()
    if "h" in values:
        return _tell_usage()
    queues = words or _QUEUES
    if not all(queue.startswith("/") for queue in queues) and (status := _enter_queue(values.get("c"))):
        return status
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
        for path in files_below(queue, partial(_missing, queue)):
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


def _tell_usage() -> int:
    sys.stderr.write(_USAGE)
    return _BAD_USAGE


def _enter_queue(config_directory: str | None) -> int:
    """Make queue_directory the working directory; return the exit status if that is not possible, else 0.

    The reference asks postconf(1) for it, whose complaints these are.
    """
    try:
        snapshot = Snapshot.read(config_directory, process_name="qshape")
        folder = snapshot.value("queue_directory")
    except ConfigError as error:
        _tell(*(f"postconf: warning: {warning}" for warning in error.warnings))
        _tell(f"postconf: fatal: {error}".replace("dictionary mail_dict: ", ""), "qshape: postconf failed")
        return 1
    _tell(*(f"postconf: warning: {warning}" for warning in snapshot.warnings))
    try:
        os.chdir(folder)
    except OSError as error:
        _tell(f"qshape: chdir({folder}): {error.strerror}")
        return error.errno or 1
    return 0


def _tell(*lines: str) -> None:
    for line in lines:
        print(printable(line), file=sys.stderr)


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
