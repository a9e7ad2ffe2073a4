"""Many settings of smtp(8) and lmtp(8) in one mail system: a service of its own for each, with a message and a server of its own.

    fleet({"helo name": Voyage({"smtp_helo_name": "x.example"}), ...})

All messages are under way together, so that those that wait for a time limit wait side by side.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Observation, Parity
from tests.kit.peer import Peer, Script
from tests.kit.processes import wait_until
from tests.kit.smtp import dialogue, dot_stuffed
from tests.parity.smtp.handing import HANDED, SENDER, is_at_rest, logs_of

FILLER: Final = b"x" * 70
"""A line of content that transcripts leave out."""


@dataclass(frozen=True)
class Voyage:
    """One message through a service of its own."""

    options: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the service, as with ``-o``."""
    script: Script = field(default_factory=dict)
    """What the servers of this voyage answer, of which those of others hear nothing."""
    recipients: Sequence[str] = ("a",)
    lmtp: bool = False
    nexthop: str = "[{first}]:{port}"
    """``{first}``, ``{second}``, ``{third}``: addresses of its own; ``{n}``: its number, ``{port}``: that of the peer."""
    mail: str = ""
    """Parameters of MAIL."""
    rcpt: str = ""
    """Parameters of RCPT."""
    content: bytes = b"Subject: test\n\nHello.\n"
    sender: str = SENDER
    times: int = 1
    """How often the message is sent, one after the other."""
    pause: float = 0.0
    """Seconds between that."""
    hurry: bool = False
    """All are sent at once, and come in any order: what is compared does not tell them apart."""
    probe: bool = False
    """What is sent is a probe, of sendmail -bv."""
    arguments: str = ""
    """More of the service's line in master.cf."""


def addresses(number: int) -> dict[str, str]:
    """Return the loopback addresses of one voyage, none of which is the beginning of another."""
    third, last = divmod(number, 100)
    return {name: f"127.{3 + place}.{100 + third}.{100 + last}" for place, name in enumerate(("first", "second", "third"))}


@dataclass(frozen=True)
class Fleet:
    """Sends voyages on both sides and compares what the servers saw, the log, the notices and what is left."""

    parity: Parity
    peer: Peer
    main: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """More of Parity's."""

    def __call__(
        self,
        voyages: Mapping[str, Voyage],
        *,
        main: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        more: Callable[[Instance, str], object] | None = None,
        **arguments: Any,
    ) -> Observation:
        """Send all voyages.  *more* is done when all are at their ends, for each; what it returns is compared."""
        numbers = {name: number for number, name in enumerate(voyages)}

        def case(mta: Instance) -> dict[str, object]:
            self.peer.reset(self._script(voyages))
            ids = self._send_all(mta, voyages, numbers)
            mta.settle()
            self.peer.seen()
            delivered = "\n".join(line for line in mta.log_lines() if ": to=<" in line)
            for name in (name for name, voyage in voyages.items() if voyage.hurry):
                ids[name].sort(key=delivered.find)
            # The first tokens for queue ids are those of the messages, so that one difference makes no others.
            mta.transcript += [f"{queue_id}: sent" for sent in ids.values() for queue_id in sent]
            for name, sent in ids.items():
                mta.transcript += [f"== {name}", *self._seen(numbers[name])]
                mta.transcript += [line for queue_id in sent for line in logs_of(mta, queue_id).splitlines()]
            mta.transcript += _notices(mta, numbers)
            return {} if more is None else {name: more(mta, name) for name in voyages}

        routes, services = [], {}
        for name, voyage in voyages.items():
            number = numbers[name]
            own = {"n": str(number), "port": str(self.peer.port), **addresses(number)}
            options = {"syslog_name": f"postfix/{name.replace(' ', '_')}", **voyage.options}
            words = " ".join(f"-o {{ {option} = {_filled(value, own)} }}" for option, value in options.items())
            program = "lmtp" if voyage.lmtp else "smtp"
            services[f"v{number}"] = f"v{number} unix - - n - - {program} {words} {voyage.arguments}".rstrip()
            hop = _filled(voyage.nexthop, own)
            routes.append(f"v{number}.example v{number}:{hop}\n")
        settings = {
            **HANDED,
            "smtpd_peername_lookup": "no",
            "smtputf8_autodetect_classes": "sendmail, verify",
            "default_process_limit": "200",
            "queue_run_delay": "1000s",
            **self.main,
            **(main or {}),
        }
        tables = {"transport": "".join(routes), **(files or {})}
        return self.parity(
            case, main=settings, files=tables, master=services,
            **{"logs": ("smtp", "lmtp"), **self.arguments, **arguments},
        )  # fmt: skip

    def _send_all(self, mta: Instance, voyages: Mapping[str, Voyage], numbers: Mapping[str, int]) -> dict[str, list[str]]:
        """Send all messages, each once in a round; return the queue ids."""
        ids: dict[str, list[str]] = {name: [] for name in voyages}
        for already in range(max(voyage.times for voyage in voyages.values())):
            due = {name: voyage for name, voyage in voyages.items() if (1 if voyage.hurry else voyage.times) > already}
            if already:
                for name in due:
                    self._wait(mta, ids[name][-1])
                time.sleep(max((voyage.pause for voyage in due.values()), default=0.0))
            for name, voyage in due.items():
                ids[name] += [_send(mta, voyage, numbers[name]) for _ in range(voyage.times if voyage.hurry else 1)]
        for sent in ids.values():
            for queue_id in sent:
                self._wait(mta, queue_id)
        return ids

    def _script(self, voyages: Mapping[str, Voyage]) -> Script:
        """Join the scripts: each holds for the addresses of its voyage."""
        script: dict[str, Any] = {}
        for number, voyage in enumerate(voyages.values()):
            own = addresses(number)
            for key, answer in voyage.script.items():
                words = key.split(None, 1)
                names = [word for word in words[1:] if word in own]
                for name in names or own:
                    script[f"{words[0]} {own[name]}"] = answer
        return script

    def _wait(self, mta: Instance, queue_id: str) -> None:
        assert wait_until(lambda: is_at_rest(mta, queue_id), 60), mta.log_lines()

    def _seen(self, number: int) -> list[str]:
        own = {address: f"<{name}>" for name, address in addresses(number).items()}
        found = []
        for session in self.peer.sessions:
            if session.address in own:
                said = [line for line in session.lines if line != FILLER.decode()]
                found += [f"-- {own[session.address]} from {session.client}", *said]
        return found


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with the voyage's own values in it; other braces stay."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _send(mta: Instance, voyage: Voyage, number: int) -> str:
    names = [name if "@" in name else f"{name}@v{number}.example" for name in voyage.recipients]
    if voyage.probe:
        mta.run("sendmail", "-bv", "-f", voyage.sender, *names)
        return mta.wait_for_log(rf"(\w+): to=<{re.escape(names[-1])}>", 40)[1]
    recipients = [f"RCPT TO:<{name}> {voyage.rcpt}".rstrip() for name in names]
    lines = [
        "EHLO client.example", f"MAIL FROM:<{voyage.sender}> {voyage.mail}".rstrip(), *recipients, "DATA",
        dot_stuffed(voyage.content), "QUIT",
    ]  # fmt: skip
    _, replies = dialogue(mta.host, mta.port, lines, TRUSTED)
    assert replies[-2].startswith("250 2.0.0 Ok: queued as "), replies
    return replies[-2].rpartition(" ")[2]


def _notices(mta: Instance, numbers: Mapping[str, int]) -> list[str]:
    """Return the notices, those about each voyage behind its name."""
    found: list[str] = []
    notices = [notice.decode("utf-8", "surrogateescape") for notice in mta.deliveries().get("second/", [])]
    for name, number in numbers.items():
        for notice in notices:
            if f"@v{number}.example" in notice:
                found += [f"== notice: {name}", *[line for line in notice.splitlines() if line != FILLER.decode()]]
    return found
