"""Sender rewriting of mail that is forwarded, beside postsrsd with the same keys: each takes what the other makes.

The mail system is pyfix's alone: Postfix has no sender rewriting of its own.
"""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from pyfix.formats.srs import SenderRewritingScheme
from tests.kit import requirements, smtp
from tests.kit.accounts import FIRST_ID
from tests.kit.instance import STRANGER, Instance
from tests.kit.peer import Peer
from tests.kit.ports import ReservedPort
from tests.kit.servers import own_folder, running

pytestmark = pytest.mark.root

SENDER = "Some.One+x=y@stranger.example"
KEYS = b"the first key\nan older key\n"
_TODAY = int(time.time()) // 86400


class World:
    """A mail system that forwards, the other sites that it forwards to, and postsrsd."""

    def __init__(self, mta: Instance, peer: Peer, forward: int, reverse: int) -> None:
        self.mta, self.peer, self._forward, self._reverse = mta, peer, forward, reverse

    def packed(self, address: str) -> str:
        """Ask postsrsd for a rewritten sender."""
        return _asked(self._forward, address)

    def unpacked(self, address: str) -> str:
        """Ask postsrsd whom a rewritten sender stands for."""
        return _asked(self._reverse, address)

    def sent(self, recipients: list[str], sender: str = SENDER) -> list[tuple[str, list[str]]]:
        """Send a message, and return what other sites were told of it: senders, each with its recipients."""
        self.peer.reset()
        self.mta.send_message(recipients, sender=sender)
        return self.told()

    def told(self) -> list[tuple[str, list[str]]]:
        self.mta.wait_until_empty()
        self.mta.settle()
        found: list[tuple[str, list[str]]] = []
        for session in self.peer.sessions:
            for line in session.lines:
                if (match := re.match(r"(MAIL FROM|RCPT TO):<(.*?)>", line)) is not None:
                    if match[1] == "RCPT TO":
                        found[-1][1].append(match[2])
                    else:
                        found.append((match[2], []))
        return sorted(found)


def _asked(port: int, address: str) -> str:
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.sendall(f"get {address}\n".encode())
        return client.recv(4096).decode().strip()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    if (program := shutil.which("postsrsd", path="/usr/sbin:/usr/bin")) is None:
        requirements.missing("the program postsrsd is not installed")
    with ExitStack() as stack:
        folder = stack.enter_context(own_folder())
        keys = folder / "keys"
        keys.write_bytes(KEYS)
        peer = stack.enter_context(Peer())
        main = {
            "relayhost": f"[127.0.0.1]:{peer.port}", "virtual_alias_domains": "alias.example, fwd.example",
            "virtual_alias_maps": "texthash:{dir}/etc/virtual", "alias_maps": "texthash:{dir}/etc/aliases",
            "pyfix_srs_domain": "fwd.example", "pyfix_srs_key_file": "{dir}/etc/keys", "smtpd_tls_security_level": "none",
        }  # fmt: skip
        files: dict[str, str | bytes] = {
            "virtual": "list@alias.example a@far.example, b@near.example, user@ours.example\n", "keys": KEYS,
            "aliases": "away c@far.example\nlist d@far.example\nowner-list alice@mail.ours.example\n",
        }  # fmt: skip
        mta = stack.enter_context(Instance("pyfix", main, files=files, accounts=("alice",)))
        (mta.config_directory / "keys").chmod(0o600)
        forward = mta.directory / "home/alice/.forward"
        forward.write_text("alice@far.example\n")
        shutil.chown(forward, FIRST_ID, FIRST_ID)
        mta.start()
        ports = [ReservedPort(), ReservedPort()]
        for port in ports:
            stack.callback(port.release)
        options = ["-4", f"-s{keys}", "-dfwd.example", f"-f{ports[0].number}", f"-r{ports[1].number}"]
        stack.enter_context(running([program, *options], ports[0].number, folder / "log"))
        yield World(mta, peer, ports[0].number, ports[1].number)


@pytest.mark.parametrize(
    ("recipient", "there"),
    [("away@mail.ours.example", ["c@far.example"]), ("alice@mail.ours.example", ["alice@far.example"]), ("list@alias.example", ["a@far.example", "b@near.example"])],
)  # fmt: skip
def test_what_is_forwarded(world: World, recipient: str, there: list[str]) -> None:
    """By an alias, by a .forward file, and by a virtual alias with a member who is here."""
    told = world.sent([recipient])
    assert sorted(address for _, addresses in told for address in addresses) == there
    for sender, _ in told:
        assert sender.startswith("SRS0=") and sender.endswith("=stranger.example=Some.One+x=y@fwd.example")
        assert world.unpacked(sender) == f"200 {SENDER}"
        assert f"200 {sender}" == world.packed(SENDER)
    if recipient == "list@alias.example":
        files = list((world.mta.mail_directory / "user/new").iterdir())
        assert all(path.read_text().startswith(f"Return-Path: <{SENDER}>\n") for path in files)


@pytest.mark.parametrize(
    ("sender", "recipient"),
    [(SENDER, "direct@far.example"), ("", "away@mail.ours.example"), ("user@ours.example", "away@mail.ours.example"), ("x@alias.example", "list@alias.example")],
)  # fmt: skip
def test_what_is_not(world: World, sender: str, recipient: str) -> None:
    """Mail for other sites, notices, and mail of our own users."""
    assert {told for told, _ in world.sent([recipient], sender)} == {sender}


def test_a_list_with_an_owner(world: World) -> None:
    """Its mail is the owner's."""
    assert world.sent(["list@mail.ours.example"]) == [("owner-list@mail.ours.example", ["d@far.example"])]


def test_both_in_one_message(world: World) -> None:
    """Each recipient gets the sender that is right for him, though all go to the same place."""
    told = world.sent(["direct@far.example", "list@alias.example"])
    assert [(address.startswith("SRS0="), sorted(there)) for address, there in told] == [
        (True, ["a@far.example", "b@near.example"]), (False, ["direct@far.example"]),
    ]  # fmt: skip


def test_forwarded_twice(world: World) -> None:
    """Somebody has rewritten the sender already: his address is packed, and the way back leads past us."""
    first = "SRS0+abcd=EF=origin.example=who@between.example"
    for sender in (first, "SRS1=zzzz=between.example=+abcd=EF=origin.example=who@other.example"):
        ((told, _),) = world.sent(["away@mail.ours.example"], sender)
        assert told.startswith("SRS1=")
        assert f"200 {told}" == world.packed(sender)
        assert world.unpacked(told) == f"200 {first}"


@pytest.mark.parametrize("change", [str, str.lower, str.upper])
@pytest.mark.parametrize("sender", [SENDER, "SRS0+abcd=EF=origin.example=who@between.example"])
def test_the_way_back(world: World, change: Callable[[str], str], sender: str) -> None:
    """What postsrsd makes leads to the first sender, whatever happened to its case."""
    packed = change(world.packed(sender).removeprefix("200 "))
    world.peer.reset()
    queue_id = world.mta.send_message(packed, sender="", client=STRANGER)
    ((told, there),) = world.told()
    assert (told, [there[0].lower()]) == ("", [sender.lower()])
    assert world.mta.wait_for_log(rf"{queue_id}: to=<{re.escape(there[0])}>, orig_to=<{re.escape(packed)}>, relay=127")


def _scheme(key: bytes) -> SenderRewritingScheme:
    return SenderRewritingScheme((key,))


@pytest.mark.parametrize(
    ("scheme", "age", "reason"),
    [
        (_scheme(b"the first key"), 0, ""),
        (_scheme(b"an older key"), 20, ""),
        (_scheme(b"an older key"), 23, "SRS address has expired"),
        (_scheme(b"another key"), 0, "SRS address with a bad signature"),
    ],
)
def test_refused(world: World, scheme: SenderRewritingScheme, age: int, reason: str) -> None:
    """By smtpd at once, as postsrsd would; by cleanup where smtpd was not asked: it goes nowhere."""
    address = scheme.pack(SENDER, "fwd.example", _TODAY - age)
    envelope = ["EHLO x", "MAIL FROM:<>", f"RCPT TO:<{address}>", "QUIT"]
    reply = smtp.dialogue(world.mta.host, world.mta.port, envelope, STRANGER)[1][-2]
    if not reason:
        assert world.unpacked(address) == f"200 {SENDER}"
        assert reply == "250 2.1.5 Ok"
        return
    assert world.unpacked(address).startswith("500 ")
    assert reply == f"550 5.1.1 <{address}>: Recipient address rejected: {reason}"
    mark = world.mta.log_mark()
    world.mta.run("sendmail", "-f", "user@ours.example", address, input=b"Subject: x\n\nx\n")
    world.mta.wait_for_log(rf"cleanup\[.*: {reason}: {re.escape(address)}", since=mark)
    world.mta.wait_for_log(rf"to=<{re.escape(address)}>.*User unknown in virtual alias table", since=mark)
    world.mta.wait_until_empty()


def test_a_site_that_refuses_what_is_forwarded(world: World) -> None:
    """The notice goes to the first sender, who needs no way back."""
    world.peer.reset({"RCPT c@far.example": "550 5.1.1 nobody"})
    world.mta.send_message("away@mail.ours.example", sender=SENDER)
    told = world.told()
    assert ("", [SENDER]) in told and len(told) == 2
