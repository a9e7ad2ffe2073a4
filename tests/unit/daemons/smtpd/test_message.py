"""What cleanup(8) gets beside the content; that it is what Postfix's smtpd sends is in tests/parity/smtpd."""

from __future__ import annotations

from typing import Any

import pytest

from pyfix.protocols.internal import cleanup as flags

from .fakes import Conversation, converse

ENVELOPE = ["EHLO client.test", "MAIL FROM:<a@x.test>", "RCPT TO:<user@ours.example>"]
BODY = b"Subject: hi\r\n\r\nbody\r\n.\r\n"


def attributes(found: Conversation) -> list[str]:
    return [data.decode() for kind, data in found.messages[-1].records if kind == "A"]


def header(found: Conversation) -> list[str]:
    """Return the lines before the client's own."""
    lines = [data.decode() for kind, data in found.messages[-1].records if kind == "N"]
    return lines[: lines.index("Subject: hi")]


def message(monkeypatch: Any, *envelope: str, **named: Any) -> Conversation:
    found = converse(monkeypatch, *(envelope or ENVELOPE), "DATA", BODY, **named)
    assert found.replies[-1] == "250 2.0.0 Ok: queued as ABCDEF1234", found.replies
    return found


def test_attributes_in_their_order(monkeypatch: Any) -> None:
    assert attributes(message(monkeypatch)) == [
        "log_ident=ABCDEF1234", "rewrite_context=remote", "log_client_name=client.example",
        "log_client_address=198.51.100.7", "log_client_port=1234", "log_message_origin=client.example[198.51.100.7]",
        "log_helo_name=client.test", "log_protocol_name=ESMTP", "client_name=client.example",
        "reverse_client_name=client.example", "client_address=198.51.100.7", "client_port=1234",
        "server_address=198.51.100.1", "server_port=25", "helo_name=client.test", "protocol_name=ESMTP",
        "client_address_type=2", "dsn_orig_rcpt=rfc822;user@ours.example",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mail", "there"),
    [
        ("MAIL FROM:<a@x> BODY=8BITMIME", ["encoding=8bit"]), ("MAIL FROM:<a@x> BODY=7BIT", ["encoding=7bit"]),
        ("MAIL FROM:<a@x> RET=FULL ENVID=a+2Bb", ["ret_flags=1", "envelope_id=a+b"]),
        ("MAIL FROM:<a@x> AUTH=<>", []),
    ],
)  # fmt: skip
def test_parameters_of_mail(monkeypatch: Any, mail: str, there: list[str]) -> None:
    found = attributes(message(monkeypatch, "EHLO x", mail, ENVELOPE[2]))
    assert [one for one in there if not any(has.startswith(one) for has in found)] == []


def test_parameters_of_rcpt(monkeypatch: Any) -> None:
    found = message(monkeypatch, *ENVELOPE[:2], f"{ENVELOPE[2]} NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o+40x")
    assert attributes(found)[-2:] == ["notify_flags=6", "dsn_orig_rcpt=rfc822;o@x"]


def test_the_received_header(monkeypatch: Any) -> None:
    lines = header(message(monkeypatch))
    assert lines[:2] == ["Received: from client.test (client.example [198.51.100.7])", "\tby mail.ours.example (Postfix) with ESMTP id ABCDEF1234"]
    assert lines[2].startswith("\tfor <user@ours.example>; ") and len(lines) == 3


@pytest.mark.parametrize(
    ("envelope", "named", "line"),
    [
        (["HELO h", *ENVELOPE[1:]], {}, "\tby mail.ours.example (Postfix) with SMTP id ABCDEF1234"),
        (ENVELOPE[1:], {}, "Received: from client.example (client.example [198.51.100.7])"),
        (["EHLO x", "MAIL FROM:<a@x> SMTPUTF8", ENVELOPE[2]], {}, "\tby mail.ours.example (Postfix) with UTF8SMTP id ABCDEF1234"),
        (ENVELOPE, {"address": "2001:db8::1"}, "Received: from client.test (client.example [IPv6:2001:db8::1])"),
        (ENVELOPE, {"main": {"smtpd_hide_client_session": "yes"}}, "Received: by mail.ours.example (Postfix) id ABCDEF1234"),
        ([*ENVELOPE, ENVELOPE[2]], {}, "\tby mail.ours.example (Postfix) with ESMTP id ABCDEF1234;"),
    ],
)
def test_forms_of_the_received_header(monkeypatch: Any, envelope: list[str], named: dict[str, Any], line: str) -> None:
    assert line in header(message(monkeypatch, *envelope, **named))


def test_a_client_that_has_logged_in(monkeypatch: Any) -> None:
    main = {"smtpd_authorized_xclient_hosts": "198.51.100.7", "smtpd_sasl_authenticated_header": "yes"}
    found = message(monkeypatch, "XCLIENT LOGIN=joe", *ENVELOPE, main=main)
    assert "\t(Authenticated sender: joe)" in header(found)
    assert "\tby mail.ours.example (Postfix) with ESMTPA id ABCDEF1234" in header(found)
    assert {"sasl_method=XCLIENT", "sasl_username=joe"} <= set(attributes(found))


def test_orders_of_access_tables(monkeypatch: Any) -> None:
    values = ["HOLD", "FILTER smtp:x", "REDIRECT other@x", "BCC copy@x", "PREPEND X-A: b"]
    tables = ", ".join(f"check_recipient_access inline:{{{{user@ours.example = {value}}}}}" for value in values)
    found = message(monkeypatch, main={"smtpd_recipient_restrictions": tables})
    records = found.messages[0].records
    kinds = [kind for kind, _data in records]
    assert records[kinds.index("M") - 1] == ("f", b"4"), "held"
    assert header(found)[0] == "X-A: b"
    after = records[kinds.index("X") + 1 :]
    assert after == [
        ("L", b"smtp:x"), (">", b"other@x"), ("R", b"copy@x"), ("A", b"notify_flags=1"), ("f", b"4"), ("E", b""),
    ]  # fmt: skip


def test_discarding(monkeypatch: Any) -> None:
    main = {"smtpd_recipient_restrictions": "check_recipient_access inline:{user@ours.example=DISCARD}"}
    assert ("f", b"8") in message(monkeypatch, main=main).messages[0].records


@pytest.mark.parametrize(
    ("envelope", "main", "bits"),
    [
        (ENVELOPE, {}, flags.FILTER | flags.BCC_OK | flags.MAP_OK | flags.SMTP_REPLY),
        (ENVELOPE, {"receive_override_options": "no_address_mappings"}, flags.FILTER | flags.SMTP_REPLY),
        (["EHLO x", "MAIL FROM:<a@x> SMTPUTF8", ENVELOPE[2]], {"receive_override_options": "no_address_mappings"},
         flags.FILTER | flags.SMTP_REPLY | flags.SMTPUTF8),
    ],
)  # fmt: skip
def test_flags(monkeypatch: Any, envelope: list[str], main: dict[str, str], bits: int) -> None:
    assert message(monkeypatch, *envelope, main=main).flags == [bits]


def test_verp(monkeypatch: Any) -> None:
    main = {"smtpd_authorized_verp_clients": "198.51.100.7"}
    for word, delimiters in (("XVERP", b"+="), ("XVERP=-=", b"-=")):
        found = message(monkeypatch, "EHLO x", f"MAIL FROM:<a@x> {word}", ENVELOPE[2], main=main)
        assert ("V", delimiters) in found.messages[0].records
