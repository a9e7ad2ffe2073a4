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
    smtp_address_verify_target = text("rcpt", name="lmtp_address_verify_target", minimum=1)
    smtp_balance_inet_protocols = boolean("yes", name="lmtp_balance_inet_protocols")
    smtp_bind_address = text("", name="lmtp_bind_address")
    smtp_bind_address6 = text("", name="lmtp_bind_address6")
    smtp_bind_address_enforce = boolean("no", name="lmtp_bind_address_enforce")
    smtp_body_checks = words("", name="lmtp_body_checks")
    smtp_cname_overrides_servername = boolean("no", name="lmtp_cname_overrides_servername", deprecated="do not specify")
    smtp_connect_timeout = duration("0s", name="lmtp_connect_timeout")
    smtp_connection_cache_destinations = words("", name="lmtp_connection_cache_destinations")
    smtp_connection_cache_on_demand = boolean("yes", name="lmtp_connection_cache_on_demand")
    smtp_connection_cache_time_limit = duration("2s", name="lmtp_connection_cache_time_limit", minimum=1)
    smtp_connection_reuse_count_limit = integer("0", name="lmtp_connection_reuse_count_limit")
    smtp_connection_reuse_time_limit = duration("300s", name="lmtp_connection_reuse_time_limit", minimum=1)
    smtp_data_done_timeout = duration("600s", name="lmtp_data_done_timeout", minimum=1)
    smtp_data_init_timeout = duration("120s", name="lmtp_data_init_timeout", minimum=1)
    smtp_data_xfer_timeout = duration("180s", name="lmtp_data_xfer_timeout", minimum=1)
    smtp_defer_if_no_mx_address_found = boolean("no", name="lmtp_defer_if_no_mx_address_found")
    smtp_delivery_status_filter = words("$default_delivery_status_filter", name="lmtp_delivery_status_filter")
    smtp_discard_ehlo_keyword_address_maps = words("", name="lmtp_discard_lhlo_keyword_address_maps")
    smtp_discard_ehlo_keywords = words("", name="lmtp_discard_lhlo_keywords")
    smtp_dns_reply_filter = words("", name="lmtp_dns_reply_filter")
    smtp_dns_resolver_options = words("", name="lmtp_dns_resolver_options")
    smtp_dns_support_level = text("", name="lmtp_dns_support_level")
    smtp_fallback_relay = words("", name="lmtp_fallback_relay")
    smtp_generic_maps = words("", name="lmtp_generic_maps")
    smtp_header_checks = words("", name="lmtp_header_checks")
    smtp_host_lookup = words("dns", name="lmtp_host_lookup", minimum=1)
    smtp_helo_name = text("$myhostname", name="lmtp_lhlo_name", minimum=1)
    smtp_helo_timeout = duration("300s", name="lmtp_lhlo_timeout", minimum=1)
    smtp_line_length_limit = integer("998", name="lmtp_line_length_limit")
    smtp_mail_timeout = duration("300s", name="lmtp_mail_timeout", minimum=1)
    smtp_mime_header_checks = words("", name="lmtp_mime_header_checks")
    smtp_min_data_rate = integer("500", name="lmtp_min_data_rate", minimum=1)
    smtp_mx_address_limit = integer("5", name="lmtp_mx_address_limit")
    smtp_mx_session_limit = integer("2", name="lmtp_mx_session_limit")
    smtp_nested_header_checks = words("", name="lmtp_nested_header_checks")
    smtp_per_record_deadline = text(
        "", name="lmtp_per_record_deadline", deprecated='specify "lmtp_per_request_deadline"', legacy=True
    )
    """The old name of lmtp_per_request_deadline."""
    smtp_per_request_deadline = boolean(
        "${lmtp_per_record_deadline?{$lmtp_per_record_deadline}:{no}}", name="lmtp_per_request_deadline"
    )
    smtp_pix_workaround_delay_time = duration("10s", name="lmtp_pix_workaround_delay_time", minimum=1)
    smtp_pix_workaround_maps = words("", name="lmtp_pix_workaround_maps")
    smtp_pix_workaround_threshold_time = duration("500s", name="lmtp_pix_workaround_threshold_time")
    smtp_pix_workarounds = words("disable_esmtp,delay_dotcrlf", name="lmtp_pix_workarounds")
    smtp_quit_timeout = duration("300s", name="lmtp_quit_timeout", minimum=1)
    smtp_quote_rfc821_envelope = boolean("yes", name="lmtp_quote_rfc821_envelope")
    smtp_randomize_addresses = boolean("yes", name="lmtp_randomize_addresses")
    smtp_rcpt_timeout = duration("300s", name="lmtp_rcpt_timeout", minimum=1)
    smtp_reply_filter = words("", name="lmtp_reply_filter")
    smtp_rset_timeout = duration("20s", name="lmtp_rset_timeout", minimum=1)
    smtp_send_dummy_mail_auth = boolean("no", name="lmtp_send_dummy_mail_auth")
    smtp_send_xforward_command = boolean("no", name="lmtp_send_xforward_command")
    smtp_skip_5xx_greeting = boolean("yes", name="lmtp_skip_5xx_greeting")
    smtp_skip_quit_response = boolean("no", name="lmtp_skip_quit_response")
    smtp_tcp_port = text("24", name="lmtp_tcp_port")
    smtp_xforward_timeout = duration("300s", name="lmtp_xforward_timeout", minimum=1)
