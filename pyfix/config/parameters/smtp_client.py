"""The SMTP client: smtp(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, text, words
from pyfix.config.parameters.address_mappings import AddressMappingSettings
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.notification import NotificationSettings
from pyfix.config.parameters.queue_times import QueueTimeSettings
from pyfix.config.parameters.sender_rewriting import SenderRewritingSettings
from pyfix.config.parameters.smtp_client_sasl import SmtpClientSaslSettings
from pyfix.config.parameters.smtp_client_tls import SmtpClientTlsSettings
from pyfix.config.parameters.smtp_transport import SmtpTransportSettings
from pyfix.config.parameters.tls import TlsSettings
from pyfix.config.parameters.tls_sessions import TlsSessionSettings

__all__ = ["SmtpClientSettings"]


class SmtpClientSettings(
    SmtpClientTlsSettings,
    SmtpClientSaslSettings,
    SmtpTransportSettings,
    TlsSettings,
    TlsSessionSettings,
    AddressMappingSettings,
    NotificationSettings,
    QueueTimeSettings,
    SenderRewritingSettings,
    MailSettings,
):
    """The SMTP client: smtp(8)."""

    fallback_relay = text("", deprecated='specify "smtp_fallback_relay"', legacy=True)
    """The old name of smtp_fallback_relay."""

    ignore_mx_lookup_error = boolean("no", readers="smtp")
    """Whether a failed MX lookup means that the domain itself is the host."""

    smtp_address_preference = text("any", minimum=1)
    """Which address family is tried first: any, ipv4 or ipv6."""

    smtp_address_verify_target = text("rcpt", minimum=1)
    """The command after which an address probe ends: rcpt or data."""

    smtp_always_send_ehlo = boolean("yes", readers="smtp")
    """Whether EHLO is sent even when the greeting does not say ESMTP."""

    smtp_balance_inet_protocols = boolean("yes")
    """Whether both address families get their share of the tries."""

    smtp_bind_address = text("")
    """The IPv4 address to send from."""

    smtp_bind_address6 = text("")
    """The IPv6 address to send from."""

    smtp_bind_address_enforce = boolean("no")
    """Whether mail is deferred when that address can't be had."""

    smtp_body_checks = words("")
    """Tables of patterns for the lines of bodies on their way out."""

    smtp_cname_overrides_servername = boolean("no", deprecated="do not specify")
    """Whether a CNAME's target takes the place of the server's name."""

    smtp_connect_timeout = duration("30s")
    """Seconds for connecting; 0: the system's limit."""

    smtp_connection_cache_destinations = words("")
    """The destinations whose connections are kept for more mail."""

    smtp_connection_cache_on_demand = boolean("yes")
    """Whether connections are kept while much mail waits for one destination."""

    smtp_connection_cache_time_limit = duration("2s", minimum=1)
    """Seconds that an unused connection is kept."""

    smtp_connection_reuse_count_limit = integer("0")
    """Messages over one connection; 0: any number."""

    smtp_connection_reuse_time_limit = duration("300s", minimum=1)
    """Seconds that a connection is used."""

    smtp_data_done_timeout = duration("600s", minimum=1)
    """Seconds for sending ``.`` and for its reply."""

    smtp_data_init_timeout = duration("120s", minimum=1)
    """Seconds for sending DATA and for its reply."""

    smtp_data_xfer_timeout = duration("180s", minimum=1)
    """Seconds that sending content may stand still."""

    smtp_defer_if_no_mx_address_found = boolean("no")
    """Whether mail is deferred when no MX host has an address."""

    smtp_delivery_status_filter = words("$default_delivery_status_filter")
    """What default_delivery_status_filter is for smtp(8)."""

    smtp_discard_ehlo_keyword_address_maps = words("")
    """Tables from server address to the EHLO keywords that are not believed."""

    smtp_discard_ehlo_keywords = words("")
    """EHLO keywords that no server is believed."""

    smtp_dns_reply_filter = words("")
    """Tables that change or drop answers of the DNS."""

    smtp_dns_resolver_options = words("")
    """Resolver options: res_defnames, res_dnsrch."""

    smtp_dns_support_level = text("")
    """How the DNS is used: disabled, enabled or dnssec."""

    smtp_fallback_relay = words("$fallback_relay")
    """The hosts to try when no host of a destination can be reached."""

    smtp_generic_maps = words("")
    """The tables that rewrite local addresses for the outside."""

    smtp_header_checks = words("")
    """Tables of patterns for headers on their way out."""

    smtp_helo_name = text("$myhostname", minimum=1)
    """The name for HELO and EHLO."""

    smtp_helo_timeout = duration("300s", minimum=1)
    """Seconds for sending HELO or EHLO, for the reply, and for the greeting."""

    smtp_host_lookup = words("dns", minimum=1)
    """How hosts are looked up: dns, native."""

    smtp_line_length_limit = integer("998")
    """Bytes of a line before it is split."""

    smtp_mail_timeout = duration("300s", minimum=1)
    """Seconds for sending MAIL and for its reply."""

    smtp_mime_header_checks = words("")
    """Tables of patterns for headers of MIME parts on their way out."""

    smtp_min_data_rate = integer("500", minimum=1)
    """Bytes in a second that keep a per-request deadline from running out."""

    smtp_mx_address_limit = integer("5")
    """Addresses of a destination that are tried; 0: all."""

    smtp_mx_session_limit = integer("2")
    """Sessions for one delivery; 0: any number."""

    smtp_nested_header_checks = words("")
    """Tables of patterns for headers of attached messages on their way out."""

    smtp_never_send_ehlo = boolean("no", readers="smtp")
    """Whether only HELO is sent."""

    smtp_per_record_deadline = text("", deprecated='specify "smtp_per_request_deadline"', legacy=True)
    """The old name of smtp_per_request_deadline."""

    smtp_per_request_deadline = boolean("${smtp_per_record_deadline?{$smtp_per_record_deadline}:{no}}")
    """Whether time limits are for a whole command or reply instead of one read or write."""

    smtp_pix_workaround_delay_time = duration("10s", minimum=1)
    """Seconds to wait before ``.`` because of certain firewalls."""

    smtp_pix_workaround_maps = words("")
    """Tables from server address to the workarounds for it."""

    smtp_pix_workaround_threshold_time = duration("500s")
    """Seconds that mail has to wait before workarounds are used."""

    smtp_pix_workarounds = words("disable_esmtp,delay_dotcrlf")
    """The workarounds: disable_esmtp, delay_dotcrlf."""

    smtp_quit_timeout = duration("300s", minimum=1)
    """Seconds for sending QUIT and for its reply."""

    smtp_quote_rfc821_envelope = boolean("yes")
    """Whether addresses in the envelope are quoted where the standard wants it."""

    smtp_randomize_addresses = boolean("yes")
    """Whether MX hosts of one preference are tried in random order."""

    smtp_rcpt_timeout = duration("300s", minimum=1)
    """Seconds for sending RCPT and for its reply."""

    smtp_reply_filter = words("")
    """Tables that replace a server's reply before it is parsed."""

    smtp_rset_timeout = duration("20s", minimum=1)
    """Seconds for sending RSET and for its reply."""

    smtp_send_dummy_mail_auth = boolean("no")
    """Whether MAIL says AUTH=<> after authentication."""

    smtp_send_xforward_command = boolean("no")
    """Whether the server is told about the original client."""

    smtp_skip_5xx_greeting = boolean("yes")
    """Whether a server that greets with 5xx is passed over for the next one."""

    smtp_skip_quit_response = boolean("yes")
    """Whether the reply to QUIT is not waited for."""

    smtp_tcp_port = text("smtp")
    """The port."""

    smtp_xforward_timeout = duration("300s", minimum=1)
    """Seconds for sending XFORWARD and for its reply."""
