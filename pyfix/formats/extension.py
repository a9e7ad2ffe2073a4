"""Address extensions: ``user+extension@domain``."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["split_address", "split_extension", "strip_extension"]

_NEVER_SPLIT = frozenset(("postmaster", "mailer-daemon"))


@lru_cache(maxsize=1024)
def split_extension(
    localpart: str,
    delimiters: str,
    *,
    double_bounce: str = "double-bounce",
    owner_request: bool = True,
) -> tuple[str, str | None]:
    """Split *localpart* at the first of *delimiters*; return (base, extension).

    The extension comes without its delimiter and may be empty (``user+``); None means that there is none.
    Never split: postmaster, mailer-daemon, the double-bounce sender, a localpart that begins with a delimiter, and,
    when ``-`` is a delimiter and *owner_request* is on, ``owner-list`` and ``list-request``.
    Source: postconf(5) recipient_delimiter, owner_request_special, double_bounce_sender.
    """
    if not delimiters:
        return localpart, None
    found = [position for position in map(localpart.find, delimiters) if position >= 0]
    if not found or not (position := min(found)):
        return localpart, None
    folded = localpart.lower()
    if folded in _NEVER_SPLIT or folded == double_bounce.lower():
        return localpart, None
    if owner_request and "-" in delimiters and (folded.startswith("owner-") or folded.endswith("-request")):
        return localpart, None
    return localpart[:position], localpart[position + 1 :]


def split_address(address: str, delimiters: str) -> tuple[str, str, str]:
    """Split ``user+ext@domain`` into ("user", "+ext", "@domain"); parts that are missing are empty.

    The extension comes with its delimiter, the domain with its ``@``: joined, the three are the address again.
    """
    at = address.rfind("@")
    localpart, domain = (address, "") if at < 0 else (address[:at], address[at:])
    base, extension = split_extension(localpart, delimiters)
    if extension is None:
        return localpart, "", domain
    return base, localpart[len(base) :], domain


def strip_extension(address: str, delimiters: str) -> tuple[str, str | None]:
    """Return (address without its extension, the extension with its delimiter or None).

    Source: postconf(5) recipient_delimiter; the ``user@domain`` step of the lookup orders of canonical(5),
    virtual(5) and transport(5).
    """
    if not delimiters:
        return address, None
    base, extension, domain = split_address(address, delimiters)
    return (base + domain, extension) if extension else (address, None)
