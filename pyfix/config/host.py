"""Defaults that depend on the host: its name and its domain."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from pyfix.config.snapshot import Snapshot

__all__ = ["host_domain", "host_networks", "host_qualified_name"]

_UNKNOWN_DOMAIN = "localdomain"


def host_qualified_name(snapshot: Snapshot) -> str:
    """Return the default of myhostname: the host's name, with mydomain when it has no dot."""
    name = os.uname().nodename
    if "." in name:
        return name
    written = snapshot.raw("mydomain")
    return f"{name}.{_UNKNOWN_DOMAIN if written is None else _expanded(snapshot, written, 'myhostname')}"


def host_domain(snapshot: Snapshot) -> str:
    """Return the default of mydomain: myhostname without its first label, or ``localdomain``."""
    written = snapshot.raw("myhostname")
    name = os.uname().nodename if written is None else _expanded(snapshot, written, "mydomain")
    return name.partition(".")[2] if "." in name else _UNKNOWN_DOMAIN


def _expanded(snapshot: Snapshot, text: str, unset: str) -> str:
    """Return the value of one of the two names while the other one, *unset*, whose default it makes, has none yet."""
    return snapshot.with_overrides([(unset, "")]).expand(text) if "$" in text else text


def host_networks(snapshot: Snapshot) -> str:
    """Return the default of mynetworks, which mynetworks_style chooses."""
    from pyfix.config.own_networks import default_networks  # asks the kernel: only when someone needs it

    return default_networks(snapshot)
