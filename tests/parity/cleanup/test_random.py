"""Messages made by chance: both cleanups make the same of them."""

from __future__ import annotations

import random

import pytest

from .side import Compare, CompareAll, Submission, record

HEADERS = [
    "From", "To", "Cc", "Bcc", "Subject", "Date", "Message-Id", "Resent-From", "Resent-To", "Resent-Cc",
    "Resent-Bcc", "Resent-Date", "Resent-Message-Id", "Reply-To", "Sender", "Return-Path", "Errors-To", "Received",
    "Content-Type", "Content-Transfer-Encoding", "MIME-Version", "X-Foo", "Content-Length", "Delivered-To",
    "Apparently-To", "Mail-Followup-To", "Disposition-Notification-To", "TLS-Required", "Require-TLS-ESMTP",
    "Content-Description", "from", "TO", "message-id", "Resent-Sender", "Resent-Reply-To",
]  # fmt: skip
ODD_HEADERS = ["Bad Name", "", "x y", "\u00e9", ":", "a(b)", "no-colon-line"]
ADDRESSES = [
    "a", "a@b", "a@b.c", "<a@b>", "Foo <x@y>", '"Q, r" <x>', "foo bar <x@y>", "(c) x", "x (c)", "x@y (a (b) c)",
    "g:a,b;", "g: ;", "@r:a@b", "a%b", "a!b", "a@[1.2.3.4]", '"x y"@z', "x.y.z", "a b", "<a b@c>", "<>", "", "a@",
    "@b", ",", ";", "a,,b", "a@b@c", "\u00e9@x", "\u00e9 <a@b>", '"\u00e9" <a@b>', "a\\b", '"un', "(un", "<un",
    "un>", "x:", "a:b", "user+ext@dom", "root", "postmaster", "A.B <a@b>", "x@y.", "[x]", "a..b@c", ".a@b", "a.@b",
    "-a@b", "a@b,c@d", "a; b", "undisclosed-recipients:;", "<x@y>, <z>", "'q' <q@r>", "a@b (c),(d) e@f",
    "<@a,@b:c@d>", "x@y z@w", '"a\\"b"@c', "=?utf-8?q?x?= <a@b>", "a\tb", "x@Y.Z",
    "long" + "x" * 80 + "@example.com",
]  # fmt: skip
VALUES = [
    "foo", "x y  z", "", "  ", "\u00e9", "\udce9", "a\x01b", "a\x00b", "a\rb", "8bit", "7bit", "binary", "base64",
    " 8bit ", "8BIT", "text/plain; charset=utf-8", "multipart/mixed; boundary=abc",
    'multipart/mixed; boundary="a b"', 'multipart/alternative;\n\tboundary="x1"',
    "multipart/mixed; foo=bar; boundary=(c) abc", "multipart/digest; boundary=abc", "multipart/mixed",
    "message/rfc822", "message/partial", "message/external-body", "message/global", "image/png",
    "multipart/mixed; boundary=", "MULTIPART/Mixed; BOUNDARY=abc", "no", "yes", "<a@b>", "<a@b> c", "x <a@b>",
    "<unclosed", "1.0", "Mon, 1 Jan", "x" * 300, "x" * 2050, "y\n folded\n\tmore", "z\n  \n q",
]  # fmt: skip
BODY = [
    "x", "", "hello world", "  lead", "--", "--abc", "--abc--", "--x1", "--x1--", "--a b", "--abcd", "-- abc",
    "a\rb", "\r", "\u00e9", "From x", ".", "x\x00y",
    *["y" * length for length in (9, 10, 11, 12, 13, 14, 126, 127, 128, 129, 2047, 2048)],
]  # fmt: skip
RECIPIENTS = [
    "r@x",
    "r@X",
    "R@x",
    "r",
    "",
    "a b@c",
    "\u00e9@x",
    "r%x",
    "x!y",
    "@a:b@c",
    "u1@ours.example",
    "a@b.",
    "x@localhost",
]
_SETTINGS = {
    "header_size_limit": ["45", "100", "2000"],
    "header_address_token_limit": ["1", "5", "20"],
    "mime_nesting_limit": ["1", "2", "3"],
    "mime_boundary_length_limit": ["1", "2", "3"],
    "hopcount_limit": ["1", "2", "3"],
    "message_size_limit": ["0", "5000", "9000"],
    "enable_original_recipient": ["no"],
    "always_add_missing_headers": ["yes"],
    "undisclosed_recipients_header": ["To: undisclosed-recipients:;", "X-None: x", "nothing"],
    "message_drop_headers": ["", "subject x-foo", "bcc, content-length, to"],
    "remote_header_rewrite_domain": ["", "elsewhere.example"],
    "header_from_format": ["obsolete"],
    "detect_8bit_encoding_header": ["no"],
    "disable_mime_input_processing": ["yes"],
    "strict_8bitmime": ["yes"],
    "strict_7bit_headers": ["yes"],
    "strict_8bitmime_body": ["yes"],
    "strict_mime_encoding_domain": ["yes"],
    "duplicate_filter_limit": ["0", "1", "3"],
    "empty_address_recipient": ["nobody@ours.example"],
    "queue_file_attribute_count_limit": ["1", "2", "4"],
    "delay_warning_time": ["1h"],
    "full_name_encoding_charset": ["iso-8859-1"],
    "cleanup_replace_stray_cr_lf": ["no"],
    "non_empty_end_of_header_action": ["add_header", "reject"],
    "message_strip_characters": ["\\0", "\\r\\001e"],
    "message_reject_characters": ["\\0", "\\001"],
    "append_dot_mydomain": ["yes"],
    "append_at_myorigin": ["yes", "no"],
    "swap_bangpath": ["no"],
    "allow_percent_hack": ["no"],
    "recipient_delimiter": ["+", "+-"],
    "masquerade_domains": ["ours.example", "b c.example !x.example"],
    "masquerade_exceptions": ["root, a"],
    "masquerade_classes": ["envelope_sender, envelope_recipient, header_sender, header_recipient"],
    "enable_long_queue_ids": ["yes"],
    "soft_bounce": ["yes"],
    "always_bcc": ["copy@ours.example", "copy"],
    "line_length_limit": ["512", "1000"],
    "virtual_alias_maps": ["inline:{{r@x=r@x, s}, {@b.c=@ours.example}, {a=b, c@d}}"],
    "canonical_maps": ["inline:{{r@x=q@x}, {a@b=b@a}, {@b.c=@ours.example}}"],
    "canonical_classes": ["envelope_sender", "header_sender header_recipient", "envelope_recipient"],
    "propagate_unmatched_extensions": ["", "canonical", "virtual", "canonical, virtual, alias"],
    "virtual_alias_expansion_limit": ["1", "2"],
    "virtual_alias_recursion_limit": ["1", "2"],
    "virtual_alias_address_length_limit": ["5", "12"],
    "sender_bcc_maps": ["inline:{{s@client.example=copy}}", "static:r@x"],
    "header_checks": [
        "regexp:{{/^X-Foo/ IGNORE}, {/^Subject:./ PREPEND X-P: y}, {/^Date: x/ HOLD}}", "static:{INFO all}",
        "pcre:{{/^(To|Cc):/ WARN addressed}, {/^Bcc:/ BCC hidden@x}, {/^Message-Id:/ REPLACE Message-Id: <other@id>}}",
    ],
    "mime_header_checks": ["", "regexp:{{/^Content-Type/ REPLACE X-Type: z}}", "static:{PREPEND X-Part: y}"],
    "nested_header_checks": ["", "static:IGNORE"],
    "body_checks": ["regexp:{{/hello/ WARN seen}, {/^From/ REPLACE >From}, {/^--abc/ PREPEND before}}", "static:{INFO line}"],
    "body_checks_size_limit": ["0", "1", "30"],
    "smtputf8_enable": ["no"],
    "requiretls_esmtp_header": ["no"],
    "sender_canonical_maps": ["inline:{{s@client.example=t@client.example}}"],
    "recipient_bcc_maps": ["inline:{{r@x=copy@ours.example}}"],
}
"""Values that change what cleanup does, beside the standard ones."""
_ADDRESS_HEADERS = frozenset(
    ("from", "to", "cc", "bcc", "reply-to", "sender", "errors-to", "return-path", "apparently-to", "mail-followup-to")
)


class Chance(random.Random):
    """A source of messages."""

    def configuration(self) -> dict[str, str]:
        names = self.sample(sorted(_SETTINGS), self.choice([3, 6, 12]))
        return {name: self.choice(_SETTINGS[name]) for name in names}

    def header(self) -> str:
        name = self.choice(ODD_HEADERS if self.random() < 0.06 else HEADERS)
        folded = name.lower()
        if (folded in _ADDRESS_HEADERS or folded.startswith("resent-")) and self.random() < 0.9:
            count = self.choice([0, 1, 1, 1, 2, 3, 8])
            between = self.choice([", ", ",", ",\n ", ",\n\t", " "])
            value = between.join(self.choice(ADDRESSES) for _ in range(count))
        else:
            value = self.choice(VALUES)
        colon = self.choice([": ", ": ", ": ", ":", " : ", ":  ", "\t: ", ":\n "])
        return name + (" " if self.random() < 0.03 else colon) + value

    def body_line(self) -> str:
        dice = self.random()
        if dice < 0.5:
            return self.choice(BODY)
        return self.header() if dice < 0.7 else "t" * self.randrange(90)

    def content(self) -> bytes:
        texts = ["Received: by x"] if self.random() < 0.95 else []
        for _ in range(self.choice([0, 1, 3, 6, 12])):
            texts += self.header().split("\n")
        if self.random() < 0.9:
            texts.append("")
        for _ in range(self.choice([0, 1, 4, 15, 60])):
            texts += self.body_line().split("\n")
        out = b""
        for text in texts:
            data = text.encode("utf-8", "surrogateescape")
            if data and self.random() < 0.02:
                at = self.randrange(len(data))
                out += record("L", data[:at])
                data = data[at:]
            while len(data) > 2048:
                out += record("L", data[:2048])
                data = data[2048:]
            out += record("N", data)
        return out + (record("L", "tail") if self.random() < 0.02 else b"")

    def message(self) -> bytes:
        before = []
        context = self.choice(["local"] * 5 + ["remote", ""])
        if context:
            before.append(record("A", f"rewrite_context={context}"))
        if self.random() < 0.3:
            before.append(
                record("F", self.choice(["Full Name", "a.b", "\u00e9 x", '"q"', "(x", "x" * 80, "", "x%y", "x!y"]))
            )
        if self.random() < 0.2:
            before.append(
                record("A", self.choice(["envelope_id=abc", "ret_flags=1", "encoding=8bit", "trace_flags=256", "a=b"]))
            )
        self.shuffle(before)
        sender = record(
            "S", self.choice(["s@client.example", "", "s", "a b@c", "\u00e9@x", "x@y@z", '"q"@r', "s@" + "d" * 80])
        )
        envelope = record("T", "1795400000 5") + b"".join(before) + sender
        for _ in range(self.choice([0, 1, 1, 1, 2, 5, 20])):
            if self.random() < 0.2:
                attribute = self.choice(
                    ["notify_flags=8", "notify_flags=1", "notify_flags=3", "dsn_orig_rcpt=rfc822;a@b", "x=y"]
                )
                envelope += record("A", attribute)
            if self.random() < 0.2:
                envelope += record("O", self.choice(["o@x", "O@x", "", "\u00e9"]))
            envelope += record("R", self.choice(RECIPIENTS))
        after = b""
        for _ in range(self.choice([0, 0, 0, 1, 3])):
            kind, data = self.choice(
                [("R", "late@x"), ("R", "r@x"), ("A", "encoding=7bit"), ("A", "q=r"), ("r", "rr"), ("O", "o")]
            )
            after += record(kind, data)
        return envelope + record("M") + self.content() + record("X") + after + record("E")


@pytest.mark.reference
@pytest.mark.parametrize("seed", range(25))
def test_ten_messages(compare: Compare, seed: int) -> None:
    chance = Chance(seed)
    for _ in range(10):
        flags = 4 | 16 | 32 | chance.choice([0, 2]) | chance.choice([0, 0, 256, 512, 1024])
        compare(chance.message(), flags)


@pytest.mark.reference
@pytest.mark.parametrize("seed", range(1000, 1010))
def test_messages_with_a_configuration(compare_all: CompareAll, seed: int) -> None:
    chance = Chance(seed)
    main = chance.configuration()
    messages = {}
    for number in range(60):
        flags = 4 | 16 | 32 | chance.choice([0, 2]) | chance.choice([0, 0, 256, 512, 1024])
        messages[f"{number}"] = Submission(chance.message(), flags, chunk=chance.choice([0, 0, 0, 1021, 300]))
    compare_all(messages, main=main)


@pytest.mark.reference
@pytest.mark.parametrize("name", ["message_strip_characters", "message_reject_characters"])
def test_characters_at_each_border_of_what_is_received(compare_all: CompareAll, name: str) -> None:
    text = [b"Received: x", b"Subject: x\x07y", b"To: a\x07b@c", b"", b"the\x07re", b"\x07", b"z"]
    start = record("T", "1795400000 5") + record("S", "s@x") + record("R", "r@x") + record("M")
    tail = record("X") + record("E")
    messages = {}
    for only in range(1, len(text)):
        # Of the others each comes in one piece: what is refused first would hide them.
        lines = [line if number == only else line.replace(b"\x07", b"") for number, line in enumerate(text)]
        stream = start + b"".join([record("N", line) for line in lines]) + tail
        for chunk in range(1, 40, 3):
            messages[f"{only} {chunk}"] = Submission(stream, 2 | 4 | 16 | 32, chunk=chunk)
    compare_all(messages, main={name: "\\a"})
