"""Access control in the SMTP server: restriction lists, reply codes, checks: SMTPD_ACCESS_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, raw, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpdAccessSettings"]


class SmtpdAccessSettings(Settings):
    """Access control in the SMTP server: restriction lists, reply codes, checks: SMTPD_ACCESS_README."""

    access_map_defer_code = integer("450")
    access_map_reject_code = integer("554")
    address_verify_poll_count = integer("${stress?{1}:{3}}", minimum=1)
    address_verify_poll_delay = duration("3s", minimum=1)
    allow_untrusted_routing = boolean("no")
    default_rbl_reply = raw(
        "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; "
        "$rbl_reason}",
        minimum=1,
    )
    defer_code = integer("450")
    invalid_hostname_reject_code = integer("501")
    maps_rbl_domains = words("")
    maps_rbl_reject_code = integer("554")
    multi_recipient_bounce_reject_code = integer("550")
    non_fqdn_reject_code = integer("504")
    permit_mx_backup_networks = words("")
    plaintext_reject_code = integer("450")
    rbl_reply_maps = words("")
    reject_code = integer("554")
    reject_tempfail_action = text("defer_if_permit", minimum=1)
    relay_clientcerts = words("")
    relay_domains_reject_code = integer("554")
    smtpd_client_restrictions = words("")
    smtpd_data_restrictions = words("")
    smtpd_delay_open_until_valid_rcpt = boolean("yes")
    smtpd_delay_reject = boolean("yes")
    smtpd_end_of_data_restrictions = words("")
    smtpd_etrn_restrictions = words("")
    smtpd_forbid_bare_newline_reject_code = integer("550", minimum=500, maximum=599)
    smtpd_helo_restrictions = words("")
    smtpd_log_access_permit_actions = words("")
    smtpd_null_access_lookup_key = text("<>")
    smtpd_policy_service_default_action = text("451 4.3.5 Server configuration problem", minimum=1)
    smtpd_policy_service_max_idle = duration("300s", minimum=1)
    smtpd_policy_service_max_ttl = duration("1000s", minimum=1)
    smtpd_policy_service_policy_context = text("")
    smtpd_policy_service_request_limit = integer("0")
    smtpd_policy_service_retry_delay = duration("1s", minimum=1)
    smtpd_policy_service_timeout = duration("100s", minimum=1)
    smtpd_policy_service_try_limit = integer("2", minimum=1)
    smtpd_recipient_restrictions = words("")
    smtpd_reject_unlisted_recipient = boolean("yes")
    smtpd_reject_unlisted_sender = boolean("no")
    smtpd_relay_before_recipient_restrictions = boolean("${{$compatibility_level} <level {3.6} ? {no} : {yes}}")
    smtpd_relay_restrictions = words(
        "${{$compatibility_level} <level {1} ? {} : {permit_mynetworks, permit_sasl_authenticated, "
        "defer_unauth_destination}}"
    )
    smtpd_restriction_classes = words("")
    smtpd_sender_login_maps = words("")
    smtpd_sender_restrictions = words("")
    unknown_address_reject_code = integer("450")
    unknown_address_tempfail_action = text("$reject_tempfail_action", minimum=1)
    unknown_client_reject_code = integer("450")
    unknown_helo_hostname_tempfail_action = text("$reject_tempfail_action", minimum=1)
    unknown_hostname_reject_code = integer("450")
    unknown_local_recipient_reject_code = integer("550")
    unknown_relay_recipient_reject_code = integer("550")
    unknown_virtual_alias_reject_code = integer("550")
    unknown_virtual_mailbox_reject_code = integer("550")
    unverified_recipient_defer_code = integer("450", minimum=200, maximum=499)
    unverified_recipient_reject_code = integer("450", minimum=200, maximum=599)
    unverified_recipient_reject_reason = text("")
    unverified_recipient_tempfail_action = text("$reject_tempfail_action", minimum=1)
    unverified_sender_defer_code = integer("450", minimum=200, maximum=499)
    unverified_sender_reject_code = integer("450", minimum=200, maximum=599)
    unverified_sender_reject_reason = text("")
    unverified_sender_tempfail_action = text("$reject_tempfail_action", minimum=1)
