"""Address headers and MIME structure as Postfix's cleanup has them, and as our readers do."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from pyfix.formats.address_list import AddressList
from pyfix.formats.header import KnownHeader, announces_8bit
from pyfix.formats.mime import PRIMARY, MimeError, MimeParser
from pyfix.formats.textforms import printable
from tests.kit.instance import Instance

from .cleanup import Line, checked, clean
from .service import Client

pytestmark = [pytest.mark.reference, pytest.mark.root]

N, L = 0x4E, 0x4C

_PIECES = (
    "a", "b", "cc", "joe", "x.y", " ", " ", " ", "  ", "@", "@", "@d", ",", ",", ":", ";", "<", ">", "<q>", "<a@b.c>",
    "(c)", "(", '"', '"q r"', "\\", "[", "[1.2]", "]", ".", "%", "!", "\t", "\u00e9", "|", ")", "\x01", "g:", "\n ",
    '"a@b"', "=",
)  # fmt: skip
_KNOWN = (
    "foo, bar@baz (x), grp: a, b@c;, @r1,@r2:u@d, \"quo ted\"@x, joe blow, <fred>,", '<>, (only), "A, B" <q>, a@b.',
    ", ".join(f"user{n}" for n in range(30)), "g1: (c) a (d) , (e) b (f) ; (g)", "(c1)a(c2)@(c3)b(c4), q", "<a b@c>, q",
    '<a "b"@c>, q', "a:b <q>", "g1: a; g2: b;", "q (" + "a" * 40 + "\n  " + "b" * 40 + ")", "a <b <c>> d",
    "<@r,@s:u@d>",
    "=?utf-8?q?a,b?= <z>", "a@b c@d, q", "@, q", "foo: a", "\u00e9 \u00e9, \u00e9@x, " + "\u00e9" * 30 + "@y",
)  # fmt: skip


def _bodies() -> list[str]:
    chance = random.Random("address lists")
    made = list(_KNOWN)
    while len(made) < 400:
        body = "".join(chance.choice(_PIECES) for _ in range(chance.randint(1, 9))).lstrip()
        if all(line.strip() for line in body.split("\n")):
            made.append(body)
    return made


def test_address_headers(new_instance: Callable[..., Instance]) -> None:
    """Each header comes out as cleanup writes it.  Source: cleanup(8), RFC 822 section 6."""
    mta = new_instance("reference").start()
    bodies = _bodies()
    lines: list[Line] = [b"From: x@y.z"]
    for body in bodies:
        lines += f"To: {body}".encode().split(b"\n")
    cleaned = clean(mta, [*lines, b"", b"text"])
    assert cleaned.status == 0
    headers: list[str] = []
    for line in cleaned.lines[: cleaned.lines.index(b"")]:
        if line[:1] in (b" ", b"\t"):
            headers[-1] += "\n" + line.decode()
        else:
            headers.append(line.decode())
    theirs = [header for header in headers if header.startswith("To:")]
    assert len(theirs) == len(bodies)
    client = Client(mta.queue_directory / "private/rewrite")
    different = []
    for body, header in zip(bodies, theirs, strict=True):
        found = AddressList(" " + body)
        rewritten = [client.rewrite("local", address)[1] for address in found.addresses]
        ours = found.header("To", rewritten) or f"To: {body}"
        if ours != header:
            different.append(f"{body!r}\n  Postfix {header!r}\n  pyfix   {ours!r}")
    assert not different, "\n".join(different)


class Sink:
    """Writes down what our parser finds, in the terms of cleanup's log."""

    def __init__(self) -> None:
        self.checked: list[tuple[str, str]] = []
        self.lines: list[bytes] = []
        self.encoding = False

    def header(self, checks: str, known: KnownHeader | None, name: bytes, body: bytes, state: int) -> None:
        text = name + b":" + body
        if checks != "header" or text.startswith(b"X"):
            self.checked.append((checks, _shown(text)))
        if state == PRIMARY and known is not None and known.drop:
            return
        if known is not None and known.name == "Content-Transfer-Encoding" and announces_8bit(body):
            self.encoding = True
        self.lines += text.split(b"\n")

    def header_end(self) -> None:
        pass

    def body(self, kind: int, data: bytes) -> None:
        if data:
            self.checked.append(("body", _shown(data)))
        self.lines.append(data)

    def mime_error(self, error: MimeError, text: bytes) -> None:
        pass


def _shown(data: bytes) -> str:
    return printable(data.decode("utf-8", "surrogateescape"))[:60]


_LINES: tuple[Line, ...] = (
    *(b"",) * 8, b"X-a: 1", b"X-b: 2", b" cont", b"\tcont", b"text", b"--x", b"--x", b"--x", b"--x--", b"--y", b"--y",
    b"--y--", b"--xy", b"--", b"--y: x", b"Content-Type: multipart/mixed; boundary=x",
    b'Content-Type: multipart/mixed; boundary="y"', b"Content-Type: multipart/digest; boundary=x",
    b"Content-Type: message/rfc822", b"Content-Type: message/partial", b"Content-Type: text/plain",
    b"Content-Transfer-Encoding: 8bit", b"Content-Transfer-Encoding: base64", b"content-type : MESSAGE/rfc822 ",
    b"Content-Type: multipart/mixed", b"Mime-Version: 1.0", b"Content-Foo: x", b"Content-ID: y", b"X-e\xcc: 5",
    b"X-8: \xc3\xa9", b"\xe9", b"X-long: " + b"l" * 200, b" " + b"m" * 200, b"From me", b">From you",
    b"Subject: \xff", b"a b: c", b"Bcc: q@b", b"Content-Length: 5", (L, b"part"), (L, b"X-l: 1"), (L, b"--"), (L, b"x"),
    b"Content-Transfer-Encoding: binary", b"Content-Transfer-Encoding: quoted-printable",
    b"Content-Type: message/external-body", b'Content-Type:multipart/alternative;boundary=""',
    b"Content-Type: text/html; boundary=x",
)  # fmt: skip


def _messages(count: int) -> list[list[Line]]:
    chance = random.Random("MIME")
    plain = [line for line in _LINES if isinstance(line, tuple) or line.isascii()]
    made: list[list[Line]] = []
    for number in range(count):
        pool: Sequence[Line] = _LINES if number % 3 else plain
        lines = [chance.choice(pool) for _ in range(chance.randint(1, 14))]
        if isinstance(lines[-1], tuple):
            lines.append(b"x")
        made.append([b"From: a@b.c", b"Message-Id: <x>", b"Date: x", *lines])
    return made


def test_mime_structure(new_instance: Callable[..., Instance]) -> None:
    """Which checks see which line, what is written, and what is refused.  Source: header_checks(5), postconf(5)."""
    checks = {
        "header_checks": "/^X/ INFO header\n", "mime_header_checks": "/./ INFO mime\n",
        "nested_header_checks": "/./ INFO nested\n", "body_checks": "/./ INFO body\n",
    }  # fmt: skip
    mta = new_instance(
        "reference",
        files=checks,
        main={
            **{name: f"regexp:{{dir}}/etc/{name}" for name in checks},
            "mime_nesting_limit": "4",
            "mime_boundary_length_limit": "20",
            "header_size_limit": "300",
            "strict_8bitmime": "yes",
            "strict_mime_encoding_domain": "yes",
            "inet_protocols": "ipv4",
        },
    ).start()
    messages = _messages(150)
    results = [clean(mta, lines) for lines in messages]
    theirs = checked(mta, results)
    different = []
    for lines, result in zip(messages, results, strict=True):
        sink = Sink()
        parser = MimeParser(
            sink,
            header_limit=300,
            nesting_limit=4,
            boundary_limit=20,
            strict_header=True,
            strict_body=True,
            strict_domain=True,
        )
        for line in lines:
            parser.feed(*(line if isinstance(line, tuple) else (N, line)))
        parser.end()
        ours: list[object] = [sink.checked]
        them: list[object] = [[(check, text[:60]) for check, text in theirs[result.queue_id]]]
        ours.append(f"{parser.error.code} {parser.error.text}" if parser.error else "")
        them.append(result.reason)
        if result.status == 0:
            ours += [sink.lines, sink.encoding]
            them += [result.lines, result.encoding]
        if ours != them:
            different.append(f"{lines[3:]}\n  Postfix {them}\n  pyfix   {ours}")
    assert not different, "\n".join(different)
