"""Restrictions at every stage, and what access tables say."""

from __future__ import annotations

import pytest

from tests.kit.smtp import Line

from .conftest import LENIENT, Compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

STAGES = ["client", "helo", "sender", "relay", "recipient", "data", "end_of_data", "etrn"]
RCPT: list[Line] = ["EHLO c.test", "MAIL FROM:<s@x.test>", "RCPT TO:<user@ours.example>"]
FULL: list[Line] = [
    *RCPT, "RCPT TO:<u@elsewhere.example>", "RCPT TO:<nobody@ours.example>", "DATA", b"x\r\n.\r\n", "RSET",
    "ETRN ours.example", "QUIT",
]  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("verdict", ["reject", "defer"])
def test_each_stage(same_dialogue: Compare, stage: str, verdict: str) -> None:
    same_dialogue(*FULL, main=LENIENT | {f"smtpd_{stage}_restrictions": verdict})


@pytest.mark.parametrize("stage", STAGES[:3])
def test_without_delay(same_dialogue: Compare, stage: str) -> None:
    same_dialogue(*FULL, main=LENIENT | {f"smtpd_{stage}_restrictions": "reject", "smtpd_delay_reject": "no"})


@pytest.mark.parametrize(
    "main",
    [
        {"smtpd_client_restrictions": "warn_if_reject reject, warn_if_reject, defer_if_permit"},
        {"smtpd_recipient_restrictions": "warn_if_reject, reject_unauth_destination, foo"},
        {"smtpd_sender_restrictions": "defer_if_permit"},
        {"smtpd_sender_restrictions": "defer_if_reject"},
        {"smtpd_sender_restrictions": "defer_if_reject, reject"},
        {"smtpd_sender_restrictions": "defer_if_reject, defer_if_permit, permit"},
        {"smtpd_relay_restrictions": "defer_unauth_destination"},
        {"smtpd_relay_restrictions": "defer_if_reject, reject_unauth_destination"},
        {"smtpd_helo_restrictions": "foo_bar"},
        {"smtpd_helo_restrictions": "check_helo_access"},
        {"smtpd_recipient_restrictions": "sleep x"},
        {"smtpd_data_restrictions": "reject_multi_recipient_bounce, reject_unauth_pipelining"},
        {"smtpd_reject_unlisted_recipient": "no"},
        {"smtpd_reject_unlisted_sender": "yes"},
        {"smtpd_recipient_restrictions": "reject_unlisted_recipient, permit", "show_user_unknown_table_name": "no"},
        {"soft_bounce": "yes", "smtpd_sender_restrictions": "check_sender_access inline:{x.test=reject}"},
        {"smtpd_sender_restrictions": "check_sender_access fail:x"},
        {"smtpd_recipient_restrictions": "permit_auth_destination, reject", "smtpd_log_access_permit_actions": "static:x"},
    ],
    ids=str,
)
def test_lists(same_dialogue: Compare, main: dict[str, str]) -> None:
    same_dialogue(*FULL, main=LENIENT | main)


@pytest.mark.parametrize("name", ["reject_invalid_helo_hostname", "reject_non_fqdn_helo_hostname"])
def test_names_of_helo(same_dialogue: Compare, name: str) -> None:
    lines = []
    for helo in ("foo", "-x", "[1.2.3]", "[1.2.3.4]", "1.2.3.4", "a_b.c", "a.b.", "\u00e9.b", "[IPv6:::1]", "[::1]", "::1",
                 "a%b.c", "[a.b]", "a..b", "x" * 64 + ".y"):  # fmt: skip
        lines += [f"HELO {helo}", "MAIL FROM:<>", "RCPT TO:<user@ours.example>"]
    same_dialogue(*lines, main=LENIENT | {"smtpd_recipient_restrictions": name})


def test_domains_of_addresses(same_dialogue: Compare) -> None:
    main = LENIENT | {
        "smtpd_relay_restrictions": "permit",
        "smtpd_recipient_restrictions": "reject_non_fqdn_sender, reject_non_fqdn_recipient, permit_auth_destination, defer",
    }
    lines = []
    for sender in ("a@b", "a", "a@b.c", "a@[1.2.3.4]", "", "a@b.c.", "postmaster"):
        lines += ["RSET", f"MAIL FROM:<{sender}>", "RCPT TO:<user@ours.example>"]
    for recipient in ("user", "user@ours", "postmaster", "user@[127.0.0.1]", "user@[1.2.3.4]", "user@foo."):
        lines += ["RSET", "MAIL FROM:<a@b.c>", f"RCPT TO:<{recipient}>"]
    same_dialogue(*lines, main=main)


ADDRESSES = [
    "ok@relay.example", "ok+x@relay.example", "no@relay.example", "ok@alias.example", "no@alias.example",
    "moved@ours.example", "joe", "joe@mail.ours.example", "joe+a@localhost", "JOE@mail.ours.example", "ann", "jim",
    "jim@mail.ours.example", "canon@ours.example", "recan@mail.ours.example", "old@ours.example", "user+ext@ours.example",
    "USER@OURS.example", "user%elsewhere@ours.example", "elsewhere!user@ours.example", "user@elsewhere@ours.example",
    "joe@[127.0.0.1]", "jim@[127.0.0.1]", "double-bounce@ours.example", "postmaster", "PostMaster", "a@a.example",
    "b@b.example", "c@c.example", "d@d.example", "gone@ours.example",
]  # fmt: skip


def test_unlisted_recipients(same_dialogue: Compare) -> None:
    main = LENIENT | {
        "relay_domains": "relay.example a.example b.example c.example d.example",
        "relay_recipient_maps": "inline:{ok@relay.example=x, @other=x}",
        "virtual_alias_domains": "alias.example",
        "virtual_alias_maps": "inline:{ok@alias.example=foo, moved@ours.example=q}",
        "local_recipient_maps": "inline:{joe=x, ann@mail.ours.example=y}",
        "canonical_maps": "inline:{canon@ours.example=z, recan=f}",
        "relocated_maps": "inline:{old@ours.example=new@place}",
        "recipient_delimiter": "+",
        "transport_maps": "inline:{{a.example=error:5.1.1 no such}, {b.example=error:no such}, "
        "{c.example=retry:4.3.0 later}, {d.example=error:}, {gone@ours.example=error:5.9.9 gone}}",
    }
    same_dialogue("EHLO x", "MAIL FROM:<a@b>", *[f"RCPT TO:<{address}>" for address in ADDRESSES], main=main)


ACTIONS = [
    "OK", "ok text", "RELAY", "DUNNO", "dunno x", "REJECT", "REJECT text here", "REJECT 5.2.3 text", "REJECT 4.2.3 text",
    "DEFER", "DEFER later", "550", "550 5.9.1 text", "450 4.1.1", "550 4.1.1 x", "399 x", "12345", "0", "HOLD why",
    "WARN look", "WARN", "INFO note", "FILTER foo", "FILTER smtp:", "FILTER", "REDIRECT nobody", "REDIRECT a@b", "BCC x",
    "BCC x@y", "PREPEND X: y", "PREPEND foo", "PREPEND", "permit", "reject", "reject_unauth_destination", "foo", "hash:/x",
    "DELAY 1h", "Hold", "permit, reject", "warn_if_reject reject", "200 ok", "550x", "DEFER_IF_PERMIT text",
    "DEFER_IF_REJECT x", "DISCARD why",
]  # fmt: skip


def test_actions(same_dialogue: Compare) -> None:
    table = "".join(f"u{number}@ours.example {action}\n" for number, action in enumerate(ACTIONS))
    main = LENIENT | {
        "smtpd_recipient_restrictions": "check_recipient_access texthash:{dir}/etc/access, reject",
        "virtual_mailbox_maps": "static:x",
    }
    lines = [f"RCPT TO:<u{number}@ours.example>" for number in range(len(ACTIONS))]
    same_dialogue("EHLO c", "MAIL FROM:<a@b.c>", *lines, main=main, files={"access": table})


@pytest.mark.parametrize("action", ["421 4.3.2 off", "521 bye", "HANGUP"])
def test_actions_that_end_the_session(same_dialogue: Compare, action: str) -> None:
    main = {"smtpd_recipient_restrictions": f"check_recipient_access inline:{{{{user@ours.example={action}}}}}"}
    same_dialogue(*RCPT, "NOOP", main=main)


def test_keys(same_dialogue: Compare) -> None:
    main = LENIENT | {
        "smtpd_helo_restrictions": "check_helo_access inline:{{c.test=554 helo}}",
        "smtpd_sender_restrictions": "check_sender_access inline:{{b.c=dunno}, {x.y=554 xy}, {.sub.z=554 dotsub}, "
        "{sub2.z=554 sub2}, {root@=554 rootat}, {<> = 554 null}, {plus@p.q=554 plus}, {lit@[1.2.3.4]=554 lit}, "
        "{[1.2.3.5]=554 lit2}}",
        "recipient_delimiter": "+",
    }
    lines = ["HELO x.c.test", "MAIL FROM:<a@x.y>", "RCPT TO:<user@ours.example>", "HELO other"]
    for sender in ("a@w.x.y", "a@a.sub.z", "a@a.sub2.z", "root@q", "root+x@q", "", "plus+foo@p.q", "Plus@P.Q", "a@b.c",
                   "lit@[1.2.3.4]", "lit@[1.2.3.5]"):  # fmt: skip
        lines += ["RSET", f"MAIL FROM:<{sender}>", "RCPT TO:<user@ours.example>"]
    same_dialogue(*lines, main=main)


@pytest.mark.parametrize("key", ["192.0.2.66", "192.0.2", "192", "bad.client", "client", "other"])
def test_keys_of_clients(same_dialogue: Compare, key: str) -> None:
    main = LENIENT | {"smtpd_client_restrictions": f"check_client_access inline:{{{{{key}=554 found}}}}"}
    same_dialogue("XCLIENT ADDR=192.0.2.66 NAME=bad.client", *RCPT, main=main)


def test_restriction_classes(same_dialogue: Compare) -> None:
    main = LENIENT | {
        "smtpd_restriction_classes": "strict, lax",
        "strict": "reject_non_fqdn_helo_hostname, reject",
        "lax": "permit",
        "smtpd_sender_restrictions": "check_sender_access inline:{x.test=strict, y.test=lax}",
        "smtpd_recipient_restrictions": "lax",
    }
    same_dialogue(*RCPT, "RSET", "MAIL FROM:<a@y.test>", "RCPT TO:<user@ours.example>", "QUIT", main=main)

