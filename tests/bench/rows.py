"""What is measured, and what pyfix has to reach."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

DISCARD = "someone@discard.example"
MAILDIR = "user@ours.example"
MBOX = "nobody@mail.ours.example"
RELAY = "someone@sink.example"
ALIASED = "user77777@aliased.example"

LIST = "everybody@mail.ours.example"
MEMBERS = 10_000

KIB = 1024
MIB = 1024 * 1024


class Server(Enum):
    """What has to run beside the mail system."""

    SINK = "where mail for other hosts goes"
    MILTER = "adds a header to each message"
    REWRITING = "none, but cleanup has many rules for headers, and a large table of virtual aliases"
    POLICY = "a policy service, two access tables and twelve restrictions"
    AUTH = "a service that knows passwords; each session logs in and leaves, and brings no message"
    DOMAINS = "each recipient is in another domain, with a server of its own"


@dataclass(frozen=True)
class Row:
    """One kind of load."""

    name: str
    recipient: str
    connections: int
    size: int
    """Bytes of content in each message."""
    messages: int
    """Messages in one round."""
    least: float
    """pyfix's rate divided by the reference's must be at least this."""
    recipients: int = 1
    """Recipients in each message."""
    members: int = 0
    """Members of the alias that is the recipient, 0 for none."""
    server: Server = Server.SINK
    starttls: bool = False
    """Each message comes in a session of its own, with TLS."""

    def quick(self) -> Row:
        """The same load with a tenth of the messages."""
        few = max(self.messages // 10, min(self.messages, 3), min(self.messages, self.connections * 2))
        return replace(self, messages=few)


ROWS = (
    Row("discard-20", DISCARD, 20, KIB, 3000, 2.0),
    Row("discard-100", DISCARD, 100, KIB, 3000, 2.0),
    Row("discard-1", DISCARD, 1, KIB, 1000, 1.2),
    Row("maildir-20", MAILDIR, 20, KIB, 3000, 2.0),
    Row("maildir-100", MAILDIR, 100, KIB, 3000, 2.0),
    Row("maildir-1", MAILDIR, 1, KIB, 1000, 1.2),
    Row("mbox-20", MBOX, 20, KIB, 3000, 2.0),
    Row("mbox-100", MBOX, 100, KIB, 3000, 2.0),
    Row("mbox-1", MBOX, 1, KIB, 1000, 1.2),
    Row("maildir-100k", MAILDIR, 20, 100 * KIB, 600, 1.2),
    Row("maildir-10m", MAILDIR, 4, 10 * MIB, 12, 1.2),
    Row("relay-20", RELAY, 20, KIB, 3000, 2.0),
    Row("relay-100", RELAY, 100, KIB, 3000, 2.0),
    Row("relay-1", RELAY, 1, KIB, 1000, 1.2),
    Row("relay-10m", RELAY, 4, 10 * MIB, 12, 1.2),
    Row("relay-recipients", RELAY, 1, KIB, 10, 1.0, recipients=1000),
    Row("relay-domains", "", 1, KIB, 5, 1.5, recipients=1000, server=Server.DOMAINS),
    Row("milter-20", DISCARD, 20, KIB, 2000, 1.2, server=Server.MILTER),
    Row("policy-20", DISCARD, 20, KIB, 2000, 1.5, server=Server.POLICY),
    Row("rewriting-20", ALIASED, 20, KIB, 2000, 1.0, server=Server.REWRITING),
    Row("recipients-1000", DISCARD, 1, KIB, 10, 1.0, recipients=1000),
    Row("alias-10000", LIST, 1, KIB, 3, 1.0, members=MEMBERS),
    Row("auth-1000", "", 100, 0, 1000, 1.0, server=Server.AUTH),
    Row("starttls-20", DISCARD, 20, KIB, 600, 0.8, starttls=True),
)

MAIN = {
    "mynetworks": "127.0.0.0/8",
    "relay_domains": "discard.example",
    "relay_transport": "discard:bench",
    "message_size_limit": "0",
    "mailbox_size_limit": "0",
    "virtual_mailbox_limit": "0",
    "alias_maps": "texthash:{dir}/etc/aliases",
}
"""main.cf of both sides, beside what every test instance has; all else has its default."""

FILES = {"aliases": "everybody " + ", ".join(f"member{number}@discard.example" for number in range(MEMBERS)) + "\n"}
"""Files of both sides."""

IDLE_PSS = 90_000
"""Most KiB of memory of the idle system."""
CONNECTIONS_PSS = 150_000
"""Most KiB of memory with CONNECTIONS open idle SMTP connections."""
CONNECTIONS = 1000
NEXT_CLIENT = 1.0
"""Most seconds until the client after these is greeted."""
COLD_GREETING = 0.050
"""Most seconds until the first greeting of a service that nobody has used yet."""
