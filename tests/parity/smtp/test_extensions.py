"""What the server's offer makes of a message: DSN, SIZE, 8BITMIME, SMTPUTF8, XFORWARD, and probes that deliver nothing.

Source: RFC 1870, RFC 3461, RFC 6152, RFC 6531; XFORWARD_README, SMTPUTF8_README.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.peer import Answer
from tests.kit.smtp import dialogue, dot_stuffed
from tests.parity.smtp.handing import PIPELINING, SENDER, Hand

pytestmark = [pytest.mark.reference, pytest.mark.root]

OFFERS = {
    "nothing": "250 peer.example",
    "all": f"{PIPELINING[:-23]}SMTPUTF8\n250 XFORWARD NAME ADDR PROTO HELO IDENT SOURCE",
    "dsn": "250-peer.example\n250 DSN",
    "utf8": "250-peer.example\n250-8BITMIME\n250 SMTPUTF8",
    "utf8 without 8bitmime": "250-peer.example\n250 SMTPUTF8",
}


def by_smtp(
    mail: str = "", rcpt: str = "", content: bytes = b"Subject: x\n\nx\n"
) -> Callable[[Instance, list[str]], str]:
    """Return a way to send with parameters of MAIL and RCPT."""

    def send(mta: Instance, addresses: list[str]) -> str:
        recipients = [f"RCPT TO:<{address}> {rcpt}".rstrip() for address in addresses]
        lines = [
            "EHLO client.example",
            f"MAIL FROM:<{SENDER}> {mail}".rstrip(),
            *recipients,
            "DATA",
            dot_stuffed(content),
            "QUIT",
        ]
        _, replies = dialogue(mta.host, mta.port, lines, TRUSTED)
        assert replies[-2].startswith("250 2.0.0 Ok: queued as "), replies
        return replies[-2].rpartition(" ")[2]

    return send


ENVELOPES = {
    "plain": ("", ""),
    "8bit": ("BODY=8BITMIME", ""),
    "7bit": ("BODY=7BIT", ""),
    "dsn": ("ENVID=abc+2Bdef RET=HDRS", "ORCPT=rfc822;x+2By@z.example NOTIFY=FAILURE,DELAY"),
    "success": ("RET=FULL", "NOTIFY=SUCCESS"),
    "never": ("", "NOTIFY=NEVER"),
    "utf8": ("SMTPUTF8", ""),
}


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("name", ENVELOPES)
def test_parameters(hand: Hand, name: str, offer: str) -> None:
    hand(
        {"EHLO": OFFERS[offer]}, ["a", "b"], send=by_smtp(*ENVELOPES[name]), main={"smtp_send_xforward_command": "yes"}
    )


@pytest.mark.parametrize("offer", OFFERS)
def test_unicode(hand: Hand, offer: str) -> None:
    """Unicode in an address, or in a header, of clients that ask for SMTPUTF8 and of those that do not."""
    content = "Subject: caf\u00e9\n\nh\u00e9llo\n".encode()
    main = {"smtp_send_xforward_command": "yes"}
    hand({"EHLO": OFFERS[offer]}, ["a"], send=by_smtp("SMTPUTF8 BODY=8BITMIME", content=content), main=main)
    hand({"EHLO": OFFERS[offer]}, ["\u00e9"], send=by_smtp("SMTPUTF8"), main=main)
    hand({"EHLO": OFFERS[offer]}, ["a"], send=by_smtp("BODY=8BITMIME", content=content), main=main)
    hand({"EHLO": OFFERS[offer]}, ["\u00e9"], send=by_smtp(), main=main)


@pytest.mark.parametrize("names", ["SOURCE", "IDENT", "NAME", "NAME ADDR PROTO HELO SOURCE"])
def test_xforward_of_what_is_offered(hand: Hand, names: str) -> None:
    """Mail of this machine, of which only the source is known, and of a client."""
    offer, main = {"EHLO": f"250-peer.example\n250 XFORWARD {names}"}, {"smtp_send_xforward_command": "yes"}
    hand(offer, ["a"], main=main)
    hand(offer, ["a"], send=by_smtp(), main=main)


@pytest.mark.parametrize("script", [{}, {"RCPT": "550 5.1.1 unknown"}, {"MAIL": "450 4.1.8 later"}, {"DATA": "451 4.3.0 x"}],
                         ids=["good", "refused", "later", "no data"])  # fmt: skip
@pytest.mark.parametrize("target", ["rcpt", "data"])
@pytest.mark.parametrize("offer", ["nothing", "all"])
def test_probes(hand: Hand, script: dict[str, Answer], target: str, offer: str) -> None:
    """sendmail -bv asks the server, and does not deliver."""

    def send(mta: Instance, addresses: list[str]) -> str:
        mark = mta.log_mark()
        assert mta.run("sendmail", "-bv", "-f", SENDER, *addresses).returncode == 0
        return mta.wait_for_log(r": (\w+): to=<[^>]*@c\d", since=mark)[1]

    main = {"smtp_address_verify_target": target}
    hand({"EHLO": OFFERS[offer], **script}, ["a"], send=send, main=main)
