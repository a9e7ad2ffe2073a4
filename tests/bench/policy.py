"""What a site asks of smtpd: restrictions in the shape of docker-mailserver's, with two access tables and a policy service that
always agrees, in a process of its own.

Those that ask the DNS have others in their place: what they cost is a matter of the name server.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import answering

_AGREED = b"action=DUNNO\n\n"
_ENTRIES = 1000
"""In each access table; none of them is about the client or the sender of the load."""
_LISTS = {
    "client": ("permit_mynetworks", "permit_sasl_authenticated", "reject_unauth_pipelining"),
    "helo": ("permit_mynetworks", "reject_invalid_helo_hostname", "permit"),
    "sender": ("check_sender_access {senders}", "permit_sasl_authenticated", "permit_mynetworks", "reject_non_fqdn_sender"),
    "relay": ("permit_mynetworks", "permit_sasl_authenticated", "reject_unauth_destination"),
    "recipient": (
        "permit_sasl_authenticated", "permit_mynetworks", "reject_unauth_destination", "check_client_access {clients}",
        "reject_unauth_pipelining", "reject_invalid_helo_hostname", "reject_non_fqdn_recipient", "check_policy_service inet:127.0.0.1:{port}",
    ),
}  # fmt: skip
"""Those that may say no are twelve, with the two that say so by a table."""


@contextmanager
def site() -> Iterator[dict[str, str]]:
    """Run the policy service and write the tables; yields the main.cf parameters for them."""
    with tempfile.TemporaryDirectory() as name, answering.running("tests.bench.policy") as port:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "senders").write_text("".join(f"user{number}@banned.example REJECT\n" for number in range(_ENTRIES)))
        (folder / "clients").write_text("".join(f"192.0.{number >> 8}.{number & 255} REJECT\n" for number in range(_ENTRIES)))
        tables = {table: f"texthash:{folder}/{table}" for table in ("senders", "clients")}
        lists = {f"smtpd_{stage}_restrictions": ", ".join(entries).format(port=port, **tables) for stage, entries in _LISTS.items()}
        yield {"smtpd_helo_required": "yes", "smtpd_reject_unlisted_sender": "yes", **lists}


def answers(data: bytearray) -> bytes:
    """Take the whole requests of *data* and agree to each."""
    count = data.count(b"\n\n")
    del data[: data.rfind(b"\n\n") + 2 if count else 0]
    return _AGREED * count


if __name__ == "__main__":
    answering.answer(answers)
