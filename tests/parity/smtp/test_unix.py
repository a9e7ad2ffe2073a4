"""LMTP over sockets in the file system: replies for each recipient, partial failures, silence, sessions that are kept.

Source: RFC 2033; lmtp(8); postconf(5) lmtp_*.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.kit.instance import Instance
from tests.kit.peer import Answer, Lost, Peer, Say, Stall
from tests.parity.smtp.fleet import Fleet, Voyage
from tests.parity.smtp.handing import PIPELINING

pytestmark = [pytest.mark.reference, pytest.mark.root]

THREE = ("a", "b", "c")
GROUPS = {"LHLO": PIPELINING}
MIXED = {".": ["250 2.1.5 one", "450 4.2.2 full", "550 5.7.1 no"]}
Scripts = dict[str, Answer | Sequence[Answer]]
CASES: dict[str, tuple[Scripts, dict[str, str]]] = {
    "all is well": ({}, {}),
    "content mixed": ({**MIXED}, {}),
    "content mixed in groups": ({**GROUPS, **MIXED}, {}),
    "recipients mixed": ({"RCPT": ["250 ok", "550 5.1.1 unknown", "450 4.2.2 full"], ".": "250 2.1.5 got it"}, {}),
    "all mixed": ({**GROUPS, "RCPT": ["250 ok", "452 4.2.2 full", "250 ok"], ".": ["552 5.2.2 too much", "250 2.1.5 ok"]}, {}),
    "lost after the first": ({".": ["250 2.1.5 one", Lost()]}, {}),
    "421 after the first": ({".": ["250 2.1.5 one", Say("421 4.3.2 bye", close=True)]}, {}),
    "silent after the first": ({".": ["250 2.1.5 one", Stall()]}, {"lmtp_data_done_timeout": "1s"}),
    "silent after the first, whole": ({".": ["250 2.1.5 one", Stall()]}, {"lmtp_data_done_timeout": "1s", "lmtp_per_request_deadline": "yes"}),
    "a greeting of 421": ({"greeting": "421 4.3.2 not now"}, {}),
    "a greeting of 554": ({"greeting": "554 5.3.2 never"}, {}),
    "a greeting of 554 that counts": ({"greeting": "554 5.3.2 never"}, {"lmtp_skip_5xx_greeting": "no"}),
    "no greeting": ({"greeting": Lost()}, {}),
    "a silent greeting": ({"greeting": Stall()}, {"lmtp_lhlo_timeout": "1s"}),
    "LHLO refused": ({"LHLO": "550 5.7.1 no"}, {}),
    "MAIL refused": ({"MAIL": "550 5.1.0 no"}, {}),
    "DATA refused": ({"DATA": "451 4.3.0 not now"}, {}),
    "nobody": ({"RCPT": "550 5.1.1 unknown"}, {}),
    "final": ({**MIXED}, {"lmtp_assume_final": "yes"}),
    "replies changed": ({**MIXED}, {"lmtp_reply_filter": "regexp:{dir}/etc/replies"}),
    "statuses changed": ({**MIXED}, {"lmtp_delivery_status_filter": "regexp:{dir}/etc/statuses"}),
    "XFORWARD": ({"LHLO": "250-peer.example\n250 XFORWARD NAME ADDR PROTO HELO SOURCE"}, {"lmtp_send_xforward_command": "yes"}),
    "a name": ({}, {"lmtp_lhlo_name": "lhlo.example"}),
    "too large": ({"LHLO": "250-peer.example\n250 SIZE 100"}, {}),
    "8-bit": ({"LHLO": "250-peer.example\n250 8BITMIME"}, {}),
    "7-bit": ({}, {}),
}  # fmt: skip
FILES = {"replies": "/^450 4.2.2 full/ 550 5.2.2 fuller\n", "statuses": "/^5.7.1 (.*)/ 4.7.1 softer $1\n"}
KEPT = {"lmtp_connection_cache_destinations": "static:all", "lmtp_connection_cache_time_limit": "60s"}
SEVERAL: dict[str, tuple[Scripts, dict[str, str]]] = {
    "kept": ({}, KEPT),
    "kept in groups": ({**GROUPS, **MIXED}, KEPT),
    "kept for two": ({}, KEPT | {"lmtp_connection_reuse_count_limit": "1"}),
    "not kept": ({}, {}),
}  # fmt: skip
EIGHT_BIT = "Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\ncaf\u00e9\n".encode()


def test_sockets(fleet: Fleet) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pyfix-unix-")))
        folder.chmod(0o755)
        voyages, peers = {}, {}
        for number, (name, (script, options)) in enumerate((CASES | SEVERAL).items()):
            path = folder / f"s{number}"
            peers[name] = stack.enter_context(Peer(script, path=path, lmtp=True))
            bits = name in ("8-bit", "7-bit")
            voyages[name] = Voyage(
                options, recipients=THREE, lmtp=True, nexthop=f"unix:{path}", times=3 if name in SEVERAL else 1,
                mail="BODY=8BITMIME" if bits else "RET=HDRS ENVID=x", rcpt="" if bits else "NOTIFY=SUCCESS,FAILURE",
                content=EIGHT_BIT if bits else b"Subject: test\n\n.dot\n",
            )  # fmt: skip

        def visits(_mta: Instance, name: str) -> list[list[str]]:
            peer = peers[name]
            seen = [[line for line in lines if not line.startswith("\t") and "XFORWARD" not in line] for lines in peer.seen()]
            peer.reset((CASES | SEVERAL)[name][0], lmtp=True)
            return seen

        result = fleet(voyages, more=visits, files=FILES).result
    assert isinstance(result, dict) and len(result["kept"]) == 1 and len(result["kept for two"]) == 2
    assert len(result["not kept"]) == 3
