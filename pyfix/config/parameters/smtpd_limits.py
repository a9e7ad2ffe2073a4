"""How much a client may do: rates, errors, times."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpdLimitSettings"]


class SmtpdLimitSettings(Settings):
    """How much a client may do: rates, errors, times."""

    smtpd_client_auth_rate_limit = integer("0")
    """AUTH commands of a client in anvil_rate_time_unit; 0: any number."""

    smtpd_client_connection_limit_exceptions = words(
        "", deprecated='specify "smtpd_client_event_limit_exceptions"', legacy=True
    )
    """The old name of smtpd_client_event_limit_exceptions."""

    smtpd_client_connection_rate_limit = integer("0")
    """Connections of a client in anvil_rate_time_unit; 0: any number."""

    smtpd_client_event_limit_exceptions = words("${smtpd_client_connection_limit_exceptions:$mynetworks}")
    """The clients that no limit applies to."""

    smtpd_client_ipv4_prefix_length = integer("32", maximum=32)
    """How much of an IPv4 address makes one client."""

    smtpd_client_ipv6_prefix_length = integer("84", maximum=128)
    """How much of an IPv6 address makes one client."""

    smtpd_client_message_rate_limit = integer("0")
    """Messages of a client in anvil_rate_time_unit; 0: any number."""

    smtpd_client_new_tls_session_rate_limit = integer("0")
    """New TLS sessions of a client in anvil_rate_time_unit; 0: any number."""

    smtpd_client_recipient_rate_limit = integer("0")
    """Recipients of a client in anvil_rate_time_unit; 0: any number."""

    smtpd_error_sleep_time = duration("1s")
    """Seconds to wait before the reply from smtpd_soft_error_limit errors on."""

    smtpd_hard_error_limit = integer("${stress?{1}:{20}}", minimum=1)
    """Errors without delivering mail, then 421 and goodbye."""

    smtpd_history_flush_threshold = integer("100", minimum=1)
    """Lines of the transcript kept for the postmaster."""

    smtpd_junk_command_limit = integer("${stress?{1}:{100}}", minimum=1)
    """NOOP, VRFY, ETRN and RSET that do not count as errors."""

    smtpd_min_data_rate = integer("500", minimum=1)
    """Bytes in a second that keep a per-request deadline from running out."""

    smtpd_per_record_deadline = text("", deprecated='specify "smtpd_per_request_deadline"', legacy=True)
    """The old name of smtpd_per_request_deadline."""

    smtpd_per_request_deadline = boolean(
        "${smtpd_per_record_deadline?{$smtpd_per_record_deadline}:{${stress?{yes}:{no}}}}"
    )
    """Whether time limits are for a whole command or reply instead of one read or write."""

    smtpd_proxy_timeout = duration("100s", minimum=1)
    """Seconds for each exchange with the before-queue filter."""

    smtpd_recipient_limit = integer("1000", minimum=1)
    """Recipients accepted per message; the next one gets 452 4.5.3."""

    smtpd_recipient_overshoot_limit = integer("1000", minimum=1)
    """Recipients over the limit before that counts as an error."""

    smtpd_soft_error_limit = integer("10", minimum=1)
    """Errors from which on replies are delayed."""

    smtpd_starttls_timeout = duration("${stress?{10}:{300}}s", unit="s", minimum=1)
    """Seconds for each read and write of the TLS handshake."""

    smtpd_timeout = duration("${stress?{10}:{300}}s", unit="s", minimum=1)
    """Seconds to wait for the client's next bytes, then 421 4.4.2."""

    smtpd_upstream_proxy_timeout = duration("5s", minimum=1)
    """Seconds for the proxy's first line."""
