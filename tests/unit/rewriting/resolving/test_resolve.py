from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.rewriting.resolving.address_class import AddressClasses
from pyfix.rewriting.resolving.local_domain import LocalDomains
from pyfix.rewriting.resolving.resolve import Resolver
from pyfix.rewriting.resolving.rewrite import Rewriter

from .conftest import now

Make = Callable[[str], RewriteSettings]
Answer = tuple[str, str, str, int]

UNKNOWN = ("CHANNEL NOT UPDATED", "NEXTHOP NOT UPDATED")


def resolve(settings: RewriteSettings, address: str, sender: str = "", *, verify: bool = False) -> Answer:
    resolver = Resolver(settings, Rewriter(settings), LocalDomains(settings), AddressClasses(settings), time.monotonic)
    now(resolver.prepare())
    reply = now(resolver.resolve(sender, address, verify=verify))
    assert reply.flags == 0
    return reply.transport, reply.nexthop, reply.recipient, reply.resolve_flags


@pytest.mark.parametrize(
    "address, answer",
    [  # what Postfix's trivial-rewrite answered
        ("u@local.example", ("local", "mail.ours.example", "u@local.example", 256)),
        ("u", ("local", "mail.ours.example", "u@mail.ours.example", 256)),
        ("", ("local", "mail.ours.example", "MAILER-DAEMON@mail.ours.example", 256)),
        ("u@[127.0.0.1]", ("local", "mail.ours.example", "u@[127.0.0.1]", 256)),
        ("u@alias.example", ("error", "5.1.1 User unknown in virtual alias table", "u@alias.example", 512)),
        ("u@mailbox.example", ("virtual", "mailbox.example", "u@mailbox.example", 1024)),
        ("u@sub.relay.example", ("relay", "sub.relay.example", "u@sub.relay.example", 2048)),
        ("u@x.test", ("smtp", "x.test", "u@x.test", 4096)),
        ("u@X.test.", ("smtp", "X.test", "u@X.test", 4096)),
        ("u@[192.0.2.1]", ("smtp", "[192.0.2.1]", "u@[192.0.2.1]", 4096)),
        ("u@", (*UNKNOWN, "u@", 4100)),
        ("@", (*UNKNOWN, "MAILER-DAEMON@", 4100)),
        ("u@192.0.2.1", (*UNKNOWN, "u@192.0.2.1", 4100)),
        ("u@x..y", (*UNKNOWN, "u@x..y", 4100)),
        ("-u@x.test", ("smtp", "x.test", "-u@x.test", 4100)),
        ("a!b@local.example", ("smtp", "a", "b@a", 4096)),
        ("a%b@local.example", ("smtp", "b", "a@b", 4096)),
        ("a@b@local.example", ("smtp", "b", "a@b", 4096)),
        ("a@b@x.test", ("smtp", "x.test", "a@b@x.test", 4098)),
        ("a%b@x.test", ("smtp", "x.test", "a%b@x.test", 4098)),
        ("u%local.example@local.example", ("local", "mail.ours.example", "u@local.example", 256)),
        ("a b@local.example", ("local", "mail.ours.example", "a b@local.example", 256)),
        ("a b%c@local.example", ("smtp", "c", "a b@c", 4096)),
        ("@a:u@local.example", ("local", "mail.ours.example", "u@mail.ours.example", 256)),
        ("@local.example", ("local", "mail.ours.example", "MAILER-DAEMON@local.example", 256)),
        ("@x.test", ("smtp", "x.test", "@x.test", 4096)),
        ("a@b@", ("smtp", "b", "a@b", 4096)),
        ("u@(c)x.test", (*UNKNOWN, "u@(c) x.test", 4100)),
    ],
)
def test_defaults(settings_of: Make, address: str, answer: Answer) -> None:
    assert resolve(settings_of(""), address) == answer


@pytest.mark.parametrize(
    "main, address, answer",
    [
        ("resolve_null_domain = yes", "u@", ("local", "mail.ours.example", "u@mail.ours.example", 256)),
        ("resolve_numeric_domain = yes", "u@192.0.2.1", ("smtp", "[192.0.2.1]", "u@[192.0.2.1]", 4096)),
        ("resolve_numeric_domain = yes", "u@127.0.0.1", ("local", "mail.ours.example", "u@[127.0.0.1]", 256)),
        ("allow_min_user = yes", "-u@x.test", ("smtp", "x.test", "-u@x.test", 4096)),
        ("allow_percent_hack = no", "a%b", ("local", "mail.ours.example", "a%b@mail.ours.example", 258)),
        ("resolve_dequoted_address = no", "a@b@local.example",
         ("local", "mail.ours.example", "a@b@local.example", 258)),
        ("relayhost = [gw.test]:25", "u@x.test", ("smtp", "[gw.test]:25", "u@x.test", 4096)),
        ("relayhost = [gw.test]:25", "u@relay.example", ("relay", "[gw.test]:25", "u@relay.example", 2048)),
        ("relayhost = gw\ndefault_transport = uucp:host", "u@x.test", ("uucp", "host", "u@x.test", 4096)),
        ("local_transport = lt", "u@local.example", ("lt", "local.example", "u@local.example", 256)),
        ("show_user_unknown_table_name = no", "u@alias.example",
         ("error", "5.1.1 User unknown", "u@alias.example", 512)),
        ("proxy_interfaces = 192.0.2.1", "u@[192.0.2.1]",
         ("local", "mail.ours.example", "u@[192.0.2.1]", 256)),
        ("empty_address_recipient = p@x.test", "@local.example", ("smtp", "x.test", "p@x.test", 4096)),
        ("mydestination = local.example", "u", ("smtp", "mail.ours.example", "u@mail.ours.example", 4096)),
        ("smtputf8_enable = no", "u@b\u00fccher.example", (*UNKNOWN, "u@b\u00fccher.example", 4100)),
    ],
)  # fmt: skip
def test_settings(settings_of: Make, main: str, address: str, answer: Answer) -> None:
    assert resolve(settings_of(main), address) == answer


@pytest.mark.parametrize(
    "sender, answer",
    [
        ("s@s.test", ("tr1", "hop1")), ("t@s.test", ("tr2", "r2:26")), ("q@t.test", ("smtp", "gw")),
        ("", ("nullt", "gw")),
    ],
)  # fmt: skip
def test_sender_dependent(settings_of: Make, sender: str, answer: tuple[str, str]) -> None:
    settings = settings_of(
        "sender_dependent_default_transport_maps = "
        "inline:{s@s.test=tr1:hop1, @s.test=tr2, <>=nullt, @t.test=DUNNO}\n"
        "sender_dependent_relayhost_maps = inline:{s@s.test=[sr], @s.test=r2:26}\nrelayhost = gw"
    )
    assert resolve(settings, "u@x.test", sender)[:2] == answer


def test_verify_has_parameters_of_its_own(settings_of: Make) -> None:
    settings = settings_of(
        "relayhost = gw\naddress_verify_relayhost =\naddress_verify_transport_maps = inline:{a.b=t:h}"
    )
    assert resolve(settings, "u@x.test")[:2] == ("smtp", "gw")
    assert resolve(settings, "u@x.test", verify=True)[:2] == ("smtp", "x.test")
    assert resolve(settings, "u@a.b")[:2] == ("smtp", "gw")
    assert resolve(settings, "u@a.b", verify=True)[:2] == ("t", "h")


@pytest.mark.parametrize(
    "main, address, answer",
    [
        ("mydestination = fail:x", "u@x.test", (*UNKNOWN, "NEXTRCPT NOT UPDATED", 8)),
        ("virtual_alias_domains = fail:x", "u@x.test", (*UNKNOWN, "u@x.test", 8)),
        ("relay_domains = fail:x", "u@x.test", (*UNKNOWN, "u@x.test", 8)),
        ("transport_maps = fail:x", "-u@x.test", ("smtp", "x.test", "-u@x.test", 4104)),
        ("relocated_maps = fail:x", "u@alias.example",
         ("error", "5.1.1 User unknown in virtual alias table", "u@alias.example", 520)),
        ("sender_dependent_relayhost_maps = fail:x\nrelay_transport = a:b", "u@relay.example",
         ("a:b", "NEXTHOP NOT UPDATED", "u@relay.example", 2056)),
        ("sender_dependent_default_transport_maps = fail:x", "u@x.test", (*UNKNOWN, "u@x.test", 8)),
        ("default_transport = :x", "u@x.test", ("", "x", "u@x.test", 4104)),
    ],
)  # fmt: skip
def test_failures(settings_of: Make, main: str, address: str, answer: Answer, logged: list[str]) -> None:
    assert resolve(settings_of(main), address) == answer
    assert logged


def test_null_transport_is_named(settings_of: Make, logged: list[str]) -> None:
    settings = settings_of("default_transport = :x")
    resolve(settings, "u@x.test", verify=True)
    path = f"{settings.snapshot.config_directory}/main.cf"
    assert logged == [
        f"warning: file {path}: parameter address_verify_default_transport: null transport is not allowed"
    ]


def test_domain_in_two_classes_is_told(settings_of: Make, logged: list[str]) -> None:
    lists = "virtual_alias_domains = a.test, local.example\nrelay_domains = a.test"
    resolve(settings_of(lists), "u@a.test")
    resolve(settings_of(lists), "u@local.example")
    resolve(settings_of(lists + "\nhelpful_warnings = no"), "u@a.test")
    assert logged == [
        "warning: do not list domain a.test in BOTH virtual_alias_domains and relay_domains",
        "warning: do not list domain local.example in BOTH mydestination and virtual_alias_domains",
    ]


def test_endless_routes_end(settings_of: Make, logged: list[str]) -> None:
    address = "u" + "%local.example" * 200
    resolve(settings_of(""), address)
    assert logged == [f"warning: resolve_addr: <{address}>: giving up after 100 iterations"]
