"""Access control in the SMTP server: restriction lists, reply codes, checks: SMTPD_ACCESS_README."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, raw, text, words
from pyfix.config.snapshot import Settings

__all__ = ["SmtpdAccessSettings"]


class SmtpdAccessSettings(Settings):
    """Access control in the SMTP server: restriction lists, reply codes, checks: SMTPD_ACCESS_README."""

    access_map_defer_code = integer("450")
    """Reply code of the action DEFER in access tables."""

    access_map_reject_code = integer("554")
    """Reply code of the action REJECT in access tables."""

    address_verify_poll_count = integer("${stress?{1}:{3}}", minimum=1)
    """How often to ask for the outcome of an address probe before deferring."""

    address_verify_poll_delay = duration("3s", minimum=1)
    """Seconds between two questions about an address probe."""

    allow_untrusted_routing = boolean("no")
    """Whether strangers' sender-specified routes (user@elsewhere@ours) are followed."""

    default_rbl_reply = raw(
        "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}",
        minimum=1,
    )
    """The reply for clients on a DNS list."""

    defer_code = integer("450")
    """Reply code of ``defer``."""

    invalid_hostname_reject_code = integer("501")
    """Reply code of reject_invalid_helo_hostname."""

    maps_rbl_domains = words("")
    """The domains of reject_maps_rbl, which works no more."""

    maps_rbl_reject_code = integer("554")
    """Reply code of the DNS list restrictions."""

    multi_recipient_bounce_reject_code = integer("550")
    """Reply code of reject_multi_recipient_bounce."""

    non_fqdn_reject_code = integer("504")
    """Reply code of the reject_non_fqdn restrictions."""

    permit_mx_backup_networks = words("")
    """The primary MX hosts for which permit_mx_backup works."""

    plaintext_reject_code = integer("450")
    """Reply code of reject_plaintext_session."""

    rbl_reply_maps = words("")
    """The tables from DNS list to its reply, in place of default_rbl_reply."""

    reject_code = integer("554")
    """Reply code of ``reject``."""

    reject_tempfail_action = text("defer_if_permit", minimum=1)
    """What to do when the reason to reject may be temporary: defer or defer_if_permit."""

    relay_clientcerts = words("")
    """The tables of certificate fingerprints whose clients may relay."""

    relay_domains_reject_code = integer("554")
    """Reply code of reject_unauth_destination."""

    smtpd_client_restrictions = words("")
    """What is checked when a client connects."""

    smtpd_data_restrictions = words("")
    """What is checked at DATA."""

    smtpd_delay_open_until_valid_rcpt = boolean("yes")
    """Whether the queue file is made only when there is a good recipient."""

    smtpd_delay_reject = boolean("yes")
    """Whether the client, HELO and sender restrictions wait for RCPT."""

    smtpd_end_of_data_restrictions = words("")
    """What is checked after the message."""

    smtpd_etrn_restrictions = words("")
    """What is checked at ETRN."""

    smtpd_forbid_bare_newline_reject_code = integer("550", minimum=500, maximum=599)
    """Reply code for a bare newline where those are rejected."""

    smtpd_helo_restrictions = words("")
    """What is checked at HELO or EHLO."""

    smtpd_log_access_permit_actions = words("")
    """The restrictions whose permits are logged."""

    smtpd_null_access_lookup_key = text("<>")
    """What is looked up for the null sender."""

    smtpd_policy_service_default_action = text("451 4.3.5 Server configuration problem", minimum=1)
    """What happens when a policy service fails."""

    smtpd_policy_service_max_idle = duration("300s", minimum=1)
    """Seconds after which an unused connection to a policy service is closed."""

    smtpd_policy_service_max_ttl = duration("1000s", minimum=1)
    """Seconds after which even a busy connection to a policy service is renewed."""

    smtpd_policy_service_policy_context = text("")
    """What a policy service gets as policy_context."""

    smtpd_policy_service_request_limit = integer("0")
    """Requests over one connection to a policy service; 0: any number."""

    smtpd_policy_service_retry_delay = duration("1s", minimum=1)
    """Seconds between two tries."""

    smtpd_policy_service_timeout = duration("100s", minimum=1)
    """Seconds for connecting, sending and receiving."""

    smtpd_policy_service_try_limit = integer("2", minimum=1)
    """Tries before the policy service has failed."""

    smtpd_recipient_restrictions = words("")
    """What is checked at RCPT, after smtpd_relay_restrictions."""

    smtpd_reject_unlisted_recipient = boolean("yes")
    """Whether unknown recipients are rejected even when nothing in the lists says so."""

    smtpd_reject_unlisted_sender = boolean("no")
    """Whether senders are rejected that would be unknown as recipients."""

    smtpd_relay_before_recipient_restrictions = boolean("${{$compatibility_level} <level {3.6} ? {no} : {yes}}")
    """Whether smtpd_relay_restrictions come first."""

    smtpd_relay_restrictions = words(
        "${{$compatibility_level} <level {1} ? {} : {permit_mynetworks, permit_sasl_authenticated, "
        "defer_unauth_destination}}"
    )
    """Who may relay where; checked at RCPT."""

    smtpd_restriction_classes = words("", readers="proxymap smtpd")
    """Names of further restriction lists, each a parameter of its own."""

    smtpd_sender_login_maps = words("", readers="proxymap smtpd")
    """The tables from sender address to the SASL logins that own it."""

    smtpd_sender_restrictions = words("")
    """What is checked at MAIL."""

    unknown_address_reject_code = integer("450")
    """Reply code of reject_unknown_sender_domain and its like."""

    unknown_address_tempfail_action = text("$reject_tempfail_action", minimum=1)
    """What they do when the DNS does not answer."""

    unknown_client_reject_code = integer("450")
    """Reply code of reject_unknown_client_hostname."""

    unknown_helo_hostname_tempfail_action = text("$reject_tempfail_action", minimum=1)
    """What reject_unknown_helo_hostname does when the DNS does not answer."""

    unknown_hostname_reject_code = integer("450")
    """Reply code of reject_unknown_helo_hostname."""

    unknown_local_recipient_reject_code = integer("550")
    """Reply code for a recipient that local_recipient_maps lacks."""

    unknown_relay_recipient_reject_code = integer("550")
    """Reply code for a recipient that relay_recipient_maps lacks."""

    unknown_virtual_alias_reject_code = integer("550")
    """Reply code for a recipient that virtual_alias_maps lacks."""

    unknown_virtual_mailbox_reject_code = integer("550")
    """Reply code for a recipient that virtual_mailbox_maps lacks."""

    unverified_recipient_defer_code = integer("450", minimum=200, maximum=499)
    """Reply code while a recipient probe is under way."""

    unverified_recipient_reject_code = integer("450", minimum=200, maximum=599)
    """Reply code when a recipient probe has failed."""

    unverified_recipient_reject_reason = text("")
    """The reason to give in place of the probe's own."""

    unverified_recipient_tempfail_action = text("$reject_tempfail_action", minimum=1)
    """What reject_unverified_recipient does when the probe fails for a time."""

    unverified_sender_defer_code = integer("450", minimum=200, maximum=499)
    """Reply code while a sender probe is under way."""

    unverified_sender_reject_code = integer("450", minimum=200, maximum=599)
    """Reply code when a sender probe has failed."""

    unverified_sender_reject_reason = text("")
    """The reason to give in place of the probe's own."""

    unverified_sender_tempfail_action = text("$reject_tempfail_action", minimum=1)
    """What reject_unverified_sender does when the probe fails for a time."""
