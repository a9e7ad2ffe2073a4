"""The ASCII forms of internationalised domain names, for those who ask the DNS; what has none is told of, once.

Source: SMTPUTF8_README; the log lines of the reference, which remembers as many names.
"""

from __future__ import annotations

from functools import lru_cache

from pyfix.formats.domain import ascii_complaint, domain_to_ascii
from pyfix.runtime.log import log

__all__ = ["ascii_name", "explain"]

_REMEMBERED = 256
"""Names that were told of."""


def ascii_name(domain: str) -> str | None:
    """Return the A-label form of *domain*, an ASCII name as it is; None, and a warning, where there is none."""
    if domain.isascii():
        return domain
    name = domain_to_ascii(domain)
    if name is None:
        explain(domain)
    return name


@lru_cache(maxsize=_REMEMBERED)
def explain(domain: str) -> None:
    """Warn that *domain* has no ASCII form, if it has none; what is remembered is not told again."""
    complaint = ascii_complaint(domain)
    if complaint is not None:
        log.warning(complaint)
