from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from pyfix.daemons.qmgr.routing import RETRY, Routed, Router, group
from pyfix.protocols.internal.delivery import MTA_VERIFY
from pyfix.protocols.internal.rewrite import CLASS_DEFAULT, CLASS_LOCAL, ERROR, FAIL, ResolveReply
from pyfix.queue.envelope import EnvelopeRecipient
from pyfix.runtime.ipc import ServiceError
from pyfix.runtime.task import run_now
from pyfix.scheduling.feedback import ConcurrencyRules, parse_feedback
from pyfix.scheduling.transport import Transport

UP, STEP = parse_feedback("1")


class FakeTransports:
    """Transports with limits by name."""

    def __init__(self) -> None:
        self.made: dict[str, Transport] = {}

    def get(self, name: str) -> Transport:
        limit = {"local": 1, "small": 2}.get(name, 50)
        rules = ConcurrencyRules(5, 20, UP, STEP, UP, STEP, 1)
        return self.made.setdefault(name, Transport(name, rules, limit, 0))


class FakeResolver:
    """Answers ``transport:nexthop`` from the domain of the address, ``transport.nexthop``."""

    def __init__(self, flags: int = CLASS_DEFAULT) -> None:
        self.flags = flags

    def remembered(self, _sender: str, _address: str) -> None:
        return None

    async def resolve(self, _sender: str, address: str) -> ResolveReply:
        if address == "down@x":
            raise ServiceError("no answer")
        transport, _, nexthop = address.rpartition("@")[2].partition(".")
        return ResolveReply(0, transport, nexthop, address.lower(), self.flags)


    async def resolve_probe(self, sender: str, address: str) -> ResolveReply:
        found = await self.resolve(sender, address)
        return replace(found, nexthop=f"probe.{found.nexthop}")


def recipient(address: str) -> EnvelopeRecipient:
    return EnvelopeRecipient("", address, 10, "", 0)


def message(**more: Any) -> Any:
    usual = {"sender": "s@x", "filter": "", "redirect": "", "verp": "", "flags": 0, "flushed": False}
    return SimpleNamespace(**{**usual, **more})


def router(flags: int = CLASS_DEFAULT) -> tuple[Router, FakeTransports]:
    settings: Any = SimpleNamespace(
        error_service_name="error", defer_transports=("held",), recipient_delimiter="+", default_filter_nexthop="",
        double_bounce_sender="Double-Bounce",
    )
    resolver: Any = FakeResolver(flags)
    transports: Any = FakeTransports()
    return Router(settings, resolver, transports), transports


def place(routed: Routed) -> tuple[str, str, str]:
    destination = routed.destination
    return destination.transport.name, destination.name, routed.recipient.recipient


def test_where_recipients_go() -> None:
    made, transports = router()
    for address, expected in {
        "User@smtp.there": ("smtp", "there", "user@smtp.there"),
        "user+ext@local.here": ("local", "user@here", "user+ext@local.here"),
        "a@held.there": ("retry", "4.3.2 deferred transport", "a@held.there"),
        "down@x": ("retry", "4.3.0 address resolver failure", "down@x"),
    }.items():
        assert place(run_now(made.route(message(), recipient(address)))) == expected
    transports.get("smtp").dead = "4.3.0 mail transport unavailable"
    found = run_now(made.route(message(), recipient("a@smtp.there")))
    assert place(found)[:2] == (RETRY, "4.3.0 mail transport unavailable")


def test_probes_have_routes_of_their_own() -> None:
    """By the address_verify_* parameters, and not from memory."""
    made, _ = router()
    probe = message(flags=MTA_VERIFY)
    assert made.route_now(probe, recipient("a@smtp.there")) is None
    run_now(made.learn(probe, [recipient("a@smtp.there"), recipient("b@smtp.there")]))
    assert place(run_now(made.route(probe, recipient("a@smtp.there"))))[1] == "probe.there"


def test_mail_for_the_sender_of_postmaster_notices() -> None:
    made, _ = router(CLASS_LOCAL)
    assert made.nowhere is None
    found = run_now(made.route(message(), recipient("double-BOUNCE@local.here")))
    assert found.destination is made.nowhere is not None
    for address, flags in (("double-bounce+x@local.here", 0), ("double-bounce@local.here", 256)):
        assert place(run_now(made.route(message(flags=flags), recipient(address))))[0] == "local"
    elsewhere, _ = router()
    assert place(run_now(elsewhere.route(message(), recipient("double-bounce@smtp.there"))))[0] == "smtp"


def test_what_cannot_be_resolved() -> None:
    assert place(run_now(router(FAIL)[0].route(message(), recipient("a@b"))))[0] == "retry"
    found = place(run_now(router(ERROR)[0].route(message(), recipient("a@b"))))
    assert found[:2] == ("error", "5.1.3 bad address syntax")


def test_flushed_mail_does_not_wait() -> None:
    made, _ = router()
    assert place(run_now(made.route(message(flushed=True), recipient("a@held.there"))))[0] == "held"


def test_filters_and_redirections() -> None:
    made, _ = router()
    assert place(run_now(made.route(message(filter="scan:host"), recipient("a@b.c")))) == ("scan", "host", "a@b.c")
    assert place(run_now(made.route(message(filter="scan:"), recipient("a@b.c")))) == ("scan", "b.c", "a@b.c")
    found = run_now(made.route(message(redirect="other@smtp.there"), recipient("a@b.c")))
    assert place(found) == ("smtp", "there", "other@smtp.there")
    assert found.recipient.original_recipient == "a@b.c"


def test_a_dead_destination_is_not_tried() -> None:
    made, transports = router()
    transports.get("smtp").destination("there", "there").dead = "4.4.1 delivery temporarily suspended: away"
    found = run_now(made.route(message(), recipient("a@smtp.there")))
    assert place(found)[:2] == (RETRY, "4.4.1 delivery temporarily suspended: away")


def test_recipients_are_grouped_in_order() -> None:
    transport = FakeTransports().get("small")
    first, second = transport.destination("one", "one"), transport.destination("two", "two")
    routed = [Routed(first, recipient(f"{name}@one")) for name in "dBac"] + [Routed(second, recipient("x@two"))]
    entries = group(message(), routed)
    groups = [(entry.destination.name, [found.recipient for found in entry.recipients]) for entry in entries]
    assert groups == [("one", ["B@one", "a@one"]), ("one", ["c@one", "d@one"]), ("two", ["x@two"])]
    assert [len(entry.recipients) for entry in group(message(verp="+="), routed)] == [1] * 5


def test_a_destination_that_was_forgotten_meanwhile() -> None:
    """Between the routes of two recipients a delivery ended, and nothing kept their destination in mind."""
    transport = FakeTransports().get("small")
    first = Routed(transport.destination("x", "x"), recipient("a@x"))
    transport.forget_if_idle(first.destination)
    second = Routed(transport.destination("x", "x"), recipient("b@x"))
    assert first.destination is not second.destination
    assert [[one.recipient for one in entry.recipients] for entry in group(message(), [first, second])] == [["a@x", "b@x"]]
    transport.forget_if_idle(second.destination)
    (entry,) = group(message(), [first])
    assert entry.destination is transport.destinations["x"]
