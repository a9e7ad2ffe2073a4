"""Each parameter that cleanup(8) reads, with values that change what it does: both cleanups make the same of a zoo of messages.

The configurations are services of one master.cf, each a cleanup with ``-o`` options of its own, as sites have them.
Source: postconf(5); cleanup(8), CONFIGURATION PARAMETERS.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from .side import CompareAll, Submission, lines, record

pytestmark = pytest.mark.reference

_AL = {"virtual_alias_maps": "texthash:{dir}/etc/aliases", "recipient_delimiter": "+"}
_CANON = {"recipient_delimiter": "+"}
_MASQ = "ours.example !keep.ours.example b.ours.example"
_EVERYWHERE = "envelope_sender, envelope_recipient, header_sender, header_recipient"
_CHECKED = {"body_checks": "regexp:{dir}/etc/seen"}

Options = dict[str, str]


def _each(name: str, values: tuple[str, ...], beside: Options | None = None) -> dict[str, Options]:
    return {f"{name} = {value}": {**(beside or {}), name: value} for value in values}


CONFIGURATIONS: dict[str, Options] = {
    "none": {},
    **_each("always_add_missing_headers", ("yes",)),
    **_each("always_bcc", ("copy@ours.example", "copy", "list+x@alias.example", "two@x, three@x", "<a@b>"), _AL),
    **_each("body_checks", ("regexp:{dir}/etc/seen",)),
    **_each("body_checks_size_limit", ("0", "1", "20", "600"), _CHECKED),
    **_each("canonical_classes", ("envelope_sender", "envelope_recipient", "header_sender", "header_recipient", _EVERYWHERE),
            {"canonical_maps": "texthash:{dir}/etc/canonical", **_CANON}),
    **_each("sender_canonical_classes", ("envelope_sender", "header_sender", "envelope_sender header_sender"),
            {"sender_canonical_maps": "texthash:{dir}/etc/canonical", **_CANON}),
    **_each("recipient_canonical_classes", ("envelope_recipient", "header_recipient", "envelope_recipient, header_recipient"),
            {"recipient_canonical_maps": "texthash:{dir}/etc/canonical", **_CANON}),
    "all three canonical": dict.fromkeys(("canonical_maps", "sender_canonical_maps", "recipient_canonical_maps"), "texthash:{dir}/etc/canonical"),
    **_each("cleanup_replace_stray_cr_lf", ("no",)),
    **_each("delay_warning_time", ("0", "4h", "1")),
    **_each("detect_8bit_encoding_header", ("no",)),
    **_each("disable_mime_input_processing", ("yes",), {"header_checks": "regexp:{dir}/etc/checks"}),
    **_each("disable_mime_output_conversion", ("yes",)),
    **_each("disable_verp_bounces", ("yes",)),
    **_each("duplicate_filter_limit", ("0", "1", "2", "3")),
    **_each("empty_address_recipient", ("nobody", "postmaster@x.example", "list@alias.example"), _AL),
    **_each("enable_original_recipient", ("no",), _AL),
    **_each("force_mime_input_conversion", ("yes",), {"body_checks": "regexp:{dir}/etc/seen"}),
    **_each("full_name_encoding_charset", ("iso-8859-1", "x")),
    **_each("header_address_token_limit", ("1", "5", "30")),
    **_each("header_checks", ("regexp:{dir}/etc/checks", "static:{WARN x}", "regexp:{dir}/etc/checks static:INFO")),
    **_each("header_from_format", ("obsolete", "standard")),
    **_each("header_size_limit", ("1", "20", "60", "700")),
    **_each("hopcount_limit", ("1", "2", "3")),
    **_each("local_header_rewrite_clients", ("", "permit_mynetworks")),
    **_each("masquerade_classes", ("envelope_sender", "envelope_recipient", "header_sender", "header_recipient", "", _EVERYWHERE),
            {"masquerade_domains": _MASQ}),
    **_each("masquerade_domains", (_MASQ, "!keep.ours.example ours.example", "b.ours.example ours.example", "ours.example b.ours.example",
                                   "example", "!ours.example example", "OURS.example", ".ours.example", "a.b.ours.example,b.ours.example"),
            {"masquerade_classes": _EVERYWHERE}),
    **_each("masquerade_exceptions", ("root", "ROOT, s", "inline:{{s=x}}", "user+x", "!s, static:all"),
            {"masquerade_domains": _MASQ, "masquerade_classes": _EVERYWHERE}),
    **_each("message_drop_headers", ("", "subject, x-a", "to, from, cc, date, message-id", "content-type")),
    **_each("message_reject_characters", ("\\0", "\\001", "q", "\\r\\t", "\\303")),
    **_each("message_strip_characters", ("\\0", "\\001\\r", "eo", "\\303\\251", "\\n")),
    **_each("message_size_limit", ("900", "0")),
    **_each("mime_boundary_length_limit", ("1", "3", "7")),
    **_each("mime_header_checks", ("regexp:{dir}/etc/checks", "static:IGNORE", "static:{PREPEND X-Mime: y}"), {"header_checks": ""}),
    **_each("mime_nesting_limit", ("1", "2", "3"), {"header_checks": "static:DUNNO"}),
    **_each("nested_header_checks", ("regexp:{dir}/etc/checks", "static:IGNORE", "static:{REPLACE X-Nested: y}"), {"mime_header_checks": ""}),
    **_each("non_empty_end_of_header_action", ("add_header", "reject", "fix_quietly")),
    **_each("propagate_unmatched_extensions", ("", "canonical", "virtual", "alias", "forward", "include", "generic",
                                               "canonical, virtual, alias, forward, include, generic"),
            {**_AL, "canonical_maps": "texthash:{dir}/etc/canonical"}),
    **_each("queue_file_attribute_count_limit", ("1", "3", "5")),
    **_each("recipient_bcc_maps", ("texthash:{dir}/etc/copies", "static:copy@ours.example", "texthash:{dir}/etc/copies static:two@x"), _AL),
    **_each("sender_bcc_maps", ("texthash:{dir}/etc/copies", "static:list+x@alias.example"), _AL),
    **_each("remote_header_rewrite_domain", ("", "elsewhere.example", "a b")),
    **_each("requiretls_esmtp_header", ("no", "yes")),
    **_each("soft_bounce", ("yes",), {"header_checks": "static:{REJECT no}", "hopcount_limit": "2"}),
    **_each("tls_required_enable", ("no",)),
    **_each("strict_7bit_headers", ("yes",)),
    **_each("strict_8bitmime", ("yes",)),
    **_each("strict_8bitmime_body", ("yes",)),
    **_each("strict_mime_encoding_domain", ("yes",)),
    **_each("strict_rfc821_envelopes", ("yes",)),
    **_each("undisclosed_recipients_header", ("To: undisclosed-recipients:;", "X: y", "no header", "To: a@b, c")),
    **_each("virtual_alias_address_length_limit", ("20", "21", "30"), _AL),
    **_each("virtual_alias_expansion_limit", ("1", "3", "4", "5"), _AL),
    **_each("virtual_alias_recursion_limit", ("1", "2", "3", "4"), _AL),
    **_each("virtual_alias_maps", ("texthash:{dir}/etc/aliases", "static:all@x.example", "inline:{{@b.ours.example=@c.example}}"), _CANON),
    **_each("virtual_alias_domains", ("alias.example", ""), _AL),
    **_each("owner_request_special", ("no", "yes"), {**_AL, "recipient_delimiter": "-"}),
    **_each("recipient_delimiter", ("+-", "-", "", ".+"), _AL),
    **_each("line_length_limit", ("600", "512")),
    **_each("enable_long_queue_ids", ("yes",)),
    **_each("append_dot_mydomain", ("yes", "no")),
    **_each("append_at_myorigin", ("no",)),
    **_each("allow_percent_hack", ("no",)),
    **_each("swap_bangpath", ("no",)),
    **_each("myorigin", ("elsewhere.example", "alias.example"), _AL),
    **_each("resolve_dequoted_address", ("no",)),
    **_each("smtputf8_enable", ("no",)),
    **_each("smtputf8_autodetect_classes", ("all", "sendmail")),
    "copies that are rewritten": {"always_bcc": "root", "sender_bcc_maps": "static:user@b.ours.example", "canonical_maps": "texthash:{dir}/etc/canonical"},
    "a sender's headers": {  # as docker-mailserver has it
        "header_checks": "pcre:{dir}/etc/anonymous", "mime_header_checks": "", "nested_header_checks": "",
    },
    "everything": {
        **_AL, "canonical_maps": "texthash:{dir}/etc/canonical", "masquerade_domains": _MASQ, "masquerade_classes": _EVERYWHERE,
        "always_bcc": "copy", "recipient_bcc_maps": "texthash:{dir}/etc/copies", "sender_bcc_maps": "texthash:{dir}/etc/copies",
        "header_checks": "regexp:{dir}/etc/checks", "body_checks": "regexp:{dir}/etc/seen", "always_add_missing_headers": "yes",
    },
}  # fmt: skip
FILES = {
    "aliases": "list@alias.example a@x.example, b@x.example, c@x.example, deep@alias.example\ndeep@alias.example deeper@alias.example\n"
    "deeper@alias.example deepest@alias.example\ndeepest@alias.example end@x.example\nself@alias.example self@alias.example, other@x.example\n"
    "round@alias.example again@alias.example\nagain@alias.example round@alias.example\n@wild.example @b.ours.example\n"
    "long@alias.example a-name-of-21@x.example\nlist-owner@alias.example o@x.example\nowner-list@alias.example p@x.example\n",
    "canonical": "s@b.ours.example sender@new.example\nuser@ours.example First.Last@new.example\n@b.ours.example @new.example\n"
    "root boss@new.example\nuser+known@ours.example known@new.example\n",
    "copies": "user@ours.example copy@x.example\ns@b.ours.example scopy@x.example\n@alias.example domain@x.example\nuser+x@ours.example extended\n"
    "root rootcopy@x.example\n",
    "checks": "/^Subject: .*two/ PREPEND X-Before: y\n/^X-A:/ REPLACE X-B: z\n/^Content-Description/ WARN described\n/^Received:.*gone/ IGNORE\n"
    "/^Subject: held/ HOLD\n/^Subject: copied/ BCC hidden@x.example\n",
    "seen": "/./ WARN seen\n",
    "anonymous": "/^\\s*Received:[^\\n]*(.*)/ REPLACE Received: from [127.0.0.1] (localhost [127.0.0.1])$1\n/^\\s*User-Agent/ IGNORE\n"
    "/^\\s*X-Mailer/ IGNORE\n/^\\s*X-Originating-IP/ IGNORE\n",
}  # fmt: skip
LOOKED_AT = 2 | 4 | 16 | 32
T, M, X, E = record("T", "1795400000 123456"), record("M"), record("X"), record("E")
LOCAL, REMOTE = record("A", "rewrite_context=local"), record("A", "rewrite_context=remote")
CLIENT = record("A", "log_client_name=c.example") + record("A", "log_client_address=192.0.2.1") + record("A", "log_helo_name=helo")
E_ACUTE = "\u00e9".encode()

ADDRESSES = (
    b"From: S <s@b.ours.example>, root\nTo: user@ours.example, User <user+ext@ours.example>, user+known@ours.example,\n u@keep.ours.example\n"
    b"Cc: root@a.b.ours.example, x@sub.keep.ours.example, list@alias.example, a%b@ours.example, h!u, bare, dotted@host, <>\n"
    b"Reply-To: s@a.b.ours.example\nDate: d\nMessage-Id: <m@x>\n\nhi\n"
)
MULTI = (
    b"From: a@b\nSubject: one two\nX-A: q\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=abcd12345\n\npreamble\n--abcd12345\n"
    b"Content-Description: part\nX-A: p\n\ntext\n--abcd12345\nContent-Type: message/rfc822\n\nSubject: inner two\nX-A: n\n"
    b"Content-Type: multipart/mixed; boundary=in\n\n--in\nContent-Description: deep\n\n" + E_ACUTE + b"deep\n--in--\n--abcd12345--\nend\n"
)
CONTENTS = {
    "addresses": ADDRESSES,
    "resent": b"From: a@b.ours.example\nResent-From: s@b.ours.example\nResent-To: root\nResent-Cc: user@ours.example\nTo: root\n\nhi\n",
    "parts": MULTI,
    "no header": b"\nhello\n",
    "no end": b"Subject: held\nnot a header\nmore\n",
    "copied": b"Subject: copied\nReceived: gone\nUser-Agent: x\nX-Mailer: y\nX-Originating-IP: [1.2.3.4]\n\nhi\n",
    "8-bit": b"Subject: " + E_ACUTE + b"\nTo: " + E_ACUTE + b" <u@x>\nContent-Type: text/plain\n\n" + E_ACUTE + b" t\xc3\n",
    "no UTF-8": b"Subject: a \xe9 two\nX-A: \xe9\nTo: \xe9 <u@x>\n\nbody \xe9\n\xff\n",
    "8-bit, said": b"Subject: x\nContent-Transfer-Encoding: 8bit\nMIME-Version: 1.0\n\n" + E_ACUTE + b"\n",
    "domain": b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdA==\n",
    "odd characters": b"Subject: a\x01b\x00c\rd\nX-A: tab\tx\n\nre\x01x\x00y\rz\nlast\r\n",
    "hops": b"Received: gone\nReceived: b\nReceived: c\nSubject: x\n\nhi\n",
    "long": b"Subject: " + b"s" * 700 + b"\nX-A: " + b"a" * 70 + b"\n\n" + b"b" * 700 + b"\n" + b"line\n" * 30,
    "tls": b"TLS-Required: no\nRequire-TLS-ESMTP: yes\nX-A: z\n\nhi\n",
    "many": b"To: " + b", ".join(b"u%d" % number for number in range(12)) + b"\n\nhi\n",
}
RECIPIENTS = [
    "user@ours.example", "user+ext@ours.example", "user+x@ours.example", "root", "list@alias.example", "list+ext@alias.example",
    "self@alias.example", "round@alias.example", "long@alias.example", "u@a.b.ours.example", "u@A.b.oURS.example", "u@keep.ours.example", "x@wild.example",
    "list-owner@alias.example", "owner-list@alias.example", "list-ext@alias.example", "\u00e9@ours.example", "a%b@ours.example", "h!u",
]  # fmt: skip


def _messages() -> dict[str, Submission]:
    made = {}
    one = record("S", "s@b.ours.example") + record("R", "user+ext@ours.example")
    for name, content in CONTENTS.items():
        text = M + lines(b"Received: by x", *content.removesuffix(b"\n").split(b"\n")) + X + E
        made[f"{name}, local"] = Submission(T + LOCAL + one + text, LOOKED_AT)
        if name in ("addresses", "no header", "8-bit", "tls"):
            made[f"{name}, remote"] = Submission(T + REMOTE + CLIENT + one + text, LOOKED_AT)
    plain = M + lines(b"Received: by x", b"Subject: x", b"", b"hi")
    for recipient in RECIPIENTS:
        told = record("A", "notify_flags=2") + record("A", "dsn_orig_rcpt=rfc822;o@o") + record("O", "orig@x")
        envelope = T + record("S", "root@a.b.ours.example") + told + record("R", recipient) + plain
        made[f"to {recipient}"] = Submission(envelope + X + E, LOOKED_AT)
    all_of = b"".join(record("R", recipient) for recipient in ("root", "root", "user@ours.example", "root", "user@ours.example", ""))
    late = record("R", "user@ours.example") + record("R", "late@x.example")
    attributes = b"".join(record("A", f"n{number}=v") for number in range(4))
    made["several"] = Submission(T + attributes + record("S", "") + all_of + plain + X + late + E, LOOKED_AT)
    made["a full name"] = Submission(T + record("F", "Full \u00e9 (N)") + one + plain + X + E, LOOKED_AT | 1024)
    made["full name, odd sender"] = Submission(T + record("F", 'A "b"') + record("S", "s") + record("R", "root") + plain + X + E, LOOKED_AT)
    abroad = T + record("S", "\u00e9@b.ours.example") + record("R", "\u00e9@ours.example")
    for flags in (LOOKED_AT, LOOKED_AT | 256, LOOKED_AT | 512):
        made[f"international {flags}"] = Submission(abroad + plain + X + E, flags)
    made["of pickup"] = Submission(T + one + plain + X + E, LOOKED_AT | 1)
    made["unlooked at"] = Submission(T + one + plain + X + E, 4)
    return made


@pytest.mark.parametrize("part", range(4))
def test_parameters(compare_all: CompareAll, part: int) -> None:
    chosen = list(CONFIGURATIONS.items())[part::4]
    services, messages = {}, {}
    for number, (name, options) in enumerate(chosen):
        arguments = " ".join(f"-o {{ {option} = {value} }}" for option, value in options.items())
        services[f"c{number}"] = f"c{number} unix n - n - 0 cleanup {arguments}"
        for text, message in _messages().items():
            messages[f"{name}: {text}"] = replace(message, service=f"c{number}")
    compare_all(messages, services=services, main={"max_idle": "3s"}, files=FILES)
