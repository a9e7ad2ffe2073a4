"""Many deliveries at once, each by a service of its own to a server of its own."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from tests.kit.instance import Instance
from tests.kit.normalise import Normaliser
from tests.kit.tls import World
from tests.kit.tlspeer import Manner, Server

Case = tuple[str, Manner]
"""Options as master.cf has them, and a server."""


def _at_loopback(_number: int, port: int) -> str:
    return f"[127.0.0.1]:{port}"


def deliver_all(
    mta: Instance, world: World, cases: Sequence[Case], program: str, nexthop: Callable[[int, int], str] = _at_loopback
) -> dict[Case, list[str]]:
    """Send one message to all servers; return what each was told, and what the log says of it.

    *mta* is stopped before and runs afterwards.  *nexthop* gives the next hop for the number of a case and the port of
    its server.
    """
    found: dict[Case, list[str]] = {}
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in cases]
        ports = [listener.getsockname()[1] for listener in listeners]
        services = [
            f"c{number}x unix - - n - - {program} -o syslog_name=c{number}x {options}\n" for number, (options, _) in enumerate(cases)
        ]
        routes = [f"c{number}x.example c{number}x:{nexthop(number, port)}\n" for number, port in enumerate(ports)]
        mta.write("master.cf", (mta.config_directory / "master.cf").read_text() + "".join(services))
        mta.write("transport", "".join(routes))
        mta.start()
        servers = [Server(world, manner, listener) for (_, manner), listener in zip(cases, listeners, strict=True)]
        queue_id = mta.send_message([f"x@c{number}x.example" for number in range(len(cases))], sender="")
        mta.wait_for_log(rf"{queue_id}: to=<", seconds=90, count=len(cases))
        for server, listener in zip(servers, listeners, strict=True):
            server.release(listener)
        mta.settle()
        normaliser = Normaliser(mta.directory, mta.port)
        normaliser.learn(mta.log_lines())
        log = normaliser.log(mta.log_lines())
        for number, (case, server, port) in enumerate(zip(cases, servers, ports, strict=True)):
            lines = [*server.said, *log.get(f"c{number}x/{program}", ())]
            found[case] = [_steady(line, number, port).replace(str(world.folder), "WORLD") for line in lines]
    return found


def _steady(line: str, number: int, port: int) -> str:
    line = re.sub(rf"\bc{number}x\b", "SERVICE", line)
    line = re.sub(rf"(?<![0-9A-Za-z]){port}(?![0-9A-Za-z])", "<PORT>", line)
    return re.sub("error:[0-9A-F]{8}:", "error:NUMBER:", line)
