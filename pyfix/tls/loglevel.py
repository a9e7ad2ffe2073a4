"""What of TLS is logged.

Source: postconf(5) smtpd_tls_loglevel, smtp_tls_loglevel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["LogLevel", "parse_log_level"]


@dataclass(frozen=True, slots=True)
class LogLevel:
    """The parts of the log, each on or off."""

    summary: bool = False
    """One line for each session."""
    untrusted: bool = False
    """Why a certificate is not trusted."""
    certificate: bool = False
    """Whose certificate it is, with its fingerprints."""
    match: bool = False
    """What of a certificate agrees with what was wanted."""
    verbose: bool = False
    """What is about to be done, and each certificate of a chain."""
    cache: bool = False
    """Sessions that are saved, looked for and resumed."""
    states: bool = False
    """The library's steps of a handshake."""
    packets: bool = False
    """The bytes of a handshake."""
    all_packets: bool = False
    """The bytes of a whole session."""


_DEBUG: Final = dict.fromkeys(("summary", "untrusted", "certificate", "match", "verbose", "cache", "states"), True)
_ALL: Final = {**_DEBUG, "packets": True, "all_packets": True}
_LEVELS: Final[dict[str, dict[str, bool]]] = {
    "0": {}, "none": {},
    "1": {"summary": True}, "routine": {"summary": True},
    "2": _DEBUG, "debug": _DEBUG,
    "3": _DEBUG | {"packets": True}, "ssl-expert": _DEBUG | {"packets": True},
    "4": _ALL, "ssl-developer": _ALL, "5": _ALL,
    "summary": {"summary": True},
    "untrusted": {"untrusted": True},
    "peercert": {"certificate": True},
    "certmatch": {"match": True},
    "verbose": {"verbose": True},
    "cache": {"cache": True},
    "ssl-debug": {"states": True},
    "ssl-handshake-packet-dump": {"packets": True},
    "ssl-session-packet-dump": {"packets": True, "all_packets": True},
}  # fmt: skip


def parse_log_level(text: str) -> tuple[LogLevel, tuple[str, ...]]:
    """Return the level that a number or names say together, and the words that say nothing."""
    parts: dict[str, bool] = {}
    unknown = []
    for word in text.replace(",", " ").split():
        level = _LEVELS.get(word.lower())
        if level is None:
            unknown.append(word)
        else:
            parts |= level
    return LogLevel(**parts), tuple(unknown)
