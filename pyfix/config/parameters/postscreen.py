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
    """The name of dnsblog(8)'s service."""

    postscreen_access_list = words("permit_mynetworks")
    """Who is let in or kept out without tests."""

    postscreen_allowlist_interfaces = words(
        "${postscreen_whitelist_interfaces?{$postscreen_whitelist_interfaces}:{static:all}}"
    )
    """The local addresses on which a client may earn its pass."""

    postscreen_bare_newline_action = text("ignore", minimum=1)
    """What to do with a client that ends lines in a bare newline: ignore, enforce or drop."""

    postscreen_bare_newline_enable = boolean("no")
    """Whether that is tested."""

    postscreen_bare_newline_ttl = duration("30d", minimum=1)
    """Seconds that a pass of this test is good for."""

    postscreen_blacklist_action = text("", deprecated='specify "postscreen_denylist_action"', legacy=True)
    """The old name of postscreen_denylist_action."""

    postscreen_cache_cleanup_interval = duration("12h")
    """Seconds between two clean-ups of the cache."""

    postscreen_cache_map = text(
        "$default_cache_db_type:$data_directory/postscreen_cache", readers="postscreen proxymap"
    )
    """The table of clients that have passed."""

    postscreen_cache_retention_time = duration("7d", minimum=1)
    """Seconds that an expired entry is kept."""

    postscreen_client_connection_count_limit = integer("$smtpd_client_connection_count_limit")
    """Connections that one client may have at a time."""

    postscreen_command_count_limit = integer("20", minimum=1)
    """Commands of a session."""

    postscreen_command_filter = words("")
    """Tables that replace a client's command before it is parsed."""

    postscreen_command_time_limit = duration("${stress?{10}:{300}}s", unit="s", minimum=1)
    """Seconds for a command."""

    postscreen_denylist_action = text(
        "${postscreen_blacklist_action?{$postscreen_blacklist_action}:{ignore}}", minimum=1
    )
    """What to do with a client that postscreen_access_list keeps out."""

    postscreen_disable_vrfy_command = boolean("$disable_vrfy_command")
    """What disable_vrfy_command is for postscreen(8)."""

    postscreen_discard_ehlo_keyword_address_maps = words("$smtpd_discard_ehlo_keyword_address_maps")
    """What smtpd_discard_ehlo_keyword_address_maps are for postscreen(8)."""

    postscreen_discard_ehlo_keywords = words("$smtpd_discard_ehlo_keywords")
    """What smtpd_discard_ehlo_keywords are for postscreen(8)."""

    postscreen_dnsbl_action = text("ignore", minimum=1)
    """What to do with a client at or above postscreen_dnsbl_threshold."""

    postscreen_dnsbl_allowlist_threshold = integer(
        "${postscreen_dnsbl_whitelist_threshold?{$postscreen_dnsbl_whitelist_threshold}:{0}}"
    )
    """The score (below 0) at which other tests are skipped; 0: never."""

    postscreen_dnsbl_max_ttl = duration("${postscreen_dnsbl_ttl?{$postscreen_dnsbl_ttl}:{1}}h", unit="h", minimum=1)
    """Seconds that a pass of the DNS lists is good for at most."""

    postscreen_dnsbl_min_ttl = duration("60s", minimum=1)
    """Seconds that it is good for at least."""

    postscreen_dnsbl_reply_map = text("")
    """A table from DNS list to the name that replies show."""

    postscreen_dnsbl_sites = words("")
    """The DNS lists with filters and weights."""

    postscreen_dnsbl_threshold = integer("1", minimum=1)
    """The score from which a client fails."""

    postscreen_dnsbl_timeout = duration("10s", minimum=1)
    """Seconds for the answers of DNS lists."""

    postscreen_dnsbl_ttl = text("", deprecated='specify "postscreen_dnsbl_max_ttl"', legacy=True)
    """The old name of postscreen_dnsbl_max_ttl."""

    postscreen_dnsbl_whitelist_threshold = text(
        "", deprecated='specify "postscreen_dnsbl_allowlist_threshold"', legacy=True
    )
    """The old name of postscreen_dnsbl_allowlist_threshold."""

    postscreen_enforce_tls = boolean("$smtpd_enforce_tls", deprecated='specify "postscreen_tls_security_level"')
    """The old way to say postscreen_tls_security_level = encrypt."""

    postscreen_expansion_filter = raw("$smtpd_expansion_filter", minimum=1)
    """What smtpd_expansion_filter is for postscreen(8)."""

    postscreen_forbidden_commands = words("$smtpd_forbidden_commands", readers="postscreen proxymap")
    """What smtpd_forbidden_commands are for postscreen(8)."""

    postscreen_greet_action = text("ignore", minimum=1)
    """What to do with a client that talks before its turn."""

    postscreen_greet_banner = text("$smtpd_banner")
    """The first line of the greeting that is a trap for such clients; empty: none."""

    postscreen_greet_ttl = duration("1d", minimum=1)
    """Seconds that a pass of this test is good for."""

    postscreen_greet_wait = duration("${stress?{2}:{6}}s", unit="s", minimum=1)
    """Seconds that a client has to wait for the greeting."""

    postscreen_helo_required = boolean("$smtpd_helo_required")
    """What smtpd_helo_required is for postscreen(8)."""

    postscreen_non_smtp_command_action = text("drop", minimum=1)
    """What to do with a client that sends other than SMTP commands."""

    postscreen_non_smtp_command_enable = boolean("no")
    """Whether that is tested."""

    postscreen_non_smtp_command_ttl = duration("30d", minimum=1)
    """Seconds that a pass of this test is good for."""

    postscreen_pipelining_action = text("enforce", minimum=1)
    """What to do with a client that pipelines without being told that it may."""

    postscreen_pipelining_enable = boolean("no")
    """Whether that is tested."""

    postscreen_pipelining_ttl = duration("30d", minimum=1)
    """Seconds that a pass of this test is good for."""

    postscreen_post_queue_limit = integer("$default_process_limit", minimum=5)
    """Clients that may wait for a real SMTP server."""

    postscreen_pre_queue_limit = integer("$default_process_limit", minimum=10)
    """Clients that may be under test."""

    postscreen_reject_footer = raw("$smtpd_reject_footer")
    """What smtpd_reject_footer is for postscreen(8)."""

    postscreen_reject_footer_maps = words("$smtpd_reject_footer_maps")
    """What smtpd_reject_footer_maps are for postscreen(8)."""

    postscreen_tls_security_level = text("$smtpd_tls_security_level")
    """What smtpd_tls_security_level is for postscreen(8)."""

    postscreen_upstream_proxy_protocol = text("")
    """What a proxy before us says first: haproxy, or nothing."""

    postscreen_upstream_proxy_timeout = duration("5s", minimum=1)
    """Seconds for the proxy's first line."""

    postscreen_use_tls = boolean("$smtpd_use_tls", deprecated='specify "postscreen_tls_security_level"')
    """The old way to say postscreen_tls_security_level = may."""

    postscreen_watchdog_timeout = duration("10s", minimum=10)
    """What daemon_timeout is for postscreen(8)."""

    postscreen_whitelist_interfaces = words("", deprecated='specify "postscreen_allowlist_interfaces"', legacy=True)
    """The old name of postscreen_allowlist_interfaces."""

    smtpd_service_name = text("smtpd", minimum=1)
    """The name of the service that takes over clients that have passed."""
