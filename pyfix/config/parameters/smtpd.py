"""The SMTP server: smtpd(8)."""

from __future__ import annotations

from pyfix.config.parameter import boolean, longinteger, text, words
from pyfix.config.parameters.address_classes import AddressClassSettings
from pyfix.config.parameters.address_mappings import AddressMappingSettings
from pyfix.config.parameters.address_probe import AddressProbeSettings
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.mail_entry import MailEntrySettings
from pyfix.config.parameters.milter import MilterSettings
from pyfix.config.parameters.notification import NotificationSettings
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
    queue_minfree = longinteger("0")
    smtpd_authorized_verp_clients = words("$authorized_verp_clients")
    smtpd_authorized_xclient_hosts = words("")
    smtpd_authorized_xforward_hosts = words("")
    smtpd_client_port_logging = boolean("no")
    smtpd_dns_reply_filter = words("")
    smtpd_forbid_bare_newline = text("normalize", minimum=1)
    smtpd_forbid_bare_newline_exclusions = words("$mynetworks")
    smtpd_forbid_unauth_pipelining = boolean("yes")
    smtpd_hide_client_session = boolean("no")
    smtpd_milter_maps = words("")
    smtpd_milters = words("")
    smtpd_noop_commands = words("")
    smtpd_peername_lookup = boolean("yes")
    smtpd_proxy_ehlo = text("$myhostname")
    smtpd_proxy_filter = text("")
    smtpd_proxy_options = words("")
    smtpd_reject_filter_maps = words("")
    smtpd_reject_footer_maps = words("")
    smtpd_tls_auth_only = boolean("no")
    smtpd_tls_received_header = boolean("no")
    smtpd_tls_wrappermode = boolean("no")
    smtpd_upstream_proxy_protocol = text("")
    stress = text("")
    strict_rfc821_envelopes = boolean("no")
