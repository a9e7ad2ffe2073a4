"""What becomes of content on its way out: dots, long lines, conversion to 7 bits, checks, generic addresses.

Source: RFC 5321 section 4.5.2, RFC 6152; postconf(5) smtp_line_length_limit, smtp_header_checks, smtp_generic_maps.
"""

from __future__ import annotations

import pytest

from tests.kit.peer import Answer
from tests.parity.cleanup.test_checks import ACTIONS
from tests.parity.smtp.handing import PIPELINING, Hand
from tests.parity.smtp.test_extensions import by_smtp

pytestmark = [pytest.mark.reference, pytest.mark.root]

TREE = (
    b"Received: a\n\tb\nFrom: Joe <joe@local.example>, second@ours.example\nTo: other@ours.example,\n"
    b'  "x y" <joe@local.example> (comment)\nSubject: caf\xe9 reject\nX-Long: warnme\nX-Info: infome\nX-Rep: replaceme\n'
    b"X-Pre: prependme\nX-Ign: ignoreme\nX-Rej: rejectme\nX-Hold: holdme\nX-Strip: stripme\nMIME-Version: 1.0\n"
    b"Content-Type: multipart/mixed; boundary=foo\n\npreamble\n--foo\nContent-Type: text/plain; charset=utf-8\n"
    b"Content-Transfer-Encoding: 8bit\n\nh\xc3\xa9llo w\xc3\xb6rld =\nbodywarn\nbodyrep\n.dot\n--foo\n"
    b"Content-Type: message/rfc822\n\nSubject: inner\nX-Rep: replaceme\n\nbody8\xff\n--foo--\nepilogue\n"
)
CONTENTS = {
    "dots": b"Subject: x\n\n.\n..\n.x\nx.\n\n.\n",
    "long line": b"Subject: x\n\n" + b"x" * 3000 + b"\nshort\n" + b"y" * 998 + b"\n" + b"z" * 999 + b"\n",
    "long line with dots": b"Subject: x\n\n" + b"." * 2500 + b"\n",
    "long line in UTF-8": b"Subject: x\n\n" + "\u00e9".encode() * 1500 + b"\n",
    "long header": b"Subject: " + b"x" * 2500 + b"\n\nx\n",
    "no body": b"Subject: x\n",
    "8bit": b"Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\nh\xc3\xa9llo =20 \n" + b"\xe9" * 100 + b"\n",
    "8bit undeclared": b"Subject: x\n\nh\xc3\xa9llo\n",
    "binary": b"Subject: x\nContent-Transfer-Encoding: binary\n\n\x00\x01\xff\n",
    "tree": TREE,
    "nested deep": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(110)) + b"Content-Transfer-Encoding: 8bit\n\n\xe9\n",
}  # fmt: skip
SERVERS: dict[str, dict[str, Answer]] = {"old": {}, "new": {"EHLO": PIPELINING}}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", CONTENTS)
def test_contents(hand: Hand, name: str, server: str) -> None:
    hand(SERVERS[server], ["a"], send=by_smtp("BODY=8BITMIME", content=CONTENTS[name]))


def test_no_conversion(hand: Hand) -> None:
    main = {"disable_mime_output_conversion": "yes"}
    hand(None, ["a"], send=by_smtp("BODY=8BITMIME", content=CONTENTS["8bit"]), main=main)


@pytest.mark.parametrize("limit", ["0", "200", "990"])
def test_line_limits(hand: Hand, limit: str) -> None:
    main = {"smtp_line_length_limit": limit}
    for name in ("long line", "long line with dots"):
        hand(None, ["a"], send=by_smtp(content=CONTENTS[name]), main=main)


TABLES = {
    "checks": "/warnme/ WARN hello\n/infome/ INFO\n/replaceme/ REPLACE X-New: value\n/prependme/ PREPEND X-Before: it\n"
    "/ignoreme/ IGNORE\n/rejectme/ REJECT no\n/holdme/ HOLD x\n/stripme/ STRIP gone\n/bodywarn/ WARN bw\n/bodyrep/ REPLACE newbody\n"
    "/broken/ REPLACE\n/dunno/ DUNNO\n/unknown/ SOMETHING\n",
    "mime": "/Content-Type: text/ REPLACE Content-Type: text/html\n",
    "nested": "/inner/ REPLACE Subject: nested\n",
}  # fmt: skip
CHECKS = {
    "smtp_header_checks": "regexp:{dir}/etc/checks", "smtp_mime_header_checks": "regexp:{dir}/etc/mime",
    "smtp_nested_header_checks": "regexp:{dir}/etc/nested", "smtp_body_checks": "regexp:{dir}/etc/checks",
}  # fmt: skip
GENERIC = (
    "inline:{joe@local.example=joe.public@x.example,second@ours.example=zwei@x.example,@local.example=all@x.example}"
)


@pytest.mark.parametrize("server", SERVERS)
def test_checks(hand: Hand, server: str) -> None:
    hand(SERVERS[server], ["a"], send=by_smtp("BODY=8BITMIME", content=TREE), main=CHECKS, files=TABLES)
    odd = b"Subject: broken\nX: dunno\nY: unknown\n\nbroken\n"
    hand(SERVERS[server], ["a"], send=by_smtp(content=odd), main=CHECKS, files=TABLES)


@pytest.mark.parametrize("server", SERVERS)
def test_each_action(hand: Hand, server: str) -> None:
    """In each place: what the client does not know is told of, and changes nothing."""
    table = "".join(f"/n{number}n/ {action}\n" for number, action in enumerate(ACTIONS))
    files = dict.fromkeys(("checks", "mime", "nested"), table)
    lines = [b"n%dn" % number for number in range(len(ACTIONS))]
    fields = b"".join(b"X-%d: %s\n" % (number, line) for number, line in enumerate(lines))
    content = fields + b"Content-Type: multipart/mixed; boundary=q\n\n" + b"\n".join(lines) + b"\n--q\n" + fields
    content += b"Content-Type: message/rfc822\n\n" + fields + b"\nend\n--q--\n"
    hand(SERVERS[server], ["a"], send=by_smtp("BODY=8BITMIME", content=content), main=CHECKS, files=files)


def test_checks_that_wait(hand: Hand) -> None:
    """Tables of another process, for whose answers smtp waits."""
    main = {name: value.replace("regexp:", "proxy:regexp:") for name, value in CHECKS.items()}
    send = by_smtp("BODY=8BITMIME", content=TREE)
    hand(SERVERS["old"], ["a"], send=send, main=main | {"smtp_generic_maps": GENERIC}, files=TABLES)
    for failing in ("fail:x", "proxy:fail:x"):
        hand(SERVERS["old"], ["a"], send=send, main=CHECKS | {"smtp_body_checks": failing}, files=TABLES)
        hand(SERVERS["old"], ["a"], send=send, main=CHECKS | {"smtp_mime_header_checks": failing}, files=TABLES)


@pytest.mark.parametrize("server", SERVERS)
def test_generic_addresses(hand: Hand, server: str) -> None:
    main = {"smtp_generic_maps": GENERIC, "recipient_delimiter": "+"}
    hand(SERVERS[server], ["a"], send=by_smtp("BODY=8BITMIME", content=TREE), main=main)
    hand(
        SERVERS[server],
        ["joe@local.example"],
        sender="joe+x@local.example",
        main={**main, "relayhost": f"[127.1.7.9]:{hand.peer.port}"},
    )


def test_generic_and_checks(hand: Hand) -> None:
    main = {**CHECKS, "smtp_generic_maps": GENERIC, "propagate_unmatched_extensions": "canonical, virtual, generic"}
    hand(None, ["a"], send=by_smtp("BODY=8BITMIME", content=TREE), main=main, files=TABLES)


def test_filters(hand: Hand) -> None:
    files = {
        "replies": "/^550 5.1.1 change/ 450 4.7.7 changed\n/^250-SIZE/ 250-NOSIZE\n",
        "statuses": "/5.1.1 .*filterme/ 4.1.1 filtered\n/4.2.2 (.*)/ 5.2.2 $1\n/2.0.0 (.*)/ 5.0.0 x\n/^5.1.2 / 2.1.2 y\n/^5.1.3/ odd\n",
    }
    main = {"smtp_reply_filter": "regexp:{dir}/etc/replies", "smtp_delivery_status_filter": "regexp:{dir}/etc/statuses"}
    answers: list[Answer] = [
        "550 5.1.1 change",
        "550 5.1.1 filterme",
        "450 4.2.2 full",
        "550 5.1.2 x",
        "550 5.1.3 y",
        "250 ok",
    ]
    hand({"EHLO": PIPELINING, "RCPT": answers}, ["a", "b", "c", "d", "e", "f"], main=main, files=files)
