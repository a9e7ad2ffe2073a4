"""Settings of smtp and lmtp that no other file is about: greetings, workarounds, quoting, QUIT, bound addresses, names.

Source: postconf(5), smtp_* and lmtp_*; RFC 5321 section 4.1.
"""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.peer import Answer, Lost, Peer, Stall
from tests.kit.ports import ReservedPort
from tests.parity.smtp.handing import PIPELINING, SENDER, Hand

pytestmark = [pytest.mark.reference, pytest.mark.root]

STARS = {"greeting": "220 ***************************** ****** 0 *", "EHLO": PIPELINING}
PIX = "enabling PIX"
CASES: dict[str, tuple[dict[str, str], list[dict[str, Answer]]]] = {
    "EHLO only where it is offered": ({"smtp_always_send_ehlo": "no"}, [{"greeting": "220 peer.example"}, {"greeting": "220 peer ESMTP x"}]),
    "never EHLO": ({"smtp_never_send_ehlo": "yes"}, [{"EHLO": PIPELINING}]),
    "our name": ({"smtp_helo_name": "[127.0.0.9]", "smtp_never_send_ehlo": "no"}, [{"EHLO": "500 what"}]),
    "5xx greetings": ({"smtp_skip_5xx_greeting": "no"}, [{"greeting": "554 5.3.2 never"}, {"greeting": "521 never"}, {"EHLO": "554 no", "HELO": "554 no"}]),
    "QUIT is waited for": ({"smtp_skip_quit_response": "no", "smtp_quit_timeout": "1s"}, [{"QUIT": Stall()}, {"QUIT": "500 no"}, {"QUIT": Lost()}]),
    "no quoting": ({"smtp_quote_rfc821_envelope": "no"}, [{}]),
    "keywords": ({"smtp_discard_ehlo_keywords": "pipelining, SIZE, nosuch"}, [{"EHLO": PIPELINING}]),
    "silent keywords": ({"smtp_discard_ehlo_keywords": "silent-discard, 8bitmime"}, [{"EHLO": PIPELINING}]),
    "keywords by address": ({"smtp_discard_ehlo_keyword_address_maps": "static:{dsn,size}", "smtp_discard_ehlo_keywords": "pipelining"}, [{"EHLO": PIPELINING}]),
    "keywords by a table that fails": ({"smtp_discard_ehlo_keyword_address_maps": "fail:x"}, [{"EHLO": PIPELINING}]),
    "workarounds": ({}, [STARS]),
    "workarounds of old mail": ({"smtp_pix_workaround_threshold_time": "0s", "smtp_pix_workaround_delay_time": "1s"}, [STARS]),
    "no workarounds": ({"smtp_pix_workarounds": ""}, [STARS]),
    "workarounds by address": ({"smtp_pix_workaround_maps": "static:delay_dotcrlf", "smtp_pix_workaround_threshold_time": "0s", "smtp_pix_workaround_delay_time": "1s"}, [STARS]),
    "workarounds by a table that fails": ({"smtp_pix_workaround_maps": "fail:x"}, [STARS]),
    "a deadline of the old name": ({"smtp_per_record_deadline": "yes", "smtp_mail_timeout": "1s"}, [{"MAIL": Stall()}]),
    "server's address unknown here": ({"smtp_bind_address": "192.0.2.1"}, [{}]),
    "server's address unknown here, enforced": ({"smtp_bind_address": "192.0.2.1", "smtp_bind_address_enforce": "yes"}, [{}]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_settings(hand: Hand, name: str) -> None:
    main, scripts = CASES[name]
    for script in scripts:
        hand(script, ['"a b"', "b"], main=main, sender='"x y"@ours.example' if "quot" in name else SENDER)


LMTP: dict[str, tuple[dict[str, str], dict[str, Answer | list[Answer]]]] = {
    "our name": ({"lmtp_lhlo_name": "lhlo.example"}, {}),
    "QUIT is waited for": ({"lmtp_skip_quit_response": "no", "lmtp_quit_timeout": "1s"}, {"QUIT": Stall()}),
    "final": ({"lmtp_assume_final": "yes"}, {"LHLO": "250 peer.example"}),
    "keywords": ({"lmtp_discard_lhlo_keywords": "pipelining, dsn"}, {"LHLO": PIPELINING}),
    "keywords by address": ({"lmtp_discard_lhlo_keyword_address_maps": "static:{dsn,size}"}, {"LHLO": PIPELINING}),
    "LHLO refused": ({}, {"LHLO": "550 5.7.1 no"}),
    "LHLO not known": ({}, {"LHLO": "500 what"}),
    "data time": ({"lmtp_data_done_timeout": "1s"}, {".": ["250 2.0.0 one", Stall()]}),
}  # fmt: skip


@pytest.mark.parametrize("name", LMTP)
def test_settings_of_lmtp(hand: Hand, name: str) -> None:
    main, script = LMTP[name]
    hand(script, ["a", "b"], main=main, lmtp=True)


def test_own_address(parity: Parity, peer: Peer) -> None:
    """The server sees the connection come from smtp_bind_address."""

    def case(mta: Instance) -> object:
        peer.reset()
        queue_id = mta.send_message("a@bound.example", sender=SENDER)
        mta.wait_for_log(rf"{queue_id}: to=<.*status=sent")
        peer.seen()
        return [session.client for session in peer.sessions]

    main = {"transport_maps": f"inline:{{bound.example=smtp:[127.1.9.7]:{peer.port}}}", "smtp_bind_address": "127.0.0.77"}
    assert parity(case, main=main).result == ["127.0.0.77"]


def test_nobody_listens(parity: Parity) -> None:
    """Refused connections: one server, a list of servers, sockets in the file system that are not there."""
    port = ReservedPort()
    try:
        routes = {
            "one": f"smtp:[127.1.9.8]:{port.number}", "two": f"smtp:[127.1.9.8]:{port.number},[127.1.9.9]:{port.number}",
            "unix": "lmtp:unix:private/nothing", "file": "lmtp:unix:/etc/passwd", "lmtp": f"lmtp:inet:127.1.9.8:{port.number}",
        }  # fmt: skip

        def case(mta: Instance) -> None:
            for name in routes:
                queue_id = mta.send_message(f"a@{name}.example", sender=SENDER)
                mta.wait_for_log(rf"{queue_id}: to=<.*status=")

        table = ", ".join(f"{{{name}.example={route}}}" for name, route in routes.items())
        parity(case, main={"transport_maps": f"inline:{{{table}}}"}, logs=("smtp", "lmtp"))
    finally:
        port.release()
