"""Turning what differs from run to run (queue ids, process ids, times, ports, folders) into stable tokens.

A Normaliser belongs to one instance and one test: the first queue id that it meets becomes ``<ID1>``, the next
``<ID2>``, in transcripts, logs, mailboxes and queue files alike, so that a wrong id is still seen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import pairwise
from pathlib import Path

from .spool import Record

_SHORT_ID = r"[0-9A-F]{8,20}"
_LONG_ID = r"[0-9BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz]{10,16}z[0-9BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxy]{3,16}"
_QUEUE_ID = re.compile(rf"(?<![\w.@/-])(?<!error:)(?:{_SHORT_ID}|{_LONG_ID})(?![\w-])")
_BEFORE_ID = r"(?:(?<=queued as )|(?<=notification: )|(?<=\]: )|(?<=^)|(?<=^--)|(?<=<\d{14}\.))"
_QUEUE_ID_IN_PLACE = re.compile(rf"{_BEFORE_ID}(?:{_SHORT_ID}|{_LONG_ID})(?=:|@|$|\.\d{{10}}/)", re.MULTILINE)
"""Where a queue id is one even when it has digits only: in a reply, at the head of a log line, in a Message-ID or a
boundary between parts.
"""
_ID_AT_HEAD = re.compile(rf"(?:{_SHORT_ID}|{_LONG_ID})(?=: )")
_DAYS, _MONTHS = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)", "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"

_TOKENS: tuple[tuple[re.Pattern[str], str], ...] = (
    # a header date, a mailbox "From " line's date, a log line's date in either format
    (re.compile(rf"{_DAYS}, [ \d]?\d {_MONTHS} \d{{4}} [\d:]{{8}} [+-]\d{{4}}(?: \(\w+\))?"), "<DATE>"),
    (re.compile(rf"{_DAYS} {_MONTHS} [ \d]\d [\d:]{{8}} \d{{4}}"), "<CTIME>"),
    (re.compile(rf"{_MONTHS} [ \d]\d \d\d:\d\d:\d\d"), "<TIME>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+[+-][\d:]+"), "<TIME>"),
    # the left side of a Message-ID that cleanup makes: date and queue id
    (re.compile(r"(?<=<)\d{14}\.(?=\S+@)"), "<STAMP>."),
    # delays of a delivery
    (re.compile(r"\bdelay=[\d.]+, delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+"), "delay=<DELAY>"),
    (re.compile(r"\b(?P<name>conn_use|delay)=[\d.]+(?=, )"), r"\g<name>=<N>"),
    # a program's process id
    (re.compile(r"(?<=[\w-])\[\d+\](?=:)"), "[<PID>]"),
    (re.compile(r"\b(?P<word>pid|process id) \d+"), r"\g<word> <PID>"),
    # the file of a delivery status log
    (re.compile(rf"\b(?P<log>bounce|defer|trace)/(?:\w/)?(?:{_SHORT_ID}|{_LONG_ID})(?=: )"), r"\g<log>/<LOG>"),
    # a client's port behind its address
    (re.compile(r"(?<=\]):\d{4,5}\b"), ":<PORT>"),
    # a MIME boundary or Maildir name that holds time, process id and host
    (re.compile(r"\b\d{10}\.V[0-9a-f]+I[0-9a-f]+M\d+\."), "<MAILDIR>."),
    (re.compile(r"\.\d{10}/"), ".<SECONDS>/"),
    (re.compile(r"\bsecs_\d+"), "secs_<N>"),
    # where in OpenSSL's source an error was noted, and what it adds to that
    (re.compile(r"error:05880(?:002:x509 certificate routines::system lib|020:x509 certificate routines::BIO lib):"), "error:05880000:x509 certificate routines::of the file:"),
    (re.compile(r"(?P<text>TLS library problem: error:[0-9A-F]{8}:[^:]*:[^:]*:[^:]*:).*"), r"\g<text>"),
)


class Normaliser:
    """Makes the texts of one instance comparable with those of another."""

    def __init__(self, directory: Path, port: int, other_paths: Iterable[tuple[str, str]] = ()) -> None:
        """*directory* is the instance's folder, *port* its smtpd's; *other_paths* are more (text, token) pairs."""
        self._fixed = [*other_paths, (str(directory), "<DIR>"), (f"127.0.0.1:{port}", "127.0.0.1:<SMTP>")]
        self._ids: dict[str, str] = {}
        self._learnt: set[str] = set()

    def learn(self, lines: Iterable[str]) -> None:
        """Note the queue ids at the heads of log lines: one in ten has digits only, and is known nowhere else."""
        for line in lines:
            if (parts := _LOG_LINE.match(line)) and (found := _ID_AT_HEAD.match(parts["text"])):
                self._learnt.add(found[0])

    def text(self, text: str) -> str:
        """Return *text* with tokens in it."""
        for old, token in self._fixed:
            text = text.replace(old, token)
        text = _QUEUE_ID_IN_PLACE.sub(self._queue_id, text)
        for pattern, token in _TOKENS:
            text = pattern.sub(token, text)
        return _QUEUE_ID.sub(self._perhaps_queue_id, text)

    def content(self, content: bytes) -> str:
        """Return a message or mailbox as text with tokens in it."""
        return self.text(content.decode("utf-8", "surrogateescape"))

    def _queue_id(self, match: re.Match[str]) -> str:
        return self._ids.setdefault(match[0], f"<ID{len(self._ids) + 1}>")

    def _perhaps_queue_id(self, match: re.Match[str]) -> str:
        known = not match[0].isdigit() or match[0] in self._ids or match[0] in self._learnt
        return self._queue_id(match) if known else match[0]

    def log(self, lines: Iterable[str], first: Collection[str] = ()) -> dict[str, list[str]]:
        """Return log lines by program, without their time, host and process id; each program's stay in their order.

        Lines of different programs come in no fixed order, those of one do.  *first*: programs, without the syslog name,
        in whose order queue ids that no reply has named get their numbers; else it is that of the programs' names, and
        two processes of cleanup may log in any order.
        """
        found: dict[str, list[str]] = {}
        for line in lines:
            if (parts := _LOG_LINE.match(line)) is None:
                found.setdefault("?", []).append(line)
            elif not any(pattern.match(parts["text"]) for pattern in _UNSTEADY):
                found.setdefault(parts["program"], []).append(parts["text"])
        order = sorted(found, key=lambda program: (program.rpartition("/")[2] not in first, program))
        return {program: [self.text(text) for text in found[program]] for program in order}

    def records(self, records: Iterable[Record]) -> list[str]:
        """Return queue-file records as lines of text: type and data."""
        records = list(records)
        content = next((after.start for message, after in pairwise(records) if message.kind == "M"), -1)
        return [f"{record.kind} {self._record(record, content)}".rstrip() for record in records]

    def _record(self, record: Record, content: int) -> str:
        data = record.data
        match record.kind:
            case "C":  # message size, offset of the content, recipients, flags, size of the content, SMTPUTF8 flags
                words = data.decode().split()
                return " ".join(["<CONTENT>" if word == str(content) else word for word in words])
            case "T" if data.replace(b" ", b"").isdigit():
                return "<SECONDS> <MICROSECONDS>"
            case "A":
                name, _, value = data.partition(b"=")
                if name in _NUMBERS and value.isdigit():
                    return f"{name.decode()}=<N>"
        return self.content(data)


_NUMBERS = {b"create_time", b"client_port", b"log_client_port", b"server_port"}
"""Attributes of a queue file that are another number each time."""

_LOG_LINE = re.compile(
    rf"^(?:{_MONTHS} [ \d]\d [\d:]{{8}}|\S+T\S+) (?P<host>\S+) (?P<program>[^\s\[]+)\[\d+\]: (?P<text>.*)$"
)

_UNSTEADY = (
    re.compile(r"statistics: "),  # anvil's: printed every ten minutes and when it stops
    re.compile(r"daemon started -- version |terminating on signal|reload -- version "),
)
"""Log lines that come or not by the moment, not by what was done."""
