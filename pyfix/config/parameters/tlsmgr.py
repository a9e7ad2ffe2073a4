"""What tlsmgr(8) reads."""

from __future__ import annotations

from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.tls_sessions import TlsSessionSettings

__all__ = ["TlsmgrSettings"]


class TlsmgrSettings(TlsSessionSettings, MailSettings):
    """What tlsmgr(8) reads."""
