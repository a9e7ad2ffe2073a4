"""Headers and bodies: both cleanups make the same of them."""

from __future__ import annotations

import pytest

from .side import Compare, lines, record

START = record("T", "1795400000 123456") + record("A", "rewrite_context=local") + record("S", "s@client.example")
RECIPIENT = record("R", "user@ours.example")
END = record("X") + record("E")
MULTIPART = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=abc\n\n"


def message(text: bytes, start: bytes = START) -> bytes:
    content = (b"Received: by x (y)\n" + text).split(b"\n")
    return start + RECIPIENT + record("M") + lines(*(content if content[-1] else content[:-1])) + END


CONTENTS = {
    "nothing": b"",
    "no header": b"\nHello\n",
    "no body": b"Subject: x\n",
    "no end of header": b"Subject: x\nnot a header\nmore\n",
    "folded": b'Subject: a\n b\n\tc\nTo: foo,\n bar@x (comment),\n\t"Full Name" <baz>\nCc: x@y,z\nFrom: f\n\nHi\n',
    "long list": b"To: " + b", ".join(b"user%d" % number for number in range(30)) + b"\n\nHi\n",
    "dropped": b"Bcc: foo\nContent-Length: 12\nReturn-Path: <x>\nResent-Bcc: a\nSubject: x\n\nHi\n",
    "resent": b"From: a@b\nResent-To: x@y\nDate: foo\nMessage-Id: <1@2>\n\nHi\n",
    "resent id": b"From: a@b\nResent-From: x\nResent-Message-Id: <r@s>\n\nHi\n",
    "groups": b'To: friends: a, b@c, "q z"@d ;, e\nFrom: "A. B" <a@b> (c)\nCc: undisclosed-recipients:;\n\nHi\n',
    "bad addresses": b'To: <a b c>, d@\nCc: @x, a b@c\nFrom: <>\nReply-To: unbalanced "quote\nSender: (unbal\n\nHi\n',
    "colons": b"Subject : hi\nTo : foo\nFrom  :bar\nX-A:b\nCc:\n q\n\nHi\n",
    "empty headers": b"To:\nCc: \nFrom:\nDate:\nMessage-Id:\n\nHi\n",
    "first line goes on": b" cont\nSubject: x\n\nHi\n",
    "mailbox lines": b"From foo Mon Jan  1\n>From bar\nSubject: x\n\nHi\n",
    "ids": b"Message-ID: x\nMessage-ID:\n <abc@def>\n <two@x>\nMESSAGE-ID: <2@3>\nDate: x\n\nHi\n",
    "8bit": b"Subject: \xc3\xa9t\xe9\nTo: \xc3\xa9@x.\xc3\xa9\n\nHi\xff\n",
    "controls": b"Subject: a\x01b\x00c\rd\nTo: a\r@b\n\nHi\r there\x00\rx\n\r\n",
    "encodings": b"Content-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: 7bit\n\nHi\n",
    "binary": b"Content-Transfer-Encoding: BINARY\n\nHi\n",
    "a part in 8 bits": MULTIPART + b"pre\n--abc\nContent-Transfer-Encoding: 8bit\n\nx\n--abc--\nepi\n",
    "headers of a part": MULTIPART
    + b"--abc\nSubject : x\nTo: a\nBcc: c\nReceived: r\n\nb\n--abc\n cont\nA: b\n--abc--\n",
    "broken parts": MULTIPART
    + b"--abc\nSubject: x\nfoo\n--abcdef\n\n--abc--\n--abc\nContent-Transfer-Encoding: 8bit\n\n",
    "a message inside": b"Content-Type: message/rfc822\n\nTo: foo\nBcc: bar\nContent-Transfer-Encoding: 8bit\n\nx\n",
    "a digest": MULTIPART.replace(b"mixed", b"digest") + b"--abc\n\nContent-Transfer-Encoding: 8bit\n\nx\n",
    "a part of a message": MULTIPART
    + b"--abc\nContent-Type: message/partial\n\nContent-Transfer-Encoding: 8bit\n\nx\n",
    "quoted boundary": MULTIPART.replace(b"abc", b'"a b" (x)') + b"--a b\nContent-Transfer-Encoding: 8bit\n\nx\n",
    "49 hops": b"Received: a\n" * 48 + b"\nHi\n",
    "50 hops": b"Received: a\n" * 49 + b"\nHi\n",
    "tls": b"TLS-Required: no\nRequire-TLS-ESMTP: yes\nTLS-Required: maybe\n\nHi\n",
    "routes": b'To: @a,@b:c@d, <@x:y@z>, a%b, a!b, a@b@c, a., .a@b, a@b., "a b", "a\\"b"@c, a@[1.2.3.4]\n\nHi\n',
    "overlong header": b"Subject: " + b"x" * 120000 + b"\nX-A: y\n\nHi\n",
    "overlong lines": b"Subject: "
    + b"s" * 5000
    + b"\n\n"
    + b"x" * 5000
    + b"\n"
    + b"y" * 2048
    + b"\n"
    + b"z" * 2049
    + b"\n",
    "deep": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(110))
    + b"Content-Transfer-Encoding: 8bit\n\nx\n",
}
CONFIGURATIONS: dict[str, dict[str, str]] = {
    "as shipped": {},
    "strict": {"strict_8bitmime": "yes", "strict_mime_encoding_domain": "yes"},
    "all kept": {
        "message_drop_headers": "",
        "undisclosed_recipients_header": "To: undisclosed-recipients:;",
        "header_from_format": "obsolete",
        "enable_long_queue_ids": "yes",
        "cleanup_replace_stray_cr_lf": "no",
        "line_length_limit": "1000",
        "always_add_missing_headers": "yes",
    },
    "narrow": {
        "header_size_limit": "60",
        "header_address_token_limit": "5",
        "mime_nesting_limit": "2",
        "mime_boundary_length_limit": "2",
        "hopcount_limit": "3",
        "non_empty_end_of_header_action": "reject",
        "undisclosed_recipients_header": "no header",
        "message_reject_characters": "\\0",
        "strict_mime_encoding_domain": "yes",
    },
    "small": {
        "message_size_limit": "1000",
        "disable_mime_input_processing": "yes",
        "detect_8bit_encoding_header": "no",
    },
}


@pytest.mark.reference
@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("context", ["local", "remote"])
def test_contents(compare: Compare, name: str, configuration: str, context: str) -> None:
    start = START.replace(record("A", "rewrite_context=local"), record("A", f"rewrite_context={context}"))
    seen = compare(message(CONTENTS[name], start), 2 | 4 | 16 | 32, main=CONFIGURATIONS[configuration])
    assert seen.mode in (None, 0o100700)


NAMES = [
    "Full Name", "a.b", "a,b", 'Mr. "X"', "\u00e9 x", "(paren)", "a@b", "x\\y", " lead", "", "a  b", "x" * 200,
    "\u00e9" * 50, "\udce9 x", "a\tb", "Foo (bar", "word " * 20, "a)b", "\u00e9" * 9, "\u00e9" * 10, "a%b", "a!b",
    "a|b",
]  # fmt: skip


@pytest.mark.reference
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("configuration", ["as shipped", "all kept"])
@pytest.mark.parametrize("sender", ["s@x.example", "a b@" + "x" * 60, ""])
def test_full_names(compare: Compare, name: str, configuration: str, sender: str) -> None:
    start = record("T", "1795400000 1") + record("F", name) + record("S", sender)
    compare(message(b"\nx\n", start), main=CONFIGURATIONS[configuration])


@pytest.mark.reference
@pytest.mark.parametrize("chunk", [1, 97, 4096])
def test_pieces(compare: Compare, chunk: int) -> None:
    compare(message(CONTENTS["a part in 8 bits"]), chunk=chunk)


@pytest.mark.reference
def test_a_big_message(compare: Compare) -> None:
    body = b"".join([b"line %06d %s\n" % (number, b"x" * (number % 90)) for number in range(30000)])
    seen = compare(message(b"Subject: big\n\n" + body))
    assert len(seen.file) > 30000
