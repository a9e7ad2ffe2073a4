"""Addresses at other hosts are verified by real probes over SMTP and LMTP: what servers, clients, the log and the cache are told.

Source: ADDRESS_VERIFICATION_README; postconf(5), address_verify_*; verify(8).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.peer import Answer, Lost, Peer, Stall
from tests.kit.processes import wait_until
from tests.parity.services.asking import ask

pytestmark = [pytest.mark.reference, pytest.mark.root]

SENDER = "second@ours.example"


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as found:
        yield found


MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "smtpd_relay_restrictions": "check_client_access static:OK, reject_unauth_destination",
    "smtpd_recipient_restrictions": "reject_unverified_recipient, permit",
    "address_verify_poll_count": "1",
    "address_verify_map": "lmdb:{dir}/data/verified",
    "smtp_tls_security_level": "none",
    "smtp_helo_timeout": "1s", "lmtp_lhlo_timeout": "1s",
    "unverified_recipient_reject_code": "550",
    "unverified_sender_reject_code": "551",
    "unverified_sender_defer_code": "451",
}  # fmt: skip
SERVERS: dict[str, tuple[str, dict[str, Answer]]] = {
    "127.5.0.1": ("smtp", {"RCPT bad@": "550 5.1.1 nobody here", "RCPT later@": "450 4.2.1 come again", "RCPT odd@": "250 2.1.5 ok: with colons: in it"}),
    "127.5.0.2": ("smtp", {"greeting 127.5.0.2": "554 5.3.2 go away"}),
    "127.5.0.3": ("smtp", {"greeting 127.5.0.3": Stall()}),
    "127.5.0.4": ("smtp", {"greeting 127.5.0.4": Lost()}),
    "127.5.0.5": ("lmtp", {}),
    "127.5.0.6": ("smtp", {"MAIL at 127.5.0.6": "550 5.1.0 no probes here"}),
}  # fmt: skip
ADDRESSES = (
    "good@s1.example", "bad@s1.example", "later@s1.example", "odd@s1.example", "u@s2.example", "u@s3.example", "u@s4.example",
    "u@s5.example", "bad@s5.example", "u@s6.example", "u@dead.example",
)  # fmt: skip


def routes(peer: Peer) -> dict[str, str]:
    table = [f"{{s{host[-1]}.example={kind}:{'inet:' if kind == 'lmtp' else ''}[{host}]:{peer.port}}}" for host, (kind, _) in SERVERS.items()]
    return {"transport_maps": f"inline:{{{', '.join([*table, '{dead.example=smtp:[127.5.0.9]:1}'])}}}"}


def begin(peer: Peer) -> None:
    peer.reset({key: answer for _, script in SERVERS.values() for key, answer in script.items()})


def probed(mta: Instance, address: str, count: int) -> None:
    """Wait until the outcome of a probe is logged, and known."""
    mta.wait_for_log(rf"to=<{re.escape(address)}>.*status=", 20, count=count)
    mta.settle()


def cached(mta: Instance) -> list[str]:
    """Return what the table has, with the times of probes and outcomes only as there or not."""
    done = mta.run("postmap", "-s", f"lmdb:{mta.directory}/data/verified")
    lines = sorted(line for line in done.stdout.decode().splitlines() if not line.startswith("_"))
    return [re.sub(r":(\d{5,}):", ":<TIME>:", line) for line in (re.sub(r":(\d{5,}):", ":<TIME>:", line) for line in lines)]


def visits(peer: Peer) -> list[str]:
    """Return what the servers heard, the probes with an EHLO or LHLO before them."""
    peer.seen()
    return [line for session in peer.sessions for line in [f"-- {session.address}", *session.lines]]


def test_recipients_and_senders(parity: Parity, peer: Peer) -> None:
    """Each kind of outcome: at first nothing is known; then the outcome is, and nobody is asked again."""

    def case(mta: Instance) -> list[str]:
        begin(peer)
        for round in range(2):
            for address in ADDRESSES:
                mta.dialogue("EHLO c.test", "MAIL FROM:<s@x.test>", f"RCPT TO:<{address}>", "QUIT")
                if not round:
                    probed(mta, address, 1)
        mta.transcript += visits(peer)
        assert wait_until(lambda: len(cached(mta)) == len(ADDRESSES), 20), cached(mta)
        return cached(mta)

    parity(case, main=MAIN | routes(peer), logs=("smtp", "lmtp", "smtpd", "verify"))

    def senders(mta: Instance) -> None:
        begin(peer)
        for round in range(2):
            for address in ADDRESSES:
                mta.dialogue("EHLO c.test", f"MAIL FROM:<{address}>", "RCPT TO:<user@ours.example>", "QUIT")
                if not round:
                    probed(mta, address, 1)
        mta.transcript += visits(peer)

    main = MAIN | routes(peer) | {"smtpd_recipient_restrictions": "reject_unverified_sender, permit", "address_verify_map": ""}
    parity(senders, main=main, logs=("smtp", "lmtp", "smtpd"))


def test_waiting(parity: Parity, peer: Peer) -> None:
    """address_verify_poll_count and address_verify_poll_delay: clients wait for quick outcomes, not for slow ones."""

    def case(mta: Instance) -> bool:
        begin(peer)
        for address in ("good@s1.example", "bad@s1.example", "later@s1.example"):
            mta.dialogue("EHLO c.test", "MAIL FROM:<s@x.test>", f"RCPT TO:<{address}>", "QUIT")
        since = time.monotonic()
        mta.dialogue("EHLO c.test", "MAIL FROM:<s@x.test>", "RCPT TO:<u@s3.example>", "QUIT")
        return time.monotonic() - since > 3.0

    main = MAIN | routes(peer) | {"address_verify_poll_count": "4", "address_verify_poll_delay": "1s", "smtp_helo_timeout": "60s", "address_verify_map": ""}
    assert parity(case, main=main, logs="smtpd", fresh=True).result is True


SETTINGS: dict[str, dict[str, str]] = {
    "none": {},
    "positive refresh": {"address_verify_positive_refresh_time": "1s"},
    "positive expiry": {"address_verify_positive_expire_time": "1s", "address_verify_positive_refresh_time": "1s"},
    "negative refresh": {"address_verify_negative_refresh_time": "1s"},
    "negative expiry": {"address_verify_negative_expire_time": "1s", "address_verify_negative_refresh_time": "1s"},
    "no negative cache": {"address_verify_negative_cache": "no"},
    "null sender": {"address_verify_sender": "<>"},
    "sender": {"address_verify_sender": "prober@ours.example"},
    "bare sender": {"address_verify_sender": "prober"},
    "changing sender": {"address_verify_sender_ttl": "60s"},
    "changing named sender": {"address_verify_sender_ttl": "60s", "address_verify_sender": "prober@ours.example"},
}  # fmt: skip
"""Each is a verify of its own, with an smtp that reports to it."""


def test_settings(parity: Parity, peer: Peer) -> None:
    """What is old is asked for again: at once and in the background (refresh), or as what was never known (expiry)."""
    services, table = {}, []
    for number, options in enumerate(SETTINGS.values()):
        words = " ".join(f"-o {{ {name} = {value} }}" for name, value in options.items())
        asks = f"-o address_verify_service_name=verify{number}"
        services[f"verify{number}"] = f"verify{number} unix - - n - 1 verify -o address_verify_map= {words}"
        services[f"smtp{number}"] = f"smtp{number} unix - - n - - smtp {asks} {words}"
        table.append(f"{{n{number}.example=smtp{number}:[127.5.1.{100 + number}]:{peer.port}}}")

    def query(mta: Instance, number: int, address: str) -> bytes:
        return ask(mta, f"private/verify{number}", [("request", "query"), ("address", address)])[1]

    def case(mta: Instance) -> dict[str, object]:
        peer.reset({"RCPT bad@": "550 5.1.1 no", "RCPT later@": "450 4.2.1 later"})
        users = ("good", "bad", "later")
        seen: dict[str, list[object]] = {name: [] for name in SETTINGS}
        for round in range(3):
            for number, name in enumerate(SETTINGS):
                seen[name] += [query(mta, number, f"{user}@n{number}.example") for user in users]
            if not round:
                for number in range(len(SETTINGS)):
                    for user in users:
                        mta.wait_for_log(rf"to=<{user}@n{number}\.example>.*status=", 30)
            mta.settle()
            if round:
                continue
            time.sleep(2.5)
        peer.seen()
        for number, name in enumerate(SETTINGS):
            here = [session for session in peer.sessions if session.address == f"127.5.1.{100 + number}"]
            said = [line for session in here for line in session.lines if line.startswith(("MAIL", "RCPT", "DATA"))]
            seen[name] += sorted(re.sub(r"<(double-bounce|prober)[^@]+@", r"<\1*@", line) for line in said)
        return dict(seen)

    main = MAIN | {"transport_maps": f"inline:{{{', '.join(table)}}}", "default_process_limit": "100", "address_verify_map": ""}
    parity(case, main=main, master=services, fresh=True)


def test_ways_of_probes(parity: Parity, peer: Peer) -> None:
    """Probes go where address_verify_* says, messages where the ordinary parameters say."""
    hop = {name: f"[127.5.2.{100 + number}]:{peer.port}" for number, name in enumerate(("relay", "probe", "map", "sender", "relayed", "virtual", "default"))}
    main = MAIN | {
        "address_verify_map": "",
        "mynetworks": "127.0.0.0/8",
        "relay_domains": "relay.example",
        "relayhost": hop["relay"],
        "address_verify_relayhost": hop["probe"],
        "address_verify_transport_maps": f"inline:{{{{map.example=smtp:{hop['map']}}}}}",
        "transport_maps": f"inline:{{{{map.example=smtp:{hop['relay']}}}}}",
        "address_verify_sender_dependent_relayhost_maps": f"inline:{{{{double-bounce@ours.example={hop['sender']}}}}}",
        "address_verify_sender": "double-bounce@ours.example",
        "relay_transport": f"smtp:{hop['relay']}",
        "address_verify_relay_transport": f"smtp:{hop['relayed']}",
        "address_verify_virtual_transport": f"lmtp:inet:{hop['virtual']}",
        "address_verify_local_transport": "error:5.1.1 no local mail is probed",
    }
    addresses = ("a@other.example", "a@map.example", "a@relay.example", "nobody@ours.example", "a@mail.ours.example")

    def case(mta: Instance) -> None:
        peer.reset()
        for address in addresses:
            mta.dialogue("EHLO c.test", "MAIL FROM:<s@x.test>", f"RCPT TO:<{address}>", "QUIT")
            probed(mta, address, 1)
        for address in addresses[:3]:
            queue_id = mta.send_message(address, sender=SENDER)
            mta.wait_for_log(rf"{queue_id}: removed")
        mta.transcript += visits(peer)

    parity(case, main=main, logs=("smtp", "lmtp", "error", "smtpd"))
    without = {name: value for name, value in main.items() if "sender_dependent" not in name}
    parity(case, main=without, logs=("smtp", "lmtp", "error"))
    changed = without | {"address_verify_default_transport": f"lmtp:inet:{hop['default']}"}
    parity(case, main=changed, logs=("smtp", "lmtp", "error"))
