"""Tables of smtp_reply_filter and of delivery status filters that can't be asked, at each stage.

Source: postconf(5) smtp_reply_filter, smtp_delivery_status_filter.
"""

from __future__ import annotations

import pytest

from tests.parity.smtp.fleet import Fleet, Voyage
from tests.parity.smtp.handing import PIPELINING

pytestmark = [pytest.mark.reference, pytest.mark.root]

LINES = {
    "greeting": {"greeting": "220 changeme"},
    "EHLO": {"EHLO": "250-changeme\n250 DSN"},
    "MAIL": {"MAIL": "250 2.1.0 changeme"},
    "RCPT": {"RCPT": ["250 2.1.5 one", "250 2.1.5 changeme"]},
    "DATA": {"DATA": "354 changeme"},
    "dot": {".": "250 2.0.0 changeme"},
    "RCPT in groups": {"EHLO": PIPELINING, "RCPT": "250 2.1.5 changeme"},
    "dot in groups": {"EHLO": PIPELINING, ".": "250 2.0.0 changeme"},
    "QUIT": {"QUIT": "221 2.0.0 changeme"},
    "a long one": {"MAIL": f"250 2.1.0 changeme {'x' * 300}"},
    "nowhere": {},
}  # fmt: skip
STATUS = {"RCPT": f"550 5.1.1 no {'long ' * 60}reason"}
FILES = {"mine": "/changeme/ x\n"}


def test_tables_that_fail(fleet: Fleet) -> None:
    """For lines with \"changeme\" the second table of the pipe is asked, and fails."""
    tables = "pipemap:{regexp:{dir}/etc/mine,fail:x}"
    voyages = {
        **{name: Voyage({"smtp_reply_filter": tables}, script, ("a", "b")) for name, script in LINES.items()},
        "a status": Voyage({"smtp_delivery_status_filter": "fail:x"}, STATUS),
    }
    for name, script in LINES.items():
        spoken = {key.replace("EHLO", "LHLO"): answer for key, answer in script.items()}
        voyages[f"LMTP: {name}"] = Voyage({"lmtp_reply_filter": tables}, spoken, ("a", "b"), lmtp=True)
    seen = fleet(voyages, files=FILES)
    assert "local data error while talking to" in str(seen.log)
