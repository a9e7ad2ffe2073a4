"""What cleanup takes at one glance, envelope and header, is what it makes of it record by record: the same file and log."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.cleanup import content, envelope
from pyfix.daemons.cleanup.session import Session
from pyfix.daemons.cleanup.setup import Setup
from pyfix.formats.attributes import encode_pairs
from pyfix.formats.records import encode_record
from pyfix.queue.nameless import forget_folders
from pyfix.queue.spool import Spool
from pyfix.queue.writer import QueueFileWriter
from pyfix.rewriting.standard import StandardForm
from pyfix.runtime.log import log
from pyfix.runtime.task import run_now

SETTINGS = {"myhostname": "mail.ours.example", "mydomain": "ours.example", "compatibility_level": "3.11"}
CONFIGURATIONS: list[dict[str, str]] = [
    {},
    {},
    {"message_drop_headers": "received, subject, x-a, to, content-type", "hopcount_limit": "3"},
    {"header_size_limit": "100", "header_address_token_limit": "5", "line_length_limit": "512"},
    {"force_mime_input_conversion": "yes", "always_add_missing_headers": "yes", "queue_file_attribute_count_limit": "4"},
    {"undisclosed_recipients_header": "To: x:;", "detect_8bit_encoding_header": "no", "strict_8bitmime_body": "yes"},
]
NAMES = st.sampled_from([
    b"From", b"To", b"Cc", b"Bcc", b"Subject", b"X-A", b"X-B", b"Date", b"Message-Id", b"Received", b"MIME-Version",
    b"Content-Type", b"Content-Transfer-Encoding", b"Resent-To", b"Resent-From", b"Resent-Message-Id", b"Sender", b"TO", b"subject",
    b"Return-Path", b"TLS-Required", b"Require-TLS-ESMTP", b"Content-Length", b"\xc3\xa9", b"a b", b"",
])  # fmt: skip
ADDRESSES = [
    b"a", b"a@b.example", b"Foo <x@y>", b'"q, r" <x@y>', b"(c) x", b"x (a (b) c)", b"g: a, b;", b"x:;", b"=?utf-8?q?a=2Cb?= <x@y>",
    b"\xc3\xa9 <a@b>", b"\xe9@x", b"<>", b"<a", b'"un', b"a" * 90 + b"@x.example", b"@r:a@b", b"a@b@c",
]  # fmt: skip
VALUES = st.one_of(
    st.lists(st.sampled_from(ADDRESSES), max_size=6).map(b", ".join),
    st.lists(st.sampled_from(ADDRESSES), max_size=6).map(b",\n ".join),
    st.lists(st.sampled_from(ADDRESSES), max_size=3).map(b",\n\t".join),
    st.binary(max_size=60),
    st.sampled_from([
        b"", b"8bit", b"7bit", b"base64", b"no", b"yes", b"<a@b>", b"multipart/mixed; boundary=b", b"message/rfc822", b"a\0b", b"a\rb",
        b"x" * 125, b"x" * 127, b"x" * 150, b"x" * 2040, b"x" * 2100, b"x\n  \n y", b"z\n" + b" " * 130, b"\xc3\xa9" * 70,
    ]),
)  # fmt: skip
HEADERS = st.builds(
    lambda name, colon, value: name + colon + value, NAMES, st.sampled_from([b": "] * 6 + [b":", b" : ", b":\n ", b""]), VALUES
)
BODIES = st.lists(
    st.one_of(HEADERS, st.binary(max_size=140), st.sampled_from([b"", b"--b", b"--b--", b"\xe9", b"x" * 3000, b"a\rb"])), max_size=6
)
CLIENT = [
    b"log_ident=ABC", b"rewrite_context=local", b"log_client_name=localhost", b"log_client_address=127.0.0.1", b"client_port=25",
    b"log_message_origin=a[b]", b"helo_name=A\nB", b"protocol_name=ESMTP", b"x=y", b"client_name= z", b"encoding=8bit", b"server_port=",
    b"client_name=A\x05a_b=x", b"sasl_username=\xc3\xa9", b"rewrite_context=remote", b"trace_flags=4", b"envelope_id=e", b"helo_name=" + b"h" * 130,
]  # fmt: skip
DETAILS = st.sampled_from([
    b"dsn_orig_rcpt=rfc822;a@b", b"dsn_orig_rcpt=rfc822;a b", b"dsn_orig_rcpt=", b"notify_flags=1", b"notify_flags=9", b"x=y", b"client_port=1",
])  # fmt: skip
RECIPIENTS = st.sampled_from([b"r@x.example", b"R@X.example", b"r", b"a b@c", b"", b"\xc3\xa9@x", b"a%b", b"a@[1.2.3.4]", b"a@b.", b"l" * 130 + b"@x"])


def encoded(kind: str, texts: list[bytes]) -> bytes:
    """Encode records of one type."""
    return b"".join([encode_record(ord(kind), text) for text in texts])


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Return the records of a message that is near to what smtpd(8) sends."""
    client = draw(st.one_of(st.just(CLIENT[:8]), st.lists(st.sampled_from(CLIENT), max_size=8).map(lambda more: CLIENT[:2] + more)))
    start = encode_record(0x54, draw(st.sampled_from([b"1795400000 5", b"1795400000 5", b"1795400000", b"0 5"])))
    place = draw(st.sampled_from([2, 2, len(client)]))
    whole = start + encoded("A", client[:place]) + encode_record(0x53, draw(RECIPIENTS)) + encoded("A", client[place:])
    for recipient in draw(st.lists(RECIPIENTS, max_size=4)):
        whole += encoded("A", draw(st.lists(DETAILS, max_size=2))) + encoded("O", draw(st.lists(RECIPIENTS, max_size=1)))
        whole += encode_record(0x52, recipient)
    headers = [b"Received: by x\n\tid y", *draw(st.lists(HEADERS, max_size=8))]
    texts = [line for text in headers for line in text.split(b"\n")]
    if draw(st.booleans()) or draw(st.booleans()):
        texts.append(b"")
    return whole + b"M\0" + encoded("N", texts + draw(BODIES)) + b"X\0E\0"


@contextmanager
def the_long_way() -> Iterator[None]:
    """Let nothing be taken at a glance."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content, "scan_header", lambda *_arguments: None)
        patch.setattr(envelope, "take_beginning", lambda *_arguments: 0)
        patch.setattr(envelope, "take_run", lambda _known, _attributes, _limit, _data, position: position)
        patch.setattr(envelope, "_match_orcpt", lambda _payload: None)
        patch.setattr(envelope, "add_plain_recipient", lambda *_arguments: False)
        patch.setattr(envelope._Envelope, "plain_sender", lambda *_arguments: False)
        patch.setattr(StandardForm, "external_now", lambda *_arguments: None)
        yield


class _Stream:
    def __init__(self, data: bytes) -> None:
        self._chunks = [data]
        self.written = b""

    async def read(self) -> bytes:
        return self._chunks.pop() if self._chunks else b""

    def write(self, data: bytes) -> None:
        self.written += data

    def send_early(self) -> None:
        """What is written has arrived."""


class _Commit:
    async def sync(self, fd: int) -> None:
        pass


async def _ask(context: str, address: str) -> str:
    return f"{address}@mail.ours.example" if address and "@" not in address and context == "local" else address


def outcome(folder: str, stream: bytes, main: dict[str, str]) -> tuple[bytes, bytes, list[bytes]]:
    """Bring records to cleanup; return its answer, the queue file and the log, without times and queue ids."""
    said: list[str] = []
    client = _Stream(encode_pairs([("flags", "50")]) + stream)
    setup = Setup(CleanupSettings(Snapshot(SETTINGS | main | {"enable_long_queue_ids": "no"})), StandardForm(_ask))
    file = QueueFileWriter.create(Spool(("deferred", "defer"), 1, folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log, "_log", lambda severity, text: said.append(f"{severity} {text}"))
        try:
            run_now(Session(client, setup, file, _Commit(), lambda: None).run())  # type: ignore[arg-type]  # fakes with what it needs
        finally:
            file.close()
            forget_folders()
    path = Path(folder, "incoming", file.queue_id)
    found = path.read_bytes() if path.exists() else b""
    path.unlink(missing_ok=True)

    def plain(data: bytes) -> bytes:
        data = re.sub(rb"(20[0-9]{12}\.)?" + file.queue_id.encode(), b"ID", data)
        return re.sub(rb"create_time=[0-9]+", b"create_time=T", data)

    answer = client.written.partition(b"\0\0")[2]
    return plain(answer), plain(found), [plain(text.encode("utf-8", "surrogateescape")) for text in said]


@pytest.fixture(scope="module")
def folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        for queue in ("incoming", "hold", "defer", "bounce", "trace"):
            Path(name, queue).mkdir()
        yield name


@settings(max_examples=250, deadline=None)
@given(stream=messages(), main=st.sampled_from(CONFIGURATIONS))
def test_both_ways(folder: str, stream: bytes, main: dict[str, str]) -> None:
    quick = outcome(folder, stream, main)
    with the_long_way():
        assert quick == outcome(folder, stream, main)


def test_a_usual_message_goes_the_quick_way(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If not, nothing here would be shown."""
    monkeypatch.setattr(content, "MimeParser", None)
    monkeypatch.delattr(envelope._Envelope, "attribute")
    stream = encode_record(0x54, b"1795400000 5") + encoded("A", CLIENT[:2]) + encode_record(0x53, b"s@x")
    stream += encoded("A", [*CLIENT[2:6], CLIENT[7], b"dsn_orig_rcpt=rfc822;r@x.example"]) + encoded("O", [b"r@x.example"]) + encoded("R", [b"r@x.example"])
    stream += b"M\0" + encoded("N", [b"Received: by x", b"\tid y", b"Subject: x", b"", b"Hi"]) + b"X\0E\0"
    answer, found, _ = outcome(folder, stream, {})
    assert answer.startswith(b"status\x000\0") and b"Subject: x" in found
