"""One session with milters, and all that is seen of it: replies, what the milters heard, the queue file."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.kit.instance import TRUSTED, Instance
from tests.kit.milter import Script, ScriptedMilter
from tests.kit.processes import wait_until
from tests.kit.reference import reference

LOGS = ("smtpd", "cleanup")
LATER = {"defer_transports": "virtual smtp local relay"}
"""Messages stay in the queue, where they can be looked at."""
CONTENT = "Subject: x\r\nX-Two: 2\r\n\r\nhello\r\n"
ENVELOPE = ("EHLO client.example", "MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>")

_RECORD = re.compile(r" *(\d+) (?:(\w+): ?(.*)|(\*\*\* .*)) *", re.DOTALL)
_UNSTEADY = ("client_port=", "log_client_port=", "server_port=")


def message(content: str = CONTENT) -> tuple[str, ...]:
    """Return what a client says to bring a message."""
    return (*ENVELOPE, "DATA", f"{content}.", "QUIT")


def session(
    scripts: dict[ScriptedMilter, Script], lines: Sequence[str] = message(), client: str = TRUSTED
) -> Callable[[Instance], str]:
    """Return a case in which a client says *lines* and milters act by their scripts."""

    def case(mta: Instance) -> str:
        prepare(scripts)
        mta.dialogue(*lines, client=client)
        wait_for_cleanup(mta)
        return seen(mta, scripts)

    return case


def wait_for_cleanup(mta: Instance) -> None:
    """Wait until each message that was begun is in the queue, or is not to be."""

    def finished() -> bool:
        log = "\n".join(mta.log_lines())
        begun = set(re.findall(r"\]: (\w+): (?:client|uid)=", log))
        removed = set(re.findall(r"\]: (\w+): removed", log))
        queued = {one for name, ids in mta.queue().items() if name not in ("incoming", "active") for one in ids}
        return begun <= removed | queued and log.count(": connect from") == log.count(": disconnect from")

    assert wait_until(finished, 15), mta.log_lines()
    mta.settle()


def prepare(scripts: dict[ScriptedMilter, Script]) -> None:
    """Let milters begin anew."""
    for milter, script in scripts.items():
        milter.forget()
        milter.script = script


def seen(mta: Instance, scripts: dict[ScriptedMilter, Script]) -> str:
    """Return what milters heard, and what is in the queue."""
    heard = ["\n".join(milter.events()) for milter in scripts]
    log = "\n".join(mta.log_lines())
    queued = sorted((one for ids in mta.queue().values() for one in ids), key=log.find)
    files = [shown_file(mta, mta.spool_file(one)) for one in queued]
    return "\n".join([*heard, *files])


def shown_file(mta: Instance, path: Path) -> str:
    """Return the records of a queue file as the reference's postcat(1) follows them, with ranks for offsets.

    Offsets depend on the lengths of ids and times; their order does not.
    """
    done = subprocess.run(
        [reference("reference").root / "usr/sbin/postcat", "-vo", path],
        env=mta.environment,
        cwd="/",
        capture_output=True,
        check=False,
        timeout=30,
    )
    lines = done.stdout.decode("utf-8", "surrogateescape").splitlines()
    records: list[tuple[int, str, str]] = []
    for line in lines:
        found = _RECORD.fullmatch(line)
        if found is not None:
            records.append((int(found[1]), found[2] or found[4].rsplit(" ", 2)[0], found[3] or ""))
        elif records:
            offset, kind, text = records[-1]
            records[-1] = (offset, kind, f"{text}\n{line}")
    offsets = {offset for offset, _, _ in records}
    offsets |= {int(text) for _, kind, text in records if kind == "pointer_record"}
    ranks = {offset: rank for rank, offset in enumerate(sorted(offsets))}
    shown = [path.parent.name if len(path.parent.name) > 1 else path.parent.parent.name]
    for offset, kind, text in records:
        value = text
        if kind == "pointer_record":
            value = f"{len(text)} -> {ranks[int(text)]}"
        elif kind == "message_size":
            segment, _place, recipients, flags, content, options = map(int, text.split())
            value = f"{int(content) - segment} {recipients} {flags} {options}"
        elif kind in ("message_arrival_time", "create_time") or text.startswith(_UNSTEADY):
            value = "..."
        shown += [f"{ranks[offset]} {kind}:", value]
    return "\n".join([*shown, done.stderr.decode("utf-8", "surrogateescape").replace(str(path), "FILE")])
