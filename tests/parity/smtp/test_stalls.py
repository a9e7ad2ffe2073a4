"""Servers that fall silent, at each stage: each time limit by its own name, the log line, the enhanced code and the bounce log.

Source: postconf(5) smtp_connect_timeout, smtp_helo_timeout, smtp_mail_timeout and so on, and those of LMTP.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from tests.kit.instance import Instance
from tests.kit.peer import Answer, Say, Stall
from tests.parity.smtp.fleet import Fleet, Voyage
from tests.parity.smtp.handing import PIPELINING

pytestmark = [pytest.mark.reference, pytest.mark.root]

XFORWARD = "250-peer.example\n250 XFORWARD NAME ADDR PROTO HELO SOURCE"
REFUSED: dict[str, Answer] = {"RCPT": "450 4.2.1 later", "DATA": "503 5.5.1 nobody to send to"}
Stalls = tuple[str, dict[str, Answer | Sequence[Answer]]]
STAGES: dict[str, Stalls] = {
    "greeting": ("helo", {"greeting": Stall()}),
    "EHLO": ("helo", {"EHLO": Stall()}),
    "HELO": ("helo", {"EHLO": "500 what", "HELO": Stall()}),
    "MAIL": ("mail", {"MAIL": Stall()}),
    "RCPT": ("rcpt", {"RCPT": Stall()}),
    "second RCPT": ("rcpt", {"RCPT": ["250 ok", Stall()]}),
    "second RCPT after a refusal": ("rcpt", {"RCPT": ["550 5.1.1 no", Stall()]}),
    "DATA": ("data_init", {"DATA": Stall()}),
    "DATA after a refusal": ("data_init", {"RCPT": ["550 5.1.1 no", "250 ok"], "DATA": Stall()}),
    "dot": ("data_done", {".": Stall()}),
    "RSET": ("rset", {**REFUSED, "RSET": Stall()}),
    "QUIT": ("quit", {"QUIT": Stall()}),
    "QUIT after a refusal": ("quit", {**REFUSED, "QUIT": Stall()}),
    "XFORWARD": ("xforward", {"EHLO": XFORWARD, "XFORWARD": Stall()}),
    "second XFORWARD": ("xforward", {"EHLO": XFORWARD, "XFORWARD": ["250 ok", Stall()]}),
}  # fmt: skip
PATIENT = {f"smtp_{name}_timeout": "25s" for name in ("helo", "mail", "rcpt", "data_init", "data_done", "data_xfer", "rset", "quit", "xforward")}


def voyages() -> dict[str, Voyage]:
    """Each time limit alone is short: no other one counts at this stage."""
    found = {}
    for name, (limit, script) in STAGES.items():
        for kind in ("smtp", "lmtp"):
            if kind == "lmtp" and name == "HELO":
                continue
            for groups in (False, True):
                offer: dict[str, Answer | Sequence[Answer]] = {"EHLO": PIPELINING} if groups and "EHLO" not in script else {}
                options = PATIENT | {f"smtp_{limit}_timeout": "1s", "smtp_skip_quit_response": "no", "smtp_send_xforward_command": "yes"}
                if groups:
                    options["smtp_per_request_deadline"] = "yes"
                if kind == "lmtp":
                    options = {key.replace("smtp_helo", "lmtp_lhlo").replace("smtp_", "lmtp_"): value for key, value in options.items()}
                verbs = {"EHLO": "LHLO"} if kind == "lmtp" else {}
                answers = {verbs.get(verb, verb): answer for verb, answer in {**offer, **script}.items()}
                title = f"{kind} {name}{' in groups' if groups else ''}"
                found[title] = Voyage(options, answers, ("a", "b"), kind == "lmtp")
    last = {"lmtp_data_done_timeout": "1s"}
    found["lmtp the second dot"] = Voyage(last, {".": ["250 2.1.5 one", Stall()]}, ("a", "b", "c"), lmtp=True)
    found["lmtp the third dot"] = Voyage(last, {".": ["250 2.1.5 one", "550 5.2.1 two", Stall()]}, ("a", "b", "c"), lmtp=True)
    bye = {"MAIL": Say("421 4.3.2 bye"), "QUIT": Stall()}
    found["smtp MAIL 421"] = Voyage({"smtp_skip_quit_response": "no", "smtp_quit_timeout": "1s"}, bye)
    return found


@pytest.mark.parametrize("part", range(2))
def test_silence(fleet: Fleet, part: int) -> None:
    def within_its_limit(mta: Instance, name: str) -> bool:
        program = re.escape(f"postfix/{name.replace(' ', '_')}/")
        delays = [float(re.findall(r" delay=([\d.]+)", line)[0]) for line in mta.log_lines() if re.search(rf" {program}.*status=", line)]
        return bool(delays) and max(delays) < 15

    seen = fleet(dict(list(voyages().items())[part::2]), more=within_its_limit)
    assert isinstance(seen.result, dict) and all(seen.result.values()), seen.result


@contextmanager
def deaf(address: str) -> Iterator[int]:
    """Listen at a port where connections are neither accepted nor refused: the queue of those that wait is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((address, 0))
        listener.listen(0)
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_connections(fleet: Fleet) -> None:
    """A server that answers no connection: one alone, and one before another."""
    with deaf("127.0.0.44") as port:
        fleet({
            "smtp": Voyage({"smtp_connect_timeout": "1s"}, nexthop=f"[127.0.0.44]:{port}"),
            "lmtp": Voyage({"lmtp_connect_timeout": "1s"}, nexthop=f"inet:[127.0.0.44]:{port}", lmtp=True),
            "the next": Voyage({"smtp_connect_timeout": "1s"}, nexthop=f"[127.0.0.44]:{port}, [{{first}}]:{{port}}"),
            "the fallback": Voyage(
                {"smtp_connect_timeout": "1s", "smtp_fallback_relay": f"[127.0.0.45]:{fleet.peer.port}"}, nexthop=f"[127.0.0.44]:{port}"
            ),
        })  # fmt: skip
