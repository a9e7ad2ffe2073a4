"""Who we are: names, domains, accounts and networks."""

from __future__ import annotations

from pyfix.config.host import host_domain, host_networks, host_qualified_name
from pyfix.config.parameter import boolean, integer, text, text_or_file, words
from pyfix.config.snapshot import Settings

__all__ = ["IdentitySettings"]


class IdentitySettings(Settings):
    """Who we are: names, domains, accounts and networks."""

    address_verify_negative_cache = boolean("yes")
    compatibility_level = text("0")
    default_privs = text("nobody", minimum=1)
    default_verp_delimiters = text("+=", minimum=2, maximum=2)
    double_bounce_sender = text("double-bounce", minimum=1)
    enable_idna2003_compatibility = boolean("no")
    inet_interfaces = words("all")
    inet_protocols = words("all")
    known_tcp_ports = words("lmtp=24, smtp=25, smtps=submissions=465, submission=587")
    mail_name = text("Postfix", minimum=1)
    mail_owner = text("postfix", minimum=1)
    mail_release_date = text("20260907", minimum=1)
    mail_version = text("3.11.7", minimum=1)
    mydestination = words("$myhostname, localhost.$mydomain, localhost")
    mydomain = text(host_domain, minimum=1)
    myhostname = text(host_qualified_name, minimum=1)
    mynetworks = words(host_networks)
    mynetworks_style = text("${{$compatibility_level} <level {2} ? {subnet} : {host}}", minimum=1)
    myorigin = text_or_file("$myhostname", minimum=1)
    owner_request_special = boolean("yes")
    parent_domain_matches_subdomains = words(
        "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients"
        ",relay_domains,smtpd_access_maps"
    )
    proxy_interfaces = words("")
    recipient_delimiter = text("")
    relay_domains = words("${{$compatibility_level} <level {2} ? {$mydestination} : {}}")
    relayhost = text("")
    requiretls_enable = boolean("yes")
    respectful_logging = boolean("${{$compatibility_level} <level {3.6} ? {no} : {yes}}")
    setgid_group = text("postdrop", minimum=1)
    smtputf8_autodetect_classes = words("sendmail, verify", minimum=1)
    smtputf8_enable = boolean("${{$compatibility_level} <level {1} ? {no} : {yes}}")
    soft_bounce = boolean("no")
    strict_smtputf8 = boolean("no")
    tcp_windowsize = integer("0")
    tls_required_enable = boolean("yes")
    verp_delimiter_filter = text("-=+", minimum=1)
