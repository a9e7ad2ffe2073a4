"""The LMTP client: lmtp(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, text, words
from pyfix.config.parameters.lmtp_client_sasl import LmtpClientSaslSettings
from pyfix.config.parameters.lmtp_client_tls import LmtpClientTlsSettings
from pyfix.config.parameters.smtp_client import SmtpClientSettings

__all__ = ["LmtpClientSettings"]


class LmtpClientSettings(LmtpClientTlsSettings, LmtpClientSaslSettings, SmtpClientSettings):
    """The LMTP client: lmtp(8).

    The attributes have the names of the SMTP client's, so that code for both protocols reads one name.
    """

    smtp_address_preference = text("any", name="lmtp_address_preference", minimum=1)
    """Which address family is tried first: any, ipv4 or ipv6."""

    smtp_address_verify_target = text("rcpt", name="lmtp_address_verify_target", minimum=1)
    """The command after which an address probe ends: rcpt or data."""

    smtp_balance_inet_protocols = boolean("yes", name="lmtp_balance_inet_protocols")
    """Whether both address families get their share of the tries."""

    smtp_bind_address = text("", name="lmtp_bind_address")
    """The IPv4 address to send from."""

    smtp_bind_address6 = text("", name="lmtp_bind_address6")
    """The IPv6 address to send from."""

    smtp_bind_address_enforce = boolean("no", name="lmtp_bind_address_enforce")
    """Whether mail is deferred when that address can't be had."""

    smtp_body_checks = words("", name="lmtp_body_checks")
    """Tables of patterns for the lines of bodies on their way out."""

    smtp_cname_overrides_servername = boolean("no", name="lmtp_cname_overrides_servername", deprecated="do not specify")
    """Whether a CNAME's target takes the place of the server's name."""

    smtp_connect_timeout = duration("0s", name="lmtp_connect_timeout")
    """Seconds for connecting; 0: the system's limit."""

    smtp_connection_cache_destinations = words("", name="lmtp_connection_cache_destinations")
    """The destinations whose connections are kept for more mail."""

    smtp_connection_cache_on_demand = boolean("yes", name="lmtp_connection_cache_on_demand")
    """Whether connections are kept while much mail waits for one destination."""

    smtp_connection_cache_time_limit = duration("2s", name="lmtp_connection_cache_time_limit", minimum=1)
    """Seconds that an unused connection is kept."""

    smtp_connection_reuse_count_limit = integer("0", name="lmtp_connection_reuse_count_limit")
    """Messages over one connection; 0: any number."""

    smtp_connection_reuse_time_limit = duration("300s", name="lmtp_connection_reuse_time_limit", minimum=1)
    """Seconds that a connection is used."""

    smtp_data_done_timeout = duration("600s", name="lmtp_data_done_timeout", minimum=1)
    """Seconds for sending ``.`` and for its reply."""

    smtp_data_init_timeout = duration("120s", name="lmtp_data_init_timeout", minimum=1)
    """Seconds for sending DATA and for its reply."""

    smtp_data_xfer_timeout = duration("180s", name="lmtp_data_xfer_timeout", minimum=1)
    """Seconds that sending content may stand still."""

    smtp_defer_if_no_mx_address_found = boolean("no", name="lmtp_defer_if_no_mx_address_found")
    """Whether mail is deferred when no MX host has an address."""

    smtp_delivery_status_filter = words("$default_delivery_status_filter", name="lmtp_delivery_status_filter")
    """What default_delivery_status_filter is for lmtp(8)."""

    smtp_discard_ehlo_keyword_address_maps = words("", name="lmtp_discard_lhlo_keyword_address_maps")
    """Tables from server address to the LHLO keywords that are not believed."""

    smtp_discard_ehlo_keywords = words("", name="lmtp_discard_lhlo_keywords")
    """LHLO keywords that no server is believed."""

    smtp_dns_reply_filter = words("", name="lmtp_dns_reply_filter")
    """Tables that change or drop answers of the DNS."""

    smtp_dns_resolver_options = words("", name="lmtp_dns_resolver_options")
    """Resolver options: res_defnames, res_dnsrch."""

    smtp_dns_support_level = text("", name="lmtp_dns_support_level")
    """How the DNS is used: disabled, enabled or dnssec."""

    smtp_fallback_relay = words("", name="lmtp_fallback_relay")
    """The hosts to try when no host of a destination can be reached."""

    smtp_generic_maps = words("", name="lmtp_generic_maps")
    """The tables that rewrite local addresses for the outside."""

    smtp_header_checks = words("", name="lmtp_header_checks")
    """Tables of patterns for headers on their way out."""

    smtp_host_lookup = words("dns", name="lmtp_host_lookup", minimum=1)
    """How hosts are looked up: dns, native."""

    smtp_helo_name = text("$myhostname", name="lmtp_lhlo_name", minimum=1)
    """The name for LHLO."""

    smtp_helo_timeout = duration("300s", name="lmtp_lhlo_timeout", minimum=1)
    """Seconds for sending LHLO, for the reply, and for the greeting."""

    smtp_line_length_limit = integer("998", name="lmtp_line_length_limit")
    """Bytes of a line before it is split."""

    smtp_mail_timeout = duration("300s", name="lmtp_mail_timeout", minimum=1)
    """Seconds for sending MAIL and for its reply."""

    smtp_mime_header_checks = words("", name="lmtp_mime_header_checks")
    """Tables of patterns for headers of MIME parts on their way out."""

    smtp_min_data_rate = integer("500", name="lmtp_min_data_rate", minimum=1)
    """Bytes in a second that keep a per-request deadline from running out."""

    smtp_mx_address_limit = integer("5", name="lmtp_mx_address_limit")
    """Addresses of a destination that are tried; 0: all."""

    smtp_mx_session_limit = integer("2", name="lmtp_mx_session_limit")
    """Sessions for one delivery; 0: any number."""

    smtp_nested_header_checks = words("", name="lmtp_nested_header_checks")
    """Tables of patterns for headers of attached messages on their way out."""

    smtp_per_record_deadline = text(
        "", name="lmtp_per_record_deadline", deprecated='specify "lmtp_per_request_deadline"', legacy=True
    )
    """The old name of lmtp_per_request_deadline."""

    smtp_per_request_deadline = boolean(
        "${lmtp_per_record_deadline?{$lmtp_per_record_deadline}:{no}}", name="lmtp_per_request_deadline"
    )
    """Whether time limits are for a whole command or reply instead of one read or write."""

    smtp_pix_workaround_delay_time = duration("10s", name="lmtp_pix_workaround_delay_time", minimum=1)
    """Seconds to wait before ``.`` because of certain firewalls."""

    smtp_pix_workaround_maps = words("", name="lmtp_pix_workaround_maps")
    """Tables from server address to the workarounds for it."""

    smtp_pix_workaround_threshold_time = duration("500s", name="lmtp_pix_workaround_threshold_time")
    """Seconds that mail has to wait before workarounds are used."""

    smtp_pix_workarounds = words("disable_esmtp,delay_dotcrlf", name="lmtp_pix_workarounds")
    """The workarounds: disable_esmtp, delay_dotcrlf."""

    smtp_quit_timeout = duration("300s", name="lmtp_quit_timeout", minimum=1)
    """Seconds for sending QUIT and for its reply."""

    smtp_quote_rfc821_envelope = boolean("yes", name="lmtp_quote_rfc821_envelope")
    """Whether addresses in the envelope are quoted where the standard wants it."""

    smtp_randomize_addresses = boolean("yes", name="lmtp_randomize_addresses")
    """Whether MX hosts of one preference are tried in random order."""

    smtp_rcpt_timeout = duration("300s", name="lmtp_rcpt_timeout", minimum=1)
    """Seconds for sending RCPT and for its reply."""

    smtp_reply_filter = words("", name="lmtp_reply_filter")
    """Tables that replace a server's reply before it is parsed."""

    smtp_rset_timeout = duration("20s", name="lmtp_rset_timeout", minimum=1)
    """Seconds for sending RSET and for its reply."""

    smtp_send_dummy_mail_auth = boolean("no", name="lmtp_send_dummy_mail_auth")
    """Whether MAIL says AUTH=<> after authentication."""

    smtp_send_xforward_command = boolean("no", name="lmtp_send_xforward_command")
    """Whether the server is told about the original client."""

    smtp_skip_5xx_greeting = boolean("yes", name="lmtp_skip_5xx_greeting")
    """Whether a server that greets with 5xx is passed over for the next one."""

    smtp_skip_quit_response = boolean("no", name="lmtp_skip_quit_response")
    """Whether the reply to QUIT is not waited for."""

    smtp_tcp_port = text("24", name="lmtp_tcp_port")
    """The port."""

    smtp_xforward_timeout = duration("300s", name="lmtp_xforward_timeout", minimum=1)
    """Seconds for sending XFORWARD and for its reply."""
