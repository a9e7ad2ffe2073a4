"""The checks, in the order in which a person reads them."""

from __future__ import annotations

from typing import Final

__all__ = ["CHECKS", "GROUPS"]

GROUPS: Final = {
    "relaying": "Relaying and access",
    "names": "Names and values",
    "services": "Services and sockets",
    "tables": "Lookup tables",
    "tls": "TLS",
    "domains": "Names and domains of this host",
    "files": "Files, disks and the log",
}
"""Group to its heading."""

CHECKS: Final = {
    "open_relay": "relaying",
    "trusted_networks": "relaying",
    "unreachable_restrictions": "relaying",
    "unknown_restrictions": "relaying",
    "unknown_parameters": "names",
    "bad_values": "names",
    "replaced_settings": "names",
    "compatibility": "names",
    "missing_services": "services",
    "silent_endpoints": "services",
    "filter_loops": "services",
    "tables": "tables",
    "table_rights": "tables",
    "certificates": "tls",
    "key_rights": "tls",
    "tls_settings": "tls",
    "overlapping_domains": "domains",
    "host_names": "domains",
    "sender_keys": "domains",
    "size_limits": "files",
    "queue_disk": "files",
    "no_log": "files",
}
"""Module of pyfix.commands.postfix.doctor.checks to its group."""
