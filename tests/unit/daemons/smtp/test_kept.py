from __future__ import annotations

import socket
from typing import Any

from pyfix.daemons.smtp.kept import KeptSessions
from pyfix.daemons.smtp.server import Server
from pyfix.daemons.smtp.session import Session
from pyfix.runtime.loop import current
from pyfix.runtime.stream import Stream
from pyfix.runtime.task import sleep
from tests.unit.runtime.forked import on_loop, pair

FIRST = Server("x.example", "a.example", "192.0.2.1", 25)
SECOND = Server("x.example", "b.example", "192.0.2.1", 25)


def session() -> tuple[Session, socket.socket]:
    ours, theirs = pair()
    made = Session(FIRST, Stream(ours), line_limit=2048, whole_deadline=False)
    made.expires = current().now + 100
    return made, theirs


def test_by_destination_and_by_server() -> None:
    async def test() -> list[Any]:
        kept = KeptSessions(10, 0)
        (one, peer_of_one), (two, peer_of_two) = session(), session()
        kept.save(one, "x.example")
        kept.save(two, "")
        seen: list[Any] = [kept.take_for_destination("y.example"), kept.take_for_destination("x.example") is one]
        seen += [kept.take_for_destination("x.example"), kept.take_for_server(SECOND) is two, two.server.host]
        seen += [kept.take_for_server(SECOND), one.reuse_count]
        peer_of_one.close(), peer_of_two.close()
        return seen

    assert on_loop(test) == [None, True, None, True, "b.example", None, 1]


def test_who_has_logged_in_serves_its_destination_only() -> None:
    async def test() -> list[Any]:
        kept = KeptSessions(10, 0)
        (one, peer_of_one), (two, peer_of_two) = session(), session()
        one.authenticated = two.authenticated = True
        kept.save(one, "x.example")
        kept.save(two, "")
        seen: list[Any] = [
            kept.take_for_server(FIRST),
            two.stream.closed,
            kept.take_for_destination("x.example") is one,
        ]
        peer_of_one.close(), peer_of_two.close()
        return seen

    assert on_loop(test) == [None, True, True]


def test_who_has_left_or_spoken_is_not_taken() -> None:
    async def test() -> list[Any]:
        kept = KeptSessions(10, 0)
        (one, peer_of_one), (two, peer_of_two) = session(), session()
        kept.save(one, "x.example")
        kept.save(two, "x.example")
        peer_of_one.close()
        peer_of_two.send(b"421 bye\r\n")
        await sleep(0.05)
        return [kept.take_for_destination("x.example"), one.stream.closed, two.stream.closed]

    assert on_loop(test) == [None, True, True]


def test_time_and_uses() -> None:
    async def test() -> list[Any]:
        kept = KeptSessions(0.05, 2)
        one, _peer = session()
        seen: list[Any] = [kept.may_keep(one)]
        one.reuse_count = 2
        seen.append(kept.may_keep(one))
        one.reuse_count, one.expires = 0, current().now
        seen.append(kept.may_keep(one))
        kept.save(one, "x.example")
        await sleep(0.5)
        return [*seen, one.stream.closed]

    assert on_loop(test) == [True, False, False, True]


def test_the_end_closes_all() -> None:
    async def test() -> bool:
        kept = KeptSessions(10, 0)
        one, _peer = session()
        kept.save(one, "x.example")
        kept.close()
        return one.stream.closed

    assert on_loop(test)


def test_what_nobody_takes_goes_to_others() -> None:
    class Shared:
        given: list[Any]

        def takes(self, session: Session) -> bool:
            return not session.authenticated

        async def give(self, session: Session) -> None:
            self.given.append(session)

    async def test() -> list[Any]:
        shared: Any = Shared()
        shared.given = []
        kept = KeptSessions(10, 0, shared)
        (one, peer_of_one), (two, peer_of_two) = session(), session()
        two.authenticated = True
        kept.save(one, "x.example")
        kept.save(two, "y.example")
        await sleep(0.1)
        early = list(shared.given)
        await sleep(0.4)
        seen = [early, shared.given == [one], kept.take_for_destination("x.example"), kept.take_for_destination("y.example") is two]
        for end in (one.stream, two.stream, peer_of_one, peer_of_two):
            end.close()
        return seen

    assert on_loop(test) == [[], True, None, True]
