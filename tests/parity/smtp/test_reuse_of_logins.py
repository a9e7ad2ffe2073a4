"""Sessions that are kept where smtp(8) or lmtp(8) logs in: for whom each is used again.

Source: CONNECTION_CACHE_README; postconf(5) smtp_sender_dependent_authentication, smtp_sasl_password_maps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.peer import Peer
from tests.kit.processes import wait_until
from tests.parity.smtp.fleet import addresses
from tests.parity.smtp.handing import HANDED, is_at_rest

pytestmark = [pytest.mark.reference, pytest.mark.root]

OFFER = "250-peer.example\n250 AUTH PLAIN"
LOGIN = {"smtp_sasl_auth_enable": "yes", "smtp_sasl_password_maps": "static:joe:pw", "smtp_sasl_security_options": "noanonymous"}
BY_SENDER = LOGIN | {"smtp_sender_dependent_authentication": "yes"}
SENDERS = "inline:{one@ours.example=one:pw, two@ours.example=two:pw}"


@dataclass(frozen=True)
class Row:
    """Messages, one behind the other, through a service of its own."""

    messages: Sequence[str]
    """Each a sender and a destination: ``a`` and ``b`` are two names of one server, ``c`` is another one."""
    options: Mapping[str, str] = field(default_factory=dict)
    offer: str = OFFER


ROWS = {
    "one destination": Row(["one a"] * 3, LOGIN),
    "several senders": Row(["one a", "two a", "one a"], LOGIN),
    "two names of a server": Row(["one a", "one b", "one a", "one b"], LOGIN),
    "two servers": Row(["one a", "one c", "one a", "one c"], LOGIN),
    "no login offered": Row(["one a", "one b", "one a"], LOGIN, "250 peer.example"),
    "no password": Row(["one a", "one b", "one a"], LOGIN | {"smtp_sasl_password_maps": "inline:{x=y}"}),
    "a password for one name": Row(["one a", "one b", "one a", "one b"], LOGIN | {"smtp_sasl_password_maps": "inline:{[{first}]:{port}=joe:pw}"}),
    "by sender, one": Row(["one a"] * 3, BY_SENDER | {"smtp_sasl_password_maps": SENDERS}),
    "by sender, two": Row(["one a", "two a", "one a", "two a"], BY_SENDER | {"smtp_sasl_password_maps": SENDERS}),
    "by sender, two names": Row(["one a", "one b", "two b", "one a"], BY_SENDER | {"smtp_sasl_password_maps": SENDERS}),
    "by sender, none": Row(["three a", "three b", "four a", "three a"], BY_SENDER | {"smtp_sasl_password_maps": SENDERS}),
    "by sender and not": Row(["one a", "three a", "one a", "three a"], BY_SENDER | {"smtp_sasl_password_maps": SENDERS}),
    "by sender, same password": Row(["one a", "two a", "one a"], BY_SENDER),
    "by sender, nobody logs in": Row(["one a", "two a", "two b"], {"smtp_sender_dependent_authentication": "yes"}),
    "nobody logs in": Row(["one a", "two b"]),
    "used twice": Row(["one a"] * 3, LOGIN | {"smtp_connection_reuse_count_limit": "1"}),
}  # fmt: skip


@pytest.mark.parametrize("program", ["smtp", "lmtp"])
def test_who_uses_a_session(parity: Parity, peer: Peer, program: str) -> None:
    verb = {"smtp": "EHLO", "lmtp": "LHLO"}[program]

    def named(text: str) -> str:
        return text.replace("smtp_", f"{program}_")

    def case(mta: Instance) -> str:
        script = {"AUTH": "235 2.7.0 fine"}
        for number, row in enumerate(ROWS.values()):
            own = addresses(number)
            script |= {f"{verb} {own[name]}": row.offer for name in ("first", "second")}
        peer.reset(script)
        for turn in range(max(len(row.messages) for row in ROWS.values())):
            ids = []
            for number, row in enumerate(ROWS.values()):
                if turn < len(row.messages):
                    sender, name = row.messages[turn].split()
                    ids.append(mta.send_message(f"{turn}@{name}.r{number}.example", sender=f"{sender}@ours.example"))
            assert wait_until(lambda ids=ids: all(is_at_rest(mta, queue_id) for queue_id in ids), 60), mta.log_lines()
            mta.settle()  # the sessions are kept
        peer.seen()
        found = []
        for number, name in enumerate(ROWS):
            own = {address: place for place, address in addresses(number).items()}
            for session in peer.sessions:
                if session.address in own:
                    said = [line for line in session.lines if line.startswith(("AUTH", "MAIL", "RCPT", "RSET", "QUIT"))]
                    found.append(f"{name}: {own[session.address]}: {' / '.join(said)}")
        return "\n".join(found)

    services, routes = {}, []
    for number, (name, row) in enumerate(ROWS.items()):
        own = {"{port}": str(peer.port), **{f"{{{place}}}": address for place, address in addresses(number).items()}}
        words = []
        for option, value in row.options.items():
            for old, new in own.items():
                value = value.replace(old, new)
            words.append(f"-o {{ {named(option)} = {value} }}")
        services[f"r{number}"] = f"r{number} unix - - n - - {program} -o syslog_name=postfix/{name.replace(' ', '_')} {' '.join(words)}"
        hops = {"a": f"[{own['{first}']}]:{peer.port}", "b": f"[{own['{first}']}]", "c": f"[{own['{second}']}]"}
        routes += [f"{place}.r{number}.example r{number}:{hop}\n" for place, hop in hops.items()]
    main = {
        **HANDED, f"{program}_tcp_port": str(peer.port), f"{program}_connection_cache_destinations": "static:all",
        f"{program}_connection_cache_time_limit": "100s", "connection_cache_ttl_limit": "100s", f"{program}_tls_security_level": "none",
        f"{program}_connection_reuse_time_limit": "1000s", "default_process_limit": "200",
    }  # fmt: skip
    seen = parity(case, main=main, master=services, files={"transport": "".join(routes)}, logs=("smtp", "lmtp"), fresh=True)
    visits = Counter(line.partition(":")[0] for line in str(seen.result).splitlines())
    assert visits["one destination"] == visits["by sender, one"] == visits["nobody logs in"] == 1
    assert visits["by sender, two"] == visits["two names of a server"] == visits["two servers"] == 2
