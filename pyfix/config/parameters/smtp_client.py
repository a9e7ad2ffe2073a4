"""The SMTP client: smtp(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, text, words
from pyfix.config.parameters.address_mappings import AddressMappingSettings
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.notification import NotificationSettings
from pyfix.config.parameters.queue_times import QueueTimeSettings
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
    MailSettings,
):
    """The SMTP client: smtp(8)."""

    fallback_relay = text("", deprecated='specify "smtp_fallback_relay"', legacy=True)
    """The old name of smtp_fallback_relay."""
    ignore_mx_lookup_error = boolean("no")
    smtp_address_preference = text("any", minimum=1)
    smtp_address_verify_target = text("rcpt", minimum=1)
    smtp_always_send_ehlo = boolean("yes")
    smtp_balance_inet_protocols = boolean("yes")
    smtp_bind_address = text("")
    smtp_bind_address6 = text("")
    smtp_bind_address_enforce = boolean("no")
    smtp_body_checks = words("")
    smtp_cname_overrides_servername = boolean("no", deprecated="do not specify")
    smtp_connect_timeout = duration("30s")
    smtp_connection_cache_destinations = words("")
    smtp_connection_cache_on_demand = boolean("yes")
    smtp_connection_cache_time_limit = duration("2s", minimum=1)
    smtp_connection_reuse_count_limit = integer("0")
    smtp_connection_reuse_time_limit = duration("300s", minimum=1)
    smtp_data_done_timeout = duration("600s", minimum=1)
    smtp_data_init_timeout = duration("120s", minimum=1)
    smtp_data_xfer_timeout = duration("180s", minimum=1)
    smtp_defer_if_no_mx_address_found = boolean("no")
    smtp_delivery_status_filter = words("$default_delivery_status_filter")
    smtp_discard_ehlo_keyword_address_maps = words("")
    smtp_discard_ehlo_keywords = words("")
    smtp_dns_reply_filter = words("")
    smtp_dns_resolver_options = words("")
    smtp_dns_support_level = text("")
    smtp_fallback_relay = words("$fallback_relay")
    smtp_generic_maps = words("")
    smtp_header_checks = words("")
    smtp_helo_name = text("$myhostname", minimum=1)
    smtp_helo_timeout = duration("300s", minimum=1)
    smtp_host_lookup = words("dns", minimum=1)
    smtp_line_length_limit = integer("998")
    smtp_mail_timeout = duration("300s", minimum=1)
    smtp_mime_header_checks = words("")
    smtp_min_data_rate = integer("500", minimum=1)
    smtp_mx_address_limit = integer("5")
    smtp_mx_session_limit = integer("2")
    smtp_nested_header_checks = words("")
    smtp_never_send_ehlo = boolean("no")
    smtp_per_record_deadline = text("", deprecated='specify "smtp_per_request_deadline"', legacy=True)
    """The old name of smtp_per_request_deadline."""
    smtp_per_request_deadline = boolean("${smtp_per_record_deadline?{$smtp_per_record_deadline}:{no}}")
    smtp_pix_workaround_delay_time = duration("10s", minimum=1)
    smtp_pix_workaround_maps = words("")
    smtp_pix_workaround_threshold_time = duration("500s")
    smtp_pix_workarounds = words("disable_esmtp,delay_dotcrlf")
    smtp_quit_timeout = duration("300s", minimum=1)
    smtp_quote_rfc821_envelope = boolean("yes")
    smtp_randomize_addresses = boolean("yes")
    smtp_rcpt_timeout = duration("300s", minimum=1)
    smtp_reply_filter = words("")
    smtp_rset_timeout = duration("20s", minimum=1)
    smtp_send_dummy_mail_auth = boolean("no")
    smtp_send_xforward_command = boolean("no")
    smtp_skip_5xx_greeting = boolean("yes")
    smtp_skip_quit_response = boolean("yes")
    smtp_tcp_port = text("smtp")
    smtp_xforward_timeout = duration("300s", minimum=1)
