"""Configurations in the shape of what sites run: on the same traffic both sides reply, log, deliver and show the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit import processes, servers
from tests.kit.authdouble import AuthDouble, encoded
from tests.kit.dnsworld import DnsWorld
from tests.kit.instance import STRANGER, TRUSTED, Instance
from tests.kit.normalise import Normaliser
from tests.kit.parity import Parity
from tests.kit.peer import Peer
from tests.kit.policyserver import PolicyServer
from tests.kit.smtp import dot_stuffed
from tests.kit.tls import TlsDialogue, client_context, make_world
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .running import SITES, Site, SitePool

pytestmark = [pytest.mark.reference, pytest.mark.root]

NAMES = sorted(path.name for path in SITES.iterdir() if (path / "main.cf").exists())
ZONES = {
    "example": """remote.example. MX 10 mx.remote.example.
    mx.remote.example. A 127.0.0.3
    smarthost.example. A 127.0.0.4
    second.example. A 127.0.0.5
    primary.example. A 127.0.0.6
    direct.example. A 127.0.0.3
    maps.example. MX 10 mx.remote.example.
    elsewhere.example. MX 10 mx.remote.example.
    ours.example. MX 10 mail.ours.example.
    mail.ours.example. A 127.0.0.1
    backup.example. MX 5 primary.example.
    client.example. A 127.0.0.1
    66.0.0.127.bl.example. A 127.0.0.2
    listed.example. MX 10 mx.remote.example.
    listed.example.bl.example. A 127.0.0.2
    """,
}
TEXT = b"From: someone <someone@remote.example>\nTo: user@ours.example\nSubject: hello\nUser-Agent: x\nX-Mailer: y\n\nhi\n"
SPAM = b"Subject: spam\n\nhi\n"
REPLIES = {
    "EHLO": "250-peer.example\n250-PIPELINING\n250-AUTH PLAIN LOGIN\n250-XFORWARD NAME ADDR PROTO HELO SOURCE PORT\n250 8BITMIME",
    "AUTH": "235 2.7.0 ok",
    "RCPT never@": "550 5.1.1 no such user",
    "RCPT later@": "450 4.2.0 try later",
}


@dataclass(frozen=True)
class World:
    """What all sites have around them."""

    dns: DnsWorld
    peer: Peer
    policy: PolicyServer
    certificates: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("tls")
    for path in (folder, folder.parent):
        path.chmod(0o755)
    with DnsWorld(ZONES, options="timeout:20 attempts:2") as dns, Peer(REPLIES) as peer, PolicyServer() as policy:
        yield World(dns, peer, policy, make_world(folder).folder)


@pytest.fixture(scope="module")
def database() -> Iterator[int]:
    """The port of a PostgreSQL server with the table of the sites that have one."""
    with servers.postgresql((SITES / "virtual_domains_postgresql/database.sql").read_text()) as (port, _folder):
        yield port


@pytest.fixture(scope="module")
def mariadb(world: World) -> Iterator[int]:
    """The port of a MariaDB server with the tables of the site that has one."""
    with servers.mariadb((SITES / "mailcow/mariadb.sql").read_text().replace("{peer}", str(world.peer.port))) as (port, _folder):
        yield port


def traffic(mta: Instance) -> None:
    """Mail from outside, from inside, from people who log in, and from the machine itself."""
    ehlo = "EHLO client.example"
    for sender, recipients, client in (
        ("someone@remote.example", ["user@ours.example", "nosuch@ours.example", "x@elsewhere.example"], STRANGER),
        ("someone@remote.example", ["abuse@ours.example", "user+box@ours.example", "x@other.example"], STRANGER),
        ("", ["postmaster@ours.example"], STRANGER),
        ("a@nowhere.invalid", ["user@ours.example"], STRANGER), ("joe@ours.example", ["user@ours.example"], STRANGER), ("a@listed.example", ["user@ours.example"], STRANGER),
        ("someone@remote.example", ["user@ours.example"], "127.0.0.66"), ("unqualified", ["user", "user@ours.example"], STRANGER),
        ("someone@remote.example", ["x@backup.example"], STRANGER),
        ("user@ours.example", ["someone@remote.example", "user@ours.example", "never@remote.example"], TRUSTED),
        ("root@ours.example", ["x@maps.example", "x@direct.example", "root", "alice"], TRUSTED),
        ("joe@ours.example", ["later@remote.example", "joe@ours.example"], TRUSTED),
    ):  # fmt: skip
        rcpt = [f"RCPT TO:<{recipient}>" for recipient in recipients]
        mta.dialogue(ehlo, f"MAIL FROM:<{sender}>", *rcpt, "RSET", "QUIT", client=client)
        replies = mta.dialogue(ehlo, f"MAIL FROM:<{sender}>", *[line for line in rcpt if "nosuch" not in line], "DATA", client=client)
        if replies[-1].startswith("354"):
            mta.dialogue(ehlo, f"MAIL FROM:<{sender}>", *rcpt, "DATA", dot_stuffed(TEXT), "QUIT", client=client)
    for lines in (["HELO spam.example"], ["HELO -x-"], ["EHLO ours.example"], ["MAIL FROM:<a@remote.example>"], [ehlo, "VRFY user@ours.example", "ETRN ours.example", "AUTH PLAIN x"]):
        mta.dialogue(*lines, "MAIL FROM:<someone@remote.example>", "RCPT TO:<user@ours.example>", "QUIT")
    mta.dialogue(ehlo, "MAIL FROM:<someone@remote.example>", "RCPT TO:<user@ours.example>", "DATA", dot_stuffed(SPAM), "QUIT")
    _submission(mta)
    if f"127.0.0.1:{mta.main['reinject']}" in (mta.config_directory / "master.cf").read_text():
        mta.dialogue(ehlo, "MAIL FROM:<a@remote.example>", "RCPT TO:<user@ours.example>", "DATA", dot_stuffed(TEXT), "QUIT", port=int(mta.main["reinject"]))
    for arguments in (("-f", "root", "root"), ("-t", "-FSomeone"), ("user", "someone@remote.example")):
        done = mta.run("sendmail", *arguments, input=b"To: postmaster, someone@remote.example\nSubject: local\n\nhi\n")
        mta.transcript += [f"{done.returncode}", done.stderr.decode()]
    settle(mta)


def _submission(mta: Instance) -> None:
    port = int(mta.main["submission"])
    if f":{port} inet" not in (mta.config_directory / "master.cf").read_text():
        return
    mta.dialogue("EHLO client.example", "MAIL FROM:<joe@ours.example>", "RCPT TO:<someone@remote.example>", "QUIT", port=port)
    for login, sender in (("joe", "joe@ours.example"), ("joe", "user@ours.example"), ("bare", "joe@ours.example")):
        with TlsDialogue(mta.host, port, STRANGER) as client:
            lines = ["EHLO client.example", f"AUTH PLAIN {encoded('', login, 'pw')}", f"MAIL FROM:<{sender}>", "RCPT TO:<someone@remote.example>", "DATA"]
            mta.transcript += client.say_all(["EHLO client.example", "STARTTLS"])
            mta.transcript.append(client.secure(client_context()))
            replies = client.say_all(lines)
            mta.transcript += [*replies, *client.say_all([dot_stuffed(TEXT)] if replies[-1].startswith("354") else []), *client.say_all(["QUIT"])]


def settle(mta: Instance) -> None:
    """Wait until nothing is left but deferred mail, and all is logged."""
    before = -1
    while before != (before := mta.log_mark()):
        assert processes.wait_until(lambda: set(mta.queue()) <= {"deferred", "hold"}, 20.0), mta.queue()
        mta.settle()


def shown(mta: Instance) -> None:
    """Add what the commands say of the configuration."""
    for command in (("postconf", "-n"), ("postconf", "-M"), ("postconf", "-P"), ("postconf", "-xn")):
        done = mta.run(*command)
        text = (done.stdout + b"".join(sorted(done.stderr.splitlines(keepends=True)))).decode().replace(f"{mta.command_directory}/", "").replace(mta.main["submission"], "SUBMISSION").replace(mta.main["reinject"], "REINJECT")
        own = ("_path = ", "_directory = ")  # where each side's programs are
        mta.transcript += [f"{command}: {done.returncode}", *[line for line in text.splitlines() if not any(name in line for name in own) or "sasl_path" in line]]


_SAID = ("MAIL", "RCPT", "AUTH", "LHLO", "XFORWARD", "Subject:", "User-Agent:")


def came_of_it(mta: Instance) -> list[str]:
    """Return the lines of the log and of what was delivered, in no order: messages pass each other on their way."""
    normaliser = Normaliser(mta.directory, mta.port, [(mta.main["submission"], "SUBMISSION"), (mta.main["reinject"], "REINJECT")])
    normaliser.learn(mta.log_lines())
    # Some things each process tells once, and how many processes there are is not said.
    lines = {f"{program}: {line}" for program, found in normaliser.log(mta.log_lines()).items() for line in found}
    content = [f"{mailbox}: {line}" for mailbox, found in mta.deliveries().items() for message in found for line in normaliser.content(message).split("\n")]
    # A header that is logged is cut within its date.
    return sorted({re.sub(r"; \w{3}, \d+ \w{3} \d{4} [\d:]+ \+0", "; DATE", re.sub(r"<ID\d+>", "<ID>", line)) for line in lines}) + sorted(re.sub(r"<ID\d+>", "<ID>", line) for line in content)


@pytest.mark.parametrize("name", NAMES)
def test_a_site(world: World, request: pytest.FixtureRequest, name: str) -> None:
    words = {"peer": str(world.peer.port), "policy": str(world.policy.port), "tls": str(world.certificates)}
    if (SITES / name / "database.sql").exists():
        words["database"] = str(request.getfixturevalue("database"))
    if (SITES / name / "mariadb.sql").exists():
        words["mariadb"] = str(request.getfixturevalue("mariadb"))
    site = Site(name, words, world.dns.mounts)

    def case(mta: Instance) -> str:
        world.peer.reset(REPLIES)
        with AuthDouble(mta.queue_directory / "private/auth"), Peer(path=mta.queue_directory / "private/dovecot-lmtp", lmtp=True) as lmtp:
            (mta.queue_directory / "private/dovecot-lmtp").chmod(0o666)
            traffic(mta)
            shown(mta)
            said = sorted(re.sub(r"\bPORT=\d+", "PORT=N", line) for peer in (world.peer, lmtp) for session in peer.seen() for line in session)
        return "\n".join([*came_of_it(mta), *[line for line in said if line.partition(" ")[0] in _SAID]])

    seen = Parity(SitePool(site), KNOWN_DIFFERENCES, ("reference", "pyfix"))(case)
    assert "status=sent" in str(seen.result)
