"""The zombie blocker: postscreen(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, duration, integer, raw, text, words
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.smtp_server import SmtpServerSettings
from pyfix.config.parameters.smtp_transport import SmtpTransportSettings
from pyfix.config.parameters.smtpd_tls import SmtpdTlsSettings

__all__ = ["PostscreenSettings"]


class PostscreenSettings(SmtpServerSettings, SmtpTransportSettings, SmtpdTlsSettings, MailSettings):
    """The zombie blocker: postscreen(8)."""

    dnsblog_service_name = text("dnsblog", minimum=1)
    postscreen_access_list = words("permit_mynetworks")
    postscreen_allowlist_interfaces = words(
        "${postscreen_whitelist_interfaces?{$postscreen_whitelist_interfaces}:{static:all}}"
    )
    postscreen_bare_newline_action = text("ignore", minimum=1)
    postscreen_bare_newline_enable = boolean("no")
    postscreen_bare_newline_ttl = duration("30d", minimum=1)
    postscreen_blacklist_action = text("", deprecated='specify "postscreen_denylist_action"', legacy=True)
    """The old name of postscreen_denylist_action."""
    postscreen_cache_cleanup_interval = duration("12h")
    postscreen_cache_map = text("$default_cache_db_type:$data_directory/postscreen_cache")
    postscreen_cache_retention_time = duration("7d", minimum=1)
    postscreen_client_connection_count_limit = integer("$smtpd_client_connection_count_limit")
    postscreen_command_count_limit = integer("20", minimum=1)
    postscreen_command_filter = words("")
    postscreen_command_time_limit = duration("${stress?{10}:{300}}s", unit="s", minimum=1)
    postscreen_denylist_action = text(
        "${postscreen_blacklist_action?{$postscreen_blacklist_action}:{ignore}}", minimum=1
    )
    postscreen_disable_vrfy_command = boolean("$disable_vrfy_command")
    postscreen_discard_ehlo_keyword_address_maps = words("$smtpd_discard_ehlo_keyword_address_maps")
    postscreen_discard_ehlo_keywords = words("$smtpd_discard_ehlo_keywords")
    postscreen_dnsbl_action = text("ignore", minimum=1)
    postscreen_dnsbl_allowlist_threshold = integer(
        "${postscreen_dnsbl_whitelist_threshold?{$postscreen_dnsbl_whitelist_threshold}:{0}}"
    )
    postscreen_dnsbl_max_ttl = duration("${postscreen_dnsbl_ttl?{$postscreen_dnsbl_ttl}:{1}}h", unit="h", minimum=1)
    postscreen_dnsbl_min_ttl = duration("60s", minimum=1)
    postscreen_dnsbl_reply_map = text("")
    postscreen_dnsbl_sites = words("")
    postscreen_dnsbl_threshold = integer("1", minimum=1)
    postscreen_dnsbl_timeout = duration("10s", minimum=1)
    postscreen_dnsbl_ttl = text("", deprecated='specify "postscreen_dnsbl_max_ttl"', legacy=True)
    """The old name of postscreen_dnsbl_max_ttl."""
    postscreen_dnsbl_whitelist_threshold = text(
        "", deprecated='specify "postscreen_dnsbl_allowlist_threshold"', legacy=True
    )
    """The old name of postscreen_dnsbl_allowlist_threshold."""
    postscreen_enforce_tls = boolean("$smtpd_enforce_tls", deprecated='specify "postscreen_tls_security_level"')
    postscreen_expansion_filter = raw("$smtpd_expansion_filter", minimum=1)
    postscreen_forbidden_commands = words("$smtpd_forbidden_commands")
    postscreen_greet_action = text("ignore", minimum=1)
    postscreen_greet_banner = text("$smtpd_banner")
    postscreen_greet_ttl = duration("1d", minimum=1)
    postscreen_greet_wait = duration("${stress?{2}:{6}}s", unit="s", minimum=1)
    postscreen_helo_required = boolean("$smtpd_helo_required")
    postscreen_non_smtp_command_action = text("drop", minimum=1)
    postscreen_non_smtp_command_enable = boolean("no")
    postscreen_non_smtp_command_ttl = duration("30d", minimum=1)
    postscreen_pipelining_action = text("enforce", minimum=1)
    postscreen_pipelining_enable = boolean("no")
    postscreen_pipelining_ttl = duration("30d", minimum=1)
    postscreen_post_queue_limit = integer("$default_process_limit", minimum=5)
    postscreen_pre_queue_limit = integer("$default_process_limit", minimum=10)
    postscreen_reject_footer = raw("$smtpd_reject_footer")
    postscreen_reject_footer_maps = words("$smtpd_reject_footer_maps")
    postscreen_tls_security_level = text("$smtpd_tls_security_level")
    postscreen_upstream_proxy_protocol = text("")
    postscreen_upstream_proxy_timeout = duration("5s", minimum=1)
    postscreen_use_tls = boolean("$smtpd_use_tls", deprecated='specify "postscreen_tls_security_level"')
    postscreen_watchdog_timeout = duration("10s", minimum=10)
    postscreen_whitelist_interfaces = words("", deprecated='specify "postscreen_allowlist_interfaces"', legacy=True)
    """The old name of postscreen_allowlist_interfaces."""
    smtpd_service_name = text("smtpd", minimum=1)
