"""What smtpd says of the defaults that an old compatibility_level keeps in use.  Source: COMPATIBILITY_README."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit import requirements
from tests.kit.instance import STRANGER, TRUSTED, Instance
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]

UNSET = ("relay_domains", "mynetworks", "smtpd_relay_restrictions")
SESSIONS = (
    ("EHLO c.example", "MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", "RCPT TO:<x@elsewhere.example>", "RSET", "QUIT"),
    ("EHLO c.example", "MAIL FROM:<a@b.example>", "RCPT TO:<user@mail.ours.example>", "RCPT TO:<x@sub.mail.ours.example>", "QUIT"),
    ("EHLO c.example", "MAIL FROM:<\u00e4@b.example>", "RCPT TO:<\u00e4@mail.ours.example>", "RCPT TO:<user@b\u00fccher.example>", "QUIT"),
    ("EHLO c.example", "MAIL FROM:<a@\u00e4.example>", "RSET", "ETRN mail.ours.example", "QUIT"),
    ("EHLO c.example", "MAIL FROM:<a@sub.mail.ours.example>", "RCPT TO:<user@ours.example>", "RCPT TO:<x@sub.mail.ours.example>", "QUIT"),
    ("EHLO c.example", "MAIL FROM:<>", "RCPT TO:<postmaster>", "RCPT TO:<user@[127.0.0.1]>", "RCPT TO:<a@b@mail.ours.example>", "QUIT"),
)


class Pair:
    """A reference and the same with our smtpd."""

    def __init__(self) -> None:
        self._sides = [Instance("reference"), Instance("reference", replace={"smtpd": "pyfix"})]

    def said(self, main: dict[str, str]) -> list[list[str]]:
        """Hold all sessions with both, and return replies and log lines of each."""
        found = []
        for side in self._sides:
            for name in UNSET:
                side.main.pop(name, None)
            for name in ("fast_flush_domains", "mynetworks_style"):
                side.main.pop(name, None)
            side.write_main(**main)
            if side.is_running():
                side.reload()
            else:
                side.start()
            mark = side.log_mark()
            side.dialogue("QUIT")  # a process that still has the old main.cf may take the first one
            wait_until(lambda mark=mark, side=side: any("disconnect from" in line for line in side.log_lines(mark)), 20.0)
            lines = []
            for client in (STRANGER, TRUSTED):
                for session in SESSIONS:
                    mark = side.log_mark()
                    side.dialogue(*session, client=client)
                    wait_until(lambda mark=mark, side=side: any("disconnect from" in line for line in side.log_lines(mark)), 20.0)
                    said = [line.partition("]: ")[2] for line in side.log_lines(mark) if "/smtpd[" in line]
                    lines += [line for line in said if "backwards-compatible" in line]
            found.append(lines)
        return found

    def close(self) -> None:
        for side in self._sides:
            side.remove()


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    requirements.need_reference()
    made = Pair()
    yield made
    made.close()


@pytest.mark.parametrize("level", ["0", "1", "2", "3.5", "3.11"])
@pytest.mark.parametrize(
    "lists",
    [
        {"smtpd_recipient_restrictions": "reject_unauth_destination"},
        {"smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination"},
        {"smtpd_recipient_restrictions": "permit_auth_destination, reject"},
        {"smtpd_recipient_restrictions": "check_client_access static:ok, reject_unauth_destination"},
        {"smtpd_recipient_restrictions": "check_client_access static:ok, reject_unauth_destination", "mynetworks": "192.0.2.1"},
        {"smtpd_recipient_restrictions": "reject_unauth_destination", "fast_flush_domains": "$mydestination"},
        {"smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination", "mynetworks_style": "class"},
    ],
)
def test_old_defaults(pair: Pair, level: str, lists: dict[str, str]) -> None:
    theirs, ours = pair.said({"compatibility_level": level, **lists})
    if level == "0":
        print("\n".join(theirs))
    assert ours == theirs
