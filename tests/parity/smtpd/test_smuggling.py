"""Ends of content that are none, and a second message behind them: each known sequence of SMTP smuggling, in DATA and in BDAT,
for every value of ``smtpd_forbid_bare_newline``.

Source: postconf(5) smtpd_forbid_bare_newline and its neighbours; the sequences are those of SEC Consult's scanner and its
successors, with more characters that some servers have taken for line ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.kit.instance import STRANGER, Instance
from tests.kit.smtp import CLOSED, Dialogue

from .clientlog import said_of_clients
from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

ENDS = (
    b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r.\n", b"\n.\r", b"\n\n.\n\n", b"\r\n\r.\r\n", b"\r\r.\r\r",
    b"\r\r\n.\r\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\n", b"\n\r.\n\r", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n.\r\0\n", b"\r\0\n.\r\n", b"\0\r\n.\0\r\n",
    b"\n\0.\n", b"\n.\0\n", b"\r\n.\t\r\n", b"\r\n. \r\n", b"\r\n .\r\n", b"\n..\n", b"\r\n..\r\n", b"\x0b.\x0b", b"\x0c.\x0c", b"\x1c.\x1c", b"\x85.\x85",
    b"\xc2\x85.\xc2\x85", b"\xe2\x80\xa8.\xe2\x80\xa8", b"\x1a", b"\r\n.\r\n",
)  # fmt: skip
REAL_ENDS = frozenset({b"\r\n.\r\n", b"\r\r\n.\r\n"})
"""A carriage return more at the end of the line before is content."""
OPEN_DOORS = frozenset({b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\n\n.\n\n", b"\r\0\n.\r\n", b"\r\r\n.\r\r\n", b"\r\n.\r\r\n"})
"""What ends content besides, where bare newlines are allowed."""
BARE = re.compile(rb"(?<!\r)\n")
COMMANDS = (b"NOOP\nNOOP\r\n", b"NOOP\rNOOP\r\n", b"NOOP\r\r\nNOOP\r\n", b"NOOP\0\r\nNOOP\r\n", b"\nNOOP\r\n", b"NOOP\n\rNOOP\r\n")

SERVICES = {
    "normalize": {}, "yes": {}, "reject": {}, "note": {}, "no": {},
    "normalize for others": {"smtpd_forbid_bare_newline_exclusions": "127.0.0.0/8"},
    "reject for others": {"smtpd_forbid_bare_newline_exclusions": "127.0.0.0/8"},
    "reject with 521": {"smtpd_forbid_bare_newline_reject_code": "521"},
}  # fmt: skip
"""One smtpd each; the first word of a name is its value of smtpd_forbid_bare_newline."""

ENVELOPE = b"MAIL FROM:<%b@client.example>\r\nRCPT TO:<user@ours.example>\r\n"
SMUGGLED = ENVELOPE % b"smuggled" + b"DATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n"


def sessions() -> Iterator[tuple[str, bytes]]:
    """Yield all that a client says in one go, by name."""
    begin = b"EHLO client.example\r\n" + ENVELOPE % b"outer"
    for end in ENDS:
        content = b"Subject: outer\r\n\r\nouter" + end + SMUGGLED
        yield f"DATA {end!r}", begin + b"DATA\r\n" + content + b"QUIT\r\n"
        chunk = content.removesuffix(b".\r\n")
        yield f"BDAT {end!r}", begin + b"BDAT %d LAST\r\n%bQUIT\r\n" % (len(chunk), chunk)
    for commands in COMMANDS:
        yield repr(commands), b"EHLO client.example\r\n" + commands + b"QUIT\r\n"


def said(address: str, port: int, text: bytes) -> list[str]:
    """Say *text* and return the replies up to the end of the connection."""
    with Dialogue(address, port, STRANGER) as client:
        client.send(text)
        replies = [client.greeting]
        while CLOSED not in replies[-1]:
            replies.append(client.reply())
        return replies


def test_smuggling(parity_of_smtpd: Compare) -> None:
    """Nothing gets through but where an administrator lets it; what is kept of each message is the same."""
    addresses = {name: f"127.1.0.{number}" for number, name in enumerate(SERVICES, 1)}
    accepted: dict[tuple[str, str], int] = {}

    def case(mta: Instance) -> None:
        for name, address in addresses.items():
            for what, text in sessions():
                mark = mta.log_mark()
                replies = said(address, mta.port, text)
                mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)
                mta.transcript += [f"== {name}: {what}", *replies, *said_of_clients(mta.log_lines(mark))]
                accepted[name, what] = sum(" queued as " in reply for reply in replies)

    master = {}
    for name, options in SERVICES.items():
        words = "".join(f" -o {option}={value}" for option, value in options.items())
        line = f"{addresses[name]}:{{port}} inet n - n - - smtpd -o smtpd_forbid_bare_newline={name.split()[0]}{words}"
        master[f"{addresses[name]}:{{port}}"] = line
    main = LENIENT | {
        "smtpd_forbid_unauth_pipelining": "no", "smtpd_forbid_bare_newline_exclusions": "", "smtpd_forbidden_commands": "",
        "smtpd_data_restrictions": "check_client_access static:hold", "enable_long_queue_ids": "yes",
    }  # fmt: skip
    parity_of_smtpd(case, main=main, master=master, logs=False, queue=True, fresh=True)
    for name in SERVICES:
        lenient = name == "no" or "others" in name
        for end in ENDS:
            refused = name.startswith("reject") and not lenient and BARE.search(end)
            messages = 0 if refused else 2 if end in REAL_ENDS or (lenient and end in OPEN_DOORS) else 1
            assert accepted[name, f"DATA {end!r}"] == messages, (name, end)
            assert accepted[name, f"BDAT {end!r}"] == (0 if refused else 1), (name, end)
