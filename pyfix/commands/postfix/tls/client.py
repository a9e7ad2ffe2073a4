"""``postfix tls enable-client`` and ``all-default-client``.  Source: postfix-tls(1)."""

from __future__ import annotations

from pyfix.commands.postfix.system import System
from pyfix.commands.postfix.tls.words import RELOAD, edit_main, is_default, options_of, random_source, tell, usage

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_DECISIVE = (
    "smtp_use_tls", "smtp_enforce_tls", "smtp_tls_enforce_peername", "smtp_tls_security_level",
    "smtp_tls_cert_file", "smtp_tls_dcert_file", "smtp_tls_eccert_file",
)  # fmt: skip
"""Whoever has set one of these has made up his mind about TLS."""
_CACHE = "lmdb"
"""The type of the table for sessions; pyfix always has it."""
_ENABLED = f"Enabled opportunistic TLS in the Postfix SMTP client.\n{RELOAD}"
_SUGGESTION = f"""\
*** Non-default SMTP client TLS settings detected, no changes made.
For opportunistic TLS in the Postfix SMTP client, the below settings
are typical:
  smtp_tls_security_level = may
  smtp_tls_loglevel = 1
  smtp_tls_session_cache_database = {_CACHE}:${{data_directory}}/smtp_scache"""


def all_default(system: System, words: Sequence[str]) -> int:
    """Return 0 if TLS of the SMTP client is at its defaults, else 1.  Raises Failure for words that are too many."""
    if words:
        raise usage(system, "all-default-client")
    return 0 if is_default(system, _DECISIVE) else 1


def enable(system: System, words: Sequence[str]) -> int:
    """Let the SMTP client use TLS where servers offer it, or suggest how; return 0.  Raises Failure."""
    options, rest = options_of(system, "enable-client", words, "r:")
    if rest:
        raise usage(system, "enable-client")
    if not is_default(system, _DECISIVE):
        tell(system, _SUGGESTION)
        return 0
    edit_main(
        system,
        smtp_tls_security_level="may",
        smtp_tls_loglevel="1",
        smtp_tls_session_cache_database=f"{_CACHE}:{system.settings.data_directory}/smtp_scache",
        tls_random_source=random_source(system, options),
    )
    tell(system, _ENABLED)
    return 0
