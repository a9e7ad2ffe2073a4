"""Whose headers are rewritten as local ones.

Source: postconf(5) local_header_rewrite_clients.
"""

from __future__ import annotations

from pyfix.access.certificates import permitted_by_certificate
from pyfix.access.transaction import Transaction
from pyfix.runtime.log import log
from pyfix.tables.source import open_or_unavailable
from pyfix.tables.table import TableError

__all__ = ["rewrites_locally"]


async def rewrites_locally(transaction: Transaction) -> bool:
    """Say whether local_header_rewrite_clients has the client.  Raises TableError."""
    policy = transaction.policy
    words = policy.settings.local_header_rewrite_clients
    address = transaction.client.address
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        match word.lower():
            case "permit_inet_interfaces":
                if transaction.client.connected_from in policy.own_addresses:
                    return True
            case "permit_mynetworks":
                if await policy.ask_mynetworks(address):
                    return True
            case "permit_sasl_authenticated":
                if transaction.sasl_username:
                    return True
            case "permit_tls_clientcerts" | "permit_tls_all_clientcerts" as kind:
                if await permitted_by_certificate(transaction, kind, trusted_too="_all_" in kind):
                    return True
            case "check_address_map":
                name = words[position] if position < len(words) else ""
                position += 1
                if name and await _in_table(transaction, name):
                    return True
            case _ if ":" in word:
                if await _in_table(transaction, word):
                    return True
            case _:
                log.warning(f"parameter local_header_rewrite_clients: invalid request: {word}")
    return False


async def _in_table(transaction: Transaction, name: str) -> bool:
    try:
        table = open_or_unavailable(name, transaction.policy.snapshot)
        return await table.find(transaction.client.address) is not None
    except TableError:
        log.warning(f'{name} lookup error for "{transaction.client.address}"')
        raise
