"""One message, handed over to a peer that answers by script, on either side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.kit.instance import Instance
from tests.kit.parity import Observation, Parity
from tests.kit.peer import Peer, Script
from tests.kit.processes import wait_until

PIPELINING = "250-peer.example\n250-PIPELINING\n250-SIZE 10000000\n250-8BITMIME\n250-DSN\n250 ENHANCEDSTATUSCODES"
"""A modern server's reply to EHLO."""
SENDER = "second@ours.example"
HANDED = {
    "transport_maps": "texthash:{dir}/etc/transport",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtp_tls_security_level": "none",
}
"""Settings by which mail from us goes where a test's transport table says."""
_MOST = 2000
_numbers = count()


def transport_map(port: int) -> str:
    """Return a table with a next hop for each case: qmgr(8) remembers the dead ones."""
    lines = []
    for number in range(_MOST):
        address = f"127.1.{number // 250}.{number % 250 + 1}"
        lines += [
            f"c{number}.smtp.example smtp:[{address}]:{port}",
            f"c{number}.lmtp.example lmtp:inet:[{address}]:{port}",
        ]
    return "\n".join([*lines, ""])


@dataclass(frozen=True)
class Hand:
    """Hands messages over on both sides and compares what the peer saw, the log, the notices and what is left."""

    parity: Parity
    peer: Peer
    main: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """More of Parity's."""

    def __call__(
        self,
        script: Script | None = None,
        recipients: Sequence[str] = ("a",),
        *,
        lmtp: bool = False,
        content: str | bytes = "Subject: test\n\nHello.\n",
        sender: str = SENDER,
        main: Mapping[str, str] | None = None,
        files: Mapping[str, str | bytes] | None = None,
        send: Callable[[Instance, list[str]], str] | None = None,
        **arguments: Any,
    ) -> Observation:
        """Send a message to *recipients* (local parts) at the peer.  *send* sends it another way; it returns the queue id."""
        number = next(_numbers)
        domain = f"c{number}.{'lmtp' if lmtp else 'smtp'}.example"
        addresses = [name if "@" in name else f"{name}@{domain}" for name in recipients]

        def case(mta: Instance) -> None:
            self.peer.reset(script, lmtp=lmtp)
            queue_id = mta.send_message(addresses, content, sender) if send is None else send(mta, addresses)
            mta.wait_for_log(rf"{queue_id}: to=<", 40, count=len(addresses))
            done = wait_until(lambda: is_at_rest(mta, queue_id), 20)
            assert done, mta.log_lines()
            mta.settle()
            mta.transcript += self.peer.transcript()
            mta.transcript += logs_of(mta, queue_id).splitlines()

        settings = {
            **HANDED,
            "smtputf8_autodetect_classes": "sendmail, verify",
            **self.main,
            **(main or {}),
        }
        tables = {"transport": transport_map(self.peer.port), **(files or {})}
        return self.parity(
            case,
            main=settings,
            files=tables,
            deliveries=True,
            **{"logs": ("smtp", "lmtp", "bounce"), **self.arguments, **arguments},
        )


def is_at_rest(mta: Instance, queue_id: str) -> bool:
    """Tell whether a message is out of the queue, or deferred."""
    places = [name for name, ids in mta.queue().items() if queue_id in ids]
    return places in ([], ["deferred"])


def logs_of(mta: Instance, queue_id: str) -> str:
    """Return the bounce, defer and trace logs of a message, without what differs by the file's layout."""
    texts = []
    for kind in ("bounce", "defer", "trace"):
        for path in sorted((mta.queue_directory / kind).rglob(queue_id)):
            texts.append(f"{kind}:\n{path.read_text()}")
    return "\n".join(line for line in "\n".join(texts).splitlines() if not line.startswith("offset="))
