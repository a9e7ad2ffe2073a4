"""A table that was changed while daemons have it open: who takes note of it when, and what he says.

Source: DATABASE_README, "Configuring a lookup table": daemons restart by themselves; lmdb_table(5): lmdb tables need no restart.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.peer import Peer

from .conftest import make_old

pytestmark = [pytest.mark.reference, pytest.mark.root]

KINDS = ("hash", "btree", "lmdb", "cdb", "texthash")

LOOK = 1.1
"""Seconds: pyfix's delivery agents look for changes once a second at most."""
TABLES: dict[str, tuple[str, str]] = {
    "aliases": ("{kind}alias: user@ours.example\n", "{kind}alias: second@ours.example\n"),
    "generic": ("from@{kind}.example first@generic.example\n", "from@{kind}.example second@generic.example\n"),
    "passwords": ("from@{kind}.example joe:one\n", "from@{kind}.example joe:two\n"),
    "policies": ("[{host}]:{port} none\n", "[{host}]:{port} encrypt\n"),
    "boxes": ("user@{kind}.box.example one\n", "user@{kind}.box.example two\n"),
    "canonical": ("user@{kind}.canonical.example user@ours.example\n", "user@{kind}.canonical.example second@ours.example\n"),
    "access": ("user@{kind}.access.example REJECT one\n", "user@{kind}.access.example REJECT two\n"),
    "proxied": ("user@{kind}.proxied.example REJECT one\n", "user@{kind}.proxied.example REJECT two\n"),
}
"""Texts of tables before and after the change."""


def _all(name: str, proxy: str = "") -> str:
    return ", ".join(f"{proxy}{kind}:{{dir}}/etc/{kind}.{name}" for kind in KINDS)


MAIN = {
    "alias_maps": _all("aliases"),
    "smtp_generic_maps": _all("generic"),
    "smtp_sasl_password_maps": _all("passwords"),
    "smtp_sasl_auth_enable": "yes",
    "smtp_sender_dependent_authentication": "yes",
    "smtp_sasl_security_options": "noanonymous",
    "smtp_tls_policy_maps": _all("policies"),
    "virtual_mailbox_domains": "ours.example " + " ".join(f"{kind}.box.example" for kind in KINDS),
    "virtual_mailbox_maps": "texthash:{dir}/etc/mailboxes, " + _all("boxes"),
    "recipient_canonical_maps": _all("canonical"),
    "smtpd_recipient_restrictions": "check_recipient_access " + ", check_recipient_access ".join(f"{kind}:{{dir}}/etc/{kind}.access" for kind in KINDS)
    + "".join(f", check_recipient_access proxy:{kind}:{{dir}}/etc/{kind}.proxied" for kind in KINDS) + ", permit_mynetworks, reject",
    "proxy_read_maps": _all("proxied", "proxy:"),
    "max_idle": "600",
    "max_use": "10000",
}  # fmt: skip


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as found:
        yield found


def _host(kind: str) -> str:
    """Return the address at which the peer is the next hop for mail about this type's policy."""
    return f"127.0.0.{10 + KINDS.index(kind)}"


def _make(mta: Instance, peer: Peer, kind: str, state: int) -> None:
    for name, texts in TABLES.items():
        text = texts[state].format(kind=kind, host=_host(kind), port=peer.port)
        path = mta.write(f"{kind}.{name}", text.replace(":", "") if (name, kind) == ("aliases", "texthash") else text)
        if kind != "texthash":
            done = mta.run("postalias" if name == "aliases" else "postmap", f"{kind}:{path}")
            assert done.returncode == 0, done.stderr


def _used(mta: Instance, peer: Peer, kind: str) -> list[str]:
    """Do what asks each table about its key; return what came of it, and what the log has about changed tables."""
    mark = mta.log_mark()
    found = []
    words = ["EHLO client.example", "MAIL FROM:<from@client.example>"]
    found += mta.dialogue(*words, f"RCPT TO:<user@{kind}.access.example>", f"RCPT TO:<user@{kind}.proxied.example>", "QUIT", client="127.0.0.2")[2:4]
    recipients = [f"{kind}alias@localhost", f"user@{kind}.box.example", f"user@{kind}.canonical.example"]
    recipients += [f"user@{kind}.example", f"user@{kind}tls.example"]
    for recipient in recipients:
        del peer.sessions[:]
        before = mta.deliveries()
        queue_id = mta.send_message(recipient, sender=f"from@{kind}.example")
        line = mta.wait_for_log(rf"{queue_id}: to=<.*").string
        found.append(re.sub(r".*: to=|, delay=.*dsn=|\[[0-9.]+\]:\d+|queued as \w+|forwarded as \w+", " ", line))
        mta.settle()
        found += [line for session in peer.sessions for line in session.lines if line.startswith(("MAIL", "AUTH"))]
        found += [f"{recipient} in {box}" for box, content in mta.deliveries().items() if content != before.get(box)]
        for deferred in mta.queue().get("deferred", []):
            mta.run("postsuper", "-d", deferred)
    mta.settle()
    said = [re.search(r"/(\S+)\[\d+\]: table (\w+):\S*/etc/\S* has changed -- restarting", line) for line in mta.log_lines(mark)]
    # trivial-rewrite looks for changes every ten seconds: see parity/rewrite/test_socket.py.
    return found + sorted({f"{match[1]} restarts for {match[2]}" for match in said if match and match[1] != "trivial-rewrite"})


def test_in_each_daemon(parity: Parity, peer: Peer) -> None:
    """Files of each type, changed by postmap, in local, smtp, virtual, cleanup, trivial-rewrite, smtpd and proxymap."""
    peer.reset({"EHLO": "250-peer.example\n250 AUTH PLAIN", "AUTH": "235 2.7.0 fine"})

    transports = ", ".join(f"{kind}tls.example=smtp:[{_host(kind)}]:{peer.port}" for kind in KINDS)
    main = MAIN | {"relayhost": f"[127.0.0.1]:{peer.port}", "transport_maps": f"inline:{{{transports}}}"}

    def case(mta: Instance) -> object:
        for kind in KINDS:
            _make(mta, peer, kind, 0)
        for path in mta.config_directory.glob("*.*b"):
            make_old(path)  # Postfix tells one state from another by seconds
        mta.reload()
        results = {}
        for kind in KINDS:
            before = _used(mta, peer, kind)
            _make(mta, peer, kind, 1)
            time.sleep(LOOK)
            after = _used(mta, peer, kind)
            assert len(set(after) - set(before)) >= (0 if kind == "texthash" else 8), (before, after)
            results[kind] = [before, after]
        return results

    parity(case, main=main, fresh=True)
