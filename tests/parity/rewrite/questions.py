"""Configurations, and the addresses that each of them is asked about."""

from __future__ import annotations

import random

FILES = {
    "transport": """\
user@elsewhere.example\tfirst:one
user+ext@elsewhere.example\tsecond:
elsewhere.example\tthird:
.elsewhere.example\tfourth:four
hop.example :nexthop
same.example :
[192.0.2.1] fifth:
MAILER-DAEMON@mail.ours.example sixth:
user@local.example\tseventh:x
alias.example never:
mailbox.example eighth:
sub.relay.example ninth:
refused.example error:
told.example error:5.7.1 we do not like it
later.example retry:
b\u00fccher.example tenth:
"two words"@local.example eleventh:
""",
    "relocated": """\
old@local.example new1
old new2
@alias.example 5.1.6 new3
old@mailbox.example new4
old@elsewhere.example new5
-dash@elsewhere.example new6
""",
    "sender": """\
user@elsewhere.example [host]:26
@elsewhere.example other:
plain DUNNO
@local.example DUNNO
"two words"@local.example third:z
<> null:
""",
}

CONFIGURATIONS: dict[str, str] = {
    "plain": "",
    "null domain": "resolve_null_domain = yes",
    "numeric domain": "resolve_numeric_domain = yes",
    "dash user": "allow_min_user = yes",
    "no percent": "allow_percent_hack = no",
    "no bang": "swap_bangpath = no",
    "neither": "swap_bangpath = no\nallow_percent_hack = no",
    "append dot": "append_dot_mydomain = yes",
    "old default": "compatibility_level = 0",
    "no origin": "append_at_myorigin = no",
    "no dequoting": "resolve_dequoted_address = no",
    "other origin": "myorigin = origin.example",
    "remote domain": "remote_header_rewrite_domain = remote.invalid\nappend_dot_mydomain = yes",
    "relayhost": "relayhost = [gateway.example]:587",
    "transports": (
        "local_transport = one\nvirtual_transport = two:\nrelay_transport = three:x\ndefault_transport = four:"
    ),
    "errors": (
        "local_transport = error:no\nvirtual_transport = error\nrelay_transport = retry:5.0.0 x\n"
        "default_transport = error"
    ),
    "null transports": "default_transport = :x\nlocal_transport = :\nrelay_transport = :\nvirtual_transport = :",
    "transport": "transport_maps = texthash:{dir}/transport",
    "transport wildcard": "transport_maps = texthash:{dir}/transport, inline:{*=star:foo}\nrelayhost = gateway.example",
    "transport wildcard none": "transport_maps = inline:{*=:}\nrelayhost = gateway.example",
    "transport parents": "transport_maps = texthash:{dir}/transport\nparent_domain_matches_subdomains = transport_maps",
    "transport regexp": "transport_maps = regexp:{dir}/patterns",
    "relocated": "relocated_maps = texthash:{dir}/relocated",
    "relocated bare": "relocated_maps = texthash:{dir}/relocated\nrelocated_prefix_enable = no",
    "sender relayhost": "sender_dependent_relayhost_maps = texthash:{dir}/sender\nrelayhost = gateway.example",
    "sender transport": "sender_dependent_default_transport_maps = texthash:{dir}/sender\nrelayhost = gateway.example",
    "sender both": (
        "sender_dependent_default_transport_maps = texthash:{dir}/sender\n"
        "sender_dependent_relayhost_maps = texthash:{dir}/sender\nrelay_transport = relay:hop"
    ),
    "sender null key": (
        "sender_dependent_relayhost_maps = texthash:{dir}/sender\n"
        "empty_address_relayhost_maps_lookup_key = user@elsewhere.example"
    ),
    "delimiters": "recipient_delimiter = +-\ntransport_maps = texthash:{dir}/transport",
    "empty recipient": "empty_address_recipient = postmaster",
    "empty recipient elsewhere": "empty_address_recipient = postmaster@elsewhere.example",
    "host not local": "mydestination = local.example",
    "nothing local": "mydestination =",
    "negated": "mydestination = $myhostname, !localhost, inline:{local.example=x}",
    "listed twice": (
        "virtual_alias_domains = alias.example, local.example, mailbox.example\n"
        "relay_domains = relay.example, alias.example, mailbox.example"
    ),
    "listed twice, told nothing": "virtual_alias_domains = alias.example, local.example\nhelpful_warnings = no",
    "unnamed table": "show_user_unknown_table_name = no",
    "exact relay": "parent_domain_matches_subdomains =",
    "proxy interface": "proxy_interfaces = 192.0.2.1",
    "verify": (
        "address_verify_relayhost = probe.example\naddress_verify_default_transport = probe\n"
        "address_verify_local_transport = probe:local\n"
        "address_verify_transport_maps = inline:{elsewhere.example=probe:}\n"
        "address_verify_virtual_transport = probe:virtual\naddress_verify_relay_transport = probe:relay\n"
        "transport_maps = texthash:{dir}/transport\nrelayhost = gateway.example"
    ),
    "failing destination": "mydestination = fail:x",
    "failing alias": "virtual_alias_domains = fail:x",
    "failing mailbox": "virtual_mailbox_domains = fail:x",
    "failing relay": "relay_domains = fail:x",
    "failing transport": "transport_maps = fail:x",
    "failing relocated": "relocated_maps = fail:x",
    "failing sender relayhost": "sender_dependent_relayhost_maps = fail:x\nrelay_transport = relay:hop",
    "failing sender transport": "sender_dependent_default_transport_maps = fail:x",
}

_PATTERNS = "/^user@(.*)$/ first:$1\n/^\\*$/ star:\n/elsewhere/ second:\n"
FILES["patterns"] = _PATTERNS

_DOMAINS = (
    "@local.example", "@alias.example", "@mailbox.example", "@relay.example", "@sub.relay.example",
    "@elsewhere.example", "@sub.elsewhere.example", "@localhost", "@[127.0.0.1]", "@[192.0.2.1]", "", "@", "@short",
    "@LOCAL.example.", "@hop.example", "@same.example", "@refused.example", "@told.example", "@later.example",
    "@b\u00fccher.example", "@127.0.0.1", "@192.0.2.1", "@bad..example", "@.bad", "@-bad", "@[bad]", "@[IPv6:::1]",
    "@x_y.example",
)  # fmt: skip
_USERS = ("user", "user+ext", "old", "old+x", "-dash", "two words", "\u00e9", "owner-x", "postmaster")
ODD = (
    "", "@", "@@", "user@", "site!user", "site!deep!user", "user%site", "user%deep%site", "site!user%other",
    "site!user@local.example", "user%site@local.example", "user@site@local.example", "user@site@elsewhere.example",
    "user%site@elsewhere.example", "site!user@elsewhere.example", "user@local.example@local.example",
    "user%local.example@local.example", "@local.example", "@elsewhere.example", "@a.example,@b.example:user@c.example",
    "@a.example:user@local.example", "@a.example:user", "%site@local.example", "user%@local.example",
    "!user@local.example", "user!@local.example", "user@@local.example", '"quoted"@elsewhere.example',
    '"a%b"@local.example', '"a!b"@local.example', "a\\%b@local.example", "a b!c@local.example", "a b%c@local.example",
    "(comment)user@local.example", "user(comment)@elsewhere.example", "user@(comment)elsewhere.example",
    "a,b@elsewhere.example", "<user@elsewhere.example>", "user@elsewhere.example;", "user@[127.0.0.1].",
    "user@local.example..", "user@elsewhere.example.", "MAILER-DAEMON", "double-bounce@elsewhere.example",
    ".dot@elsewhere.example", "two..dots@elsewhere.example", "!a b", "!!x y", "local.example!x y", "a!b c",
    "user@[127.0.0.1]@local.example", "user@" + "x" * 260, "a@b!c@local.example", "user@short.", "user%%local.example",
    "user@elsewhere.example (comment)", "user \t@elsewhere.example", "a\\@b@local.example", "user@b\u00fccher..example",
)  # fmt: skip
SENDERS = ("", "user@elsewhere.example", "user+ext@elsewhere.example", "other@elsewhere.example", "plain@local.example",
           "two words@local.example")  # fmt: skip

Question = tuple[str, str, str]
"""Request, sender or rewriting context, address."""


def questions(seed: str) -> list[Question]:
    """Return what to ask: all odd addresses, and a choice of the others that depends on *seed*."""
    chance = random.Random(seed)
    usual = [user + domain for user in _USERS for domain in _DOMAINS]
    addresses = [*ODD, *(chance.choice(_USERS[:2]) + domain for domain in _DOMAINS), *chance.sample(usual, 60)]
    asked: list[Question] = []
    for address in addresses:
        request = chance.choice(("resolve", "resolve", "verify"))
        asked.append((request, chance.choice(SENDERS), address))
        asked.append(("rewrite", chance.choice(("local", "remote")), address))
    return asked
