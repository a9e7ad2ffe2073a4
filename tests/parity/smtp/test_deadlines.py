"""Time limits for a request as a whole, and how the content's is extended by what is sent.

Source: postconf(5) smtp_per_request_deadline, smtp_min_data_rate, smtp_data_xfer_timeout, and those of LMTP.
"""

from __future__ import annotations

import pytest

from tests.kit.peer import Answer, Drip, Sip
from tests.parity.smtp.fleet import FILLER, Fleet, Voyage

pytestmark = [pytest.mark.reference, pytest.mark.root]

LARGE = b"Subject: large\n\n" + (FILLER + b"\n") * 10000
ALL = ("helo", "mail", "rcpt", "data_init", "data_done", "data_xfer", "rset", "quit", "xforward")
WHOLE = {"smtp_per_request_deadline": "yes"}
SMALL_BUFFERS = {"tcp_windowsize": "8192"}


def limits(seconds: str, **others: str) -> dict[str, str]:
    return {f"smtp_{name}_timeout": seconds for name in ALL} | {f"smtp_{name}": value for name, value in others.items()}


DRIPPED: dict[str, dict[str, Answer]] = {
    "greeting": {"greeting": Drip("220 peer.example ESMTP", 0.2)},
    "EHLO": {"EHLO": Drip("250-peer.example\n250 PIPELINING", 0.2)},
    "MAIL": {"MAIL": Drip("250 2.1.0 Sender ok", 0.2)},
    "RCPT": {"RCPT": Drip("250 2.1.5 Recipient ok", 0.2)},
    "DATA": {"DATA": Drip("354 Go on then", 0.2)},
    "dot": {".": Drip("250 2.0.0 Got it", 0.2)},
    "RSET": {"RCPT": "450 4.2.1 later", "RSET": Drip("250 2.0.0 Reset", 0.2)},
}  # fmt: skip


def slow_reader(size: int, seconds: float, most: int = 500_000) -> dict[str, Answer]:
    return {"DATA": Sip("354 Slowly", size, seconds, most)}


READERS: dict[str, Voyage] = {
    # With small buffers a write of the reference's, which blocks, may end never.
    "reads nothing": Voyage(limits("2s") | {"tcp_windowsize": "0"}, slow_reader(0, 0), content=LARGE),
    "reads nothing, whole": Voyage(limits("2s") | WHOLE | {"tcp_windowsize": "0"}, slow_reader(0, 0), content=LARGE),
    # As long as bytes go, each write has its time.
    "reads slowly": Voyage(limits("2s"), slow_reader(30_000, 0.1), content=LARGE),
    # The content may take longer than the time of the last reply, and than its own, if it is fast enough.
    "reads slowly, whole": Voyage(limits("2s") | WHOLE, slow_reader(30_000, 0.1), content=LARGE),
    "reads slowly, short DATA": Voyage(limits("20s", data_init_timeout="1s") | WHOLE, slow_reader(30_000, 0.1), content=LARGE),
    "reads too slowly": Voyage(limits("2s", min_data_rate="100000000") | WHOLE, slow_reader(30_000, 0.2), content=LARGE),
    "a rate that is no matter": Voyage(limits("2s", min_data_rate="100000000"), slow_reader(30_000, 0.1), content=LARGE),
    "seven times too slow": Voyage(limits("2s", min_data_rate="1000000") | WHOLE, slow_reader(30_000, 0.2), content=LARGE),
    "twice as fast as need be": Voyage(limits("3s", min_data_rate="50000") | WHOLE, slow_reader(30_000, 0.25), content=LARGE),
}  # fmt: skip


def of_lmtp(voyage: Voyage) -> Voyage:
    """Return the same with LMTP and its parameters."""
    options = {name.replace("smtp_helo", "lmtp_lhlo").replace("smtp_", "lmtp_"): value for name, value in voyage.options.items()}
    script = {key.replace("EHLO", "LHLO"): answer for key, answer in voyage.script.items()}
    return Voyage(options, script, voyage.recipients, True, content=voyage.content)


def test_deadlines(fleet: Fleet) -> None:
    """Replies that come byte by byte, with and without a deadline; content that is read slowly."""
    voyages = {
        **{f"{name} drips": Voyage(limits("2s"), script) for name, script in DRIPPED.items()},
        **{f"{name} drips, whole": Voyage(limits("2s") | WHOLE, script) for name, script in DRIPPED.items()},
        "old name": Voyage(limits("2s", per_record_deadline="yes"), DRIPPED["MAIL"]),
        **READERS,
    }
    voyages |= {f"LMTP: {name}": of_lmtp(voyage) for name, voyage in voyages.items() if name != "RSET drips"}
    seen = fleet(voyages, main=SMALL_BUFFERS)
    text = "\n".join(line for lines in seen.log.values() for line in lines)
    for doing in ("receiving the initial server greeting", "performing the EHLO handshake", "performing the LHLO handshake", "sending MAIL FROM",
                  "sending RCPT TO", "sending DATA command", "sending message body", "sending end of data -- message may be sent more than once"):  # fmt: skip
        assert f"timed out while {doing})" in text, doing
    assert text.count("status=deferred (conversation with") == 22
