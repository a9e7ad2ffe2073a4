"""Visits to many services of one mail system, each with options of its own at a loopback address of its own."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.kit.instance import Instance
from tests.kit.normalise import Normaliser
from tests.kit.smtp import Line, dot_stuffed
from tests.kit.tls import FAILED, TlsDialogue, World, client_context


@dataclass(frozen=True, eq=False)
class Look:
    """One session with a server."""

    context: Mapping[str, Any] = field(default_factory=dict)
    certificate: str = ""
    name: str = ""
    wrapped: bool = False
    tickets: bool = True
    """Whether the client asks for them."""
    strict: bool = False
    """Whether the client refuses keys of 1024 bits."""


def _look(mta: Instance, world: World, host: str, look: Look, number: int) -> list[str]:
    """Hold a session with a service; the subject of its mail is a number."""
    certificate = (world.file(f"{look.certificate}.pem"), world.file(f"{look.certificate}.key")) if look.certificate else None
    context = client_context(certificate=certificate, **look.context)
    if look.strict:
        context.set_ciphers(f"{look.context['ciphers']}:@SECLEVEL=2")
    if not look.tickets:
        context.options |= ssl.OP_NO_TICKET
    mail: list[Line] = ["EHLO x", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>", "DATA",
                        dot_stuffed(f"Subject: case {number}\n\nHello.\n".encode()), "QUIT"]  # fmt: skip
    with TlsDialogue(host, mta.port, "127.0.0.1", wrapped=context if look.wrapped else None, name=look.name) as dialogue:
        said = [dialogue.greeting]
        if not look.wrapped:
            said += dialogue.say_all(["EHLO x", "STARTTLS"])
            if said[-1].startswith("220"):
                said.append(dialogue.secure(context, name=look.name))
        if said[-1] != FAILED:
            said += dialogue.say_all(mail)
        connection = dialogue.socket
        if isinstance(connection, ssl.SSLSocket):
            session = connection.session
            said.append(f"tickets {bool(session and session.has_ticket)}, id {bool(session and session.id)}")
    return said


Case = tuple[str, Look]
"""Options as master.cf has them, and who comes."""


def look_at_all(mta: Instance, world: World, cases: Sequence[Case]) -> dict[Case, list[str]]:
    """Return what is seen in each case; those with the same options are of one service.

    *mta* is stopped before and runs afterwards.
    """
    hosts = {options: f"127.0.1.{place}" for place, options in enumerate(dict.fromkeys(options for options, _ in cases), 1)}
    assert len(hosts) < 250  # there are that many addresses
    services = [f"{host}:{mta.port} inet n - n - - smtpd -o syslog_name={host} {options}\n" for options, host in hosts.items()]
    mta.write("master.cf", (mta.config_directory / "master.cf").read_text() + "".join(services))
    mta.start()
    normaliser = Normaliser(mta.directory, mta.port)
    found: dict[Case, list[str]] = {}
    for number, (options, look) in enumerate(cases):
        mark, host = mta.log_mark(), hosts[options]
        said = _look(mta, world, host, look, number)
        mta.wait_for_log(rf" {host}/smtpd\[\d+\]: disconnect from", since=mark)
        lines = mta.log_lines(mark)
        normaliser.learn(lines)
        found[options, look] = [*said, *normaliser.log(lines)[f"{host}/smtpd"]]
    mta.wait_until_empty()
    headers = {
        re.sub(rb"(?s).*\nSubject: case (\d+)\n.*", rb"\1", message): message.partition(b"\nSubject")[0].decode() for message in mta.deliveries()["user/"]
    }
    for number, seen in enumerate(found.values()):
        seen += headers.get(b"%d" % number, "").splitlines()
        seen[:] = [_steady(normaliser.text(line)).replace(str(world.folder), "WORLD") for line in seen]
    return found


def _steady(line: str) -> str:
    line = re.sub("(?<=key expiration: ).*|(?<=improper command pipelining after CONNECT from ).*", "<varies>", line)
    line = line.replace("sslv3 alert", "ssl/tls alert")  # in the words of another release of the library
    return re.sub(r"<ID\d+>", "<ID>", line)
