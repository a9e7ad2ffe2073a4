"""How much a client may do: rates, errors, times."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpdLimitSettings"]


class SmtpdLimitSettings(Settings):
    """How much a client may do: rates, errors, times."""

    smtpd_client_auth_rate_limit = integer("0")
    smtpd_client_connection_limit_exceptions = words(
        "", deprecated='specify "smtpd_client_event_limit_exceptions"', legacy=True
    )
    smtpd_client_connection_rate_limit = integer("0")
    smtpd_client_event_limit_exceptions = words("${smtpd_client_connection_limit_exceptions:$mynetworks}")
    smtpd_client_ipv4_prefix_length = integer("32", maximum=32)
    smtpd_client_ipv6_prefix_length = integer("84", maximum=128)
    smtpd_client_message_rate_limit = integer("0")
    smtpd_client_new_tls_session_rate_limit = integer("0")
    smtpd_client_recipient_rate_limit = integer("0")
    smtpd_error_sleep_time = duration("1s")
    smtpd_hard_error_limit = integer("${stress?{1}:{20}}", minimum=1)
    smtpd_history_flush_threshold = integer("100", minimum=1)
    smtpd_junk_command_limit = integer("${stress?{1}:{100}}", minimum=1)
    smtpd_min_data_rate = integer("500", minimum=1)
    smtpd_per_record_deadline = text("", deprecated='specify "smtpd_per_request_deadline"', legacy=True)
    smtpd_per_request_deadline = boolean(
        "${smtpd_per_record_deadline?{$smtpd_per_record_deadline}:{${stress?{yes}:{no}}}}"
    )
    smtpd_proxy_timeout = duration("100s", minimum=1)
    smtpd_recipient_limit = integer("1000", minimum=1)
    smtpd_recipient_overshoot_limit = integer("1000", minimum=1)
    smtpd_soft_error_limit = integer("10", minimum=1)
    smtpd_starttls_timeout = duration("${stress?{10}:{300}}s", unit="s", minimum=1)
    smtpd_timeout = duration("${stress?{10}:{300}}s", unit="s", minimum=1)
    smtpd_upstream_proxy_timeout = duration("5s", minimum=1)
