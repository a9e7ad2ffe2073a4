"""A transaction without a session."""

from __future__ import annotations

from typing import Any

from pyfix.access.policy import AccessPolicy
from pyfix.access.transaction import Client, Transaction
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.protocols.internal.rewrite import CLASS_DEFAULT, CLASS_LOCAL, CLASS_VIRTUAL, FAIL, ROUTED, ResolveReply
from pyfix.runtime.log import log

MAIN = {
    "myhostname": "mail.ours.example",
    "mydestination": "mail.ours.example",
    "mynetworks": "192.0.2.0/24",
    "inet_interfaces": "loopback-only",
    "inet_protocols": "ipv4",
    "alias_maps": "",
    "local_recipient_maps": "inline:{joe=x}",
    "virtual_mailbox_domains": "ours.example",
    "virtual_mailbox_maps": "inline:{user@ours.example=x}",
    "compatibility_level": "3.11",
}


class Resolver:
    """Knows two domains of ours; ``fail@`` can't be resolved, ``%`` is a route."""

    def remembered(self, _sender: str, address: str) -> ResolveReply:
        domain = address.rpartition("@")[2] if "@" in address else "mail.ours.example"
        flags = {"ours.example": CLASS_VIRTUAL, "mail.ours.example": CLASS_LOCAL}.get(domain, CLASS_DEFAULT)
        flags |= (FAIL if address.startswith("fail@") else 0) | (ROUTED if "%" in address else 0)
        transport, nexthop = "x", domain
        if address.startswith("error@"):
            transport, nexthop = "error", "5.9.1 gone away"
        recipient = address if "@" in address else f"{address}@mail.ours.example"
        return ResolveReply(flags=0, transport=transport, nexthop=nexthop, recipient=recipient, resolve_flags=flags)


def transaction(
    monkeypatch: Any, lines: list[str] | None = None, *, address: str = "198.51.100.7", name: str = "client.example",
    sender: str | None = None, recipient: str | None = None, helo: str | None = None, **main: str,
) -> Transaction:  # fmt: skip
    """Return a transaction at RCPT; log lines go to *lines*."""
    kept = [] if lines is None else lines
    monkeypatch.setattr(log, "info", kept.append)
    monkeypatch.setattr(log, "warning", lambda text: kept.append(f"warning: {text}"))
    snapshot = Snapshot({**MAIN, **main}, process_name="smtpd")
    policy = AccessPolicy(snapshot, SmtpdSettings(snapshot), Resolver())  # type: ignore[arg-type]  # a fake with what it needs
    found = Transaction(policy, Client(name, address, "1", reverse_name=name))
    found.sender, found.recipient, found.helo_name, found.where = sender, recipient, helo, "RCPT"
    return found
