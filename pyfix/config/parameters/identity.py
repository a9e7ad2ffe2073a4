"""Who we are: names, domains, accounts and networks."""

from __future__ import annotations

from pyfix.config.host import host_domain, host_networks, host_qualified_name
from pyfix.config.parameter import boolean, integer, text, text_or_file, words
from pyfix.config.snapshot import Settings

__all__ = ["IdentitySettings"]


class IdentitySettings(Settings):
    """Who we are: names, domains, accounts and networks."""

    address_verify_negative_cache = boolean("yes")
    """Whether the outcome of a failed address probe is remembered."""

    compatibility_level = text("0")
    """Which defaults apply: those of the named version or later ones."""

    default_privs = text("nobody", minimum=1)
    """The account whose rights local(8) uses for files and commands of addresses that no account owns."""

    default_verp_delimiters = text("+=", minimum=2, maximum=2)
    """The two characters that separate recipient parts in a VERP sender."""

    double_bounce_sender = text("double-bounce", minimum=1)
    """The local part of the sender of mail that must not bounce."""

    enable_idna2003_compatibility = boolean("no")
    """Whether internationalised names are turned to ASCII by the rules of 2003.

    Without effect, as in Postfix with an ICU of today.
    """

    inet_interfaces = words("all")
    """The addresses on which mail is received, by name or number, or ``all`` or ``loopback-only``."""

    inet_protocols = words("all")
    """Which of ipv4 and ipv6 to use, or ``all``."""

    known_tcp_ports = words("lmtp=24, smtp=25, smtps=submissions=465, submission=587")
    """Port numbers of service names that the host's own list may lack."""

    mail_name = text("Postfix", minimum=1)
    """What the system calls itself in greetings and Received: headers."""

    mail_owner = text("postfix", minimum=1)
    """The account that owns the queue and runs most daemons."""

    mail_release_date = text("20260907", minimum=1)
    """When this version was released, as yyyymmdd."""

    mail_version = text("3.11.7", minimum=1)
    """The version of Postfix that this system behaves as."""

    mydestination = words("$myhostname, localhost.$mydomain, localhost")
    """The domains whose mail goes to local_transport: names, files and tables."""

    mydomain = text(host_domain, minimum=1)
    """The domain of this host."""

    myhostname = text(host_qualified_name, minimum=1)
    """The full name of this host."""

    mynetworks = words(host_networks)
    """The clients to trust: network blocks, files and tables."""

    mynetworks_style = text("${{$compatibility_level} <level {2} ? {subnet} : {host}}", minimum=1)
    """How to work out mynetworks when it is not set: host, subnet or class."""

    myorigin = text_or_file("$myhostname", minimum=1)
    """The domain that is appended to addresses without one; or a file whose first line is that domain."""

    owner_request_special = boolean("yes")
    """Whether owner-x and x-request are never taken for user and extension."""

    parent_domain_matches_subdomains = words(
        "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients"
        ",relay_domains,smtpd_access_maps"
    )
    """The parameters in which ``example.com`` also means its subdomains."""

    proxy_interfaces = words("")
    """Addresses on which a proxy or address translator receives mail for this host."""

    recipient_delimiter = text("")
    """The characters any of which separates a user name from its extension; empty for none."""

    relay_domains = words("${{$compatibility_level} <level {2} ? {$mydestination} : {}}")
    """The domains for which mail is relayed; also the default of the relay address class."""

    relayhost = text("")
    """The next hop of mail for everywhere else; empty: ask the DNS."""

    requiretls_enable = boolean("yes")
    """Whether REQUIRETLS (RFC 8689) is offered and obeyed."""

    respectful_logging = boolean("${{$compatibility_level} <level {3.6} ? {no} : {yes}}")
    """Whether log lines say allowlist and denylist where they once used other words."""

    setgid_group = text("postdrop", minimum=1)
    """The group of the set-gid commands and of the directories that users may write to through them."""

    smtputf8_autodetect_classes = words("sendmail, verify", minimum=1)
    """Mail from where is examined for a need of SMTPUTF8."""

    smtputf8_enable = boolean("${{$compatibility_level} <level {1} ? {no} : {yes}}")
    """Whether internationalised addresses and headers are supported (RFC 6531)."""

    soft_bounce = boolean("no")
    """Whether each permanent failure is treated as a temporary one, for trying out a configuration."""

    strict_smtputf8 = boolean("no")
    """Whether non-ASCII addresses are accepted only in transactions that ask for SMTPUTF8."""

    tcp_windowsize = integer("0")
    """The size of TCP buffers in bytes, against routers that break window scaling; 0: the system's."""

    tls_required_enable = boolean("yes")
    """Whether ``TLS-Required: no`` (RFC 8689) is obeyed."""

    verp_delimiter_filter = text("-=+", minimum=1)
    """The characters that VERP delimiters may be."""
