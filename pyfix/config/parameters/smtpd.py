"""The SMTP server: smtpd(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, choice, longinteger, text, words
from pyfix.config.parameters.address_classes import AddressClassSettings
from pyfix.config.parameters.address_mappings import AddressMappingSettings
from pyfix.config.parameters.address_probe import AddressProbeSettings
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.mail_entry import MailEntrySettings
from pyfix.config.parameters.milter import MilterSettings
from pyfix.config.parameters.notification import NotificationSettings
from pyfix.config.parameters.sender_rewriting import SenderRewritingSettings
from pyfix.config.parameters.smtp_server import SmtpServerSettings
from pyfix.config.parameters.smtp_transport import SmtpTransportSettings
from pyfix.config.parameters.smtpd_access import SmtpdAccessSettings
from pyfix.config.parameters.smtpd_limits import SmtpdLimitSettings
from pyfix.config.parameters.smtpd_sasl import SmtpdSaslSettings
from pyfix.config.parameters.smtpd_tls import SmtpdTlsSettings
from pyfix.config.parameters.tls import TlsSettings
from pyfix.config.parameters.tls_sessions import TlsSessionSettings

__all__ = ["SmtpdSettings"]


class SmtpdSettings(
    SmtpdAccessSettings,
    SmtpdSaslSettings,
    SmtpdLimitSettings,
    SmtpdTlsSettings,
    SmtpServerSettings,
    AddressProbeSettings,
    AddressClassSettings,
    AddressMappingSettings,
    SenderRewritingSettings,
    MailEntrySettings,
    NotificationSettings,
    MilterSettings,
    TlsSettings,
    TlsSessionSettings,
    SmtpTransportSettings,
    MailSettings,
):
    """The SMTP server: smtpd(8)."""

    authorized_verp_clients = words("", deprecated='specify "smtpd_authorized_verp_clients"', legacy=True)
    """The old name of smtpd_authorized_verp_clients."""

    pyfix_log_decisions = boolean("no", own=True)
    """Whether each verdict on a client or its mail is logged with the restriction and table entry that gave it."""

    queue_minfree = longinteger("0")
    """Bytes that have to be free in the queue's file system; 0: no such check but 1.5 times message_size_limit."""

    smtpd_authorized_verp_clients = words("$authorized_verp_clients")
    """The clients that may ask for VERP delivery."""

    smtpd_authorized_xclient_hosts = words("")
    """The clients that may use XCLIENT."""

    smtpd_authorized_xforward_hosts = words("")
    """The clients that may use XFORWARD."""

    smtpd_client_port_logging = boolean("no")
    """Whether the client's port is logged with its address."""

    smtpd_dns_reply_filter = words("")
    """Tables that change or drop answers of the DNS."""

    smtpd_forbid_bare_newline = choice(
        "normalize", "no yes normalize note reject",
        refusal="bad parameter value: '{name} = {value}'", checked_by="smtpd",
    )  # fmt: skip
    """What to do about lines that end in a bare newline: no, normalize, note or reject."""

    smtpd_forbid_bare_newline_exclusions = words("$mynetworks")
    """The clients that it does not apply to."""

    smtpd_forbid_unauth_pipelining = boolean("yes")
    """Whether clients that talk out of turn are disconnected with 554 5.5.0."""

    smtpd_hide_client_session = boolean("no")
    """Whether Received: headers leave the client out."""

    smtpd_milter_maps = words("")
    """Tables from client address to its mail filters, or DISABLE."""

    smtpd_milters = words("")
    """The mail filters of mail that comes by SMTP."""

    smtpd_noop_commands = words("")
    """Commands that get 250 and do nothing."""

    smtpd_peername_lookup = boolean("yes")
    """Whether client names are looked up; if not, all are ``unknown``."""

    smtpd_proxy_ehlo = text("$myhostname")
    """The name for the before-queue filter's EHLO."""

    smtpd_proxy_filter = text("")
    """Where the before-queue filter is."""

    smtpd_proxy_options = words("")
    """How to talk to it, such as speed_adjust."""

    smtpd_reject_filter_maps = words("")
    """Tables that change the text of rejections."""

    smtpd_reject_footer_maps = words("")
    """Tables from rejection text to its footer, before smtpd_reject_footer."""

    smtpd_tls_auth_only = boolean("no")
    """Whether AUTH is offered in TLS sessions only."""

    smtpd_tls_received_header = boolean("no")
    """Whether Received: headers show TLS details."""

    smtpd_tls_wrappermode = boolean("no")
    """Whether a session begins with TLS, without STARTTLS."""

    smtpd_upstream_proxy_protocol = text("")
    """What a proxy before us says first: haproxy, or nothing."""

    stress = text("")
    """``yes`` when master(8) says that all processes of the service are busy, else empty."""

    strict_rfc821_envelopes = boolean("no")
    """Whether MAIL and RCPT need addresses in angle brackets and without comments."""
