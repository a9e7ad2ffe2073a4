"""lmtp(8): the program of smtp(8) under another name, with parameters of its own and a reply for each recipient."""

from __future__ import annotations

from pyfix.config.parameters.lmtp_client import LmtpClientSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtp.daemon import Smtp
from pyfix.runtime.child import Invocation
from pyfix.runtime.log import log


class Lmtp(Smtp):
    """The LMTP delivery agent."""

    program = "lmtp"
    lmtp = True
    settings_class = LmtpClientSettings

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read the settings.  Raises ConfigError."""
        super().__init__(invocation, snapshot)
        if self.settings.lmtp_assume_final:
            log.warning('lmtp_assume_final is obsolete; instead, specify "flags=X" in master.cf')
