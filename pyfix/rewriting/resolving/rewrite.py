"""Give an address its standard form, ``user@fully.qualified.domain``.

Source: trivial-rewrite(8) STANDARD ADDRESS REWRITING; postconf(5) of the parameters named here.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.formats.address import is_standard
from pyfix.formats.tokens import ATOM, LITERAL, OPERATOR, QUOTED, Token, quoted_text, scan
from pyfix.rewriting.resolving.complaint import complaints
from pyfix.runtime.log import log

AT: Final[Token] = (OPERATOR, "@")
BANG: Final[Token] = (OPERATOR, "!")
PERCENT: Final[Token] = (OPERATOR, "%")
DOT: Final[Token] = (OPERATOR, ".")
_COLON: Final[Token] = (OPERATOR, ":")
_NULL: Final[Token] = (QUOTED, "")

LOCAL: Final = "local"
REMOTE: Final = "remote"


def last_at(tokens: list[Token]) -> int:
    """Return the index of the last ``@``, or -1."""
    for index in range(len(tokens) - 1, -1, -1):
        if tokens[index] == AT:
            return index
    return -1


def _without_last_dot(tokens: list[Token]) -> list[Token]:
    """Drop a dot at the end, if it comes after a name."""
    if len(tokens) > 1 and tokens[-1] == DOT and tokens[-2] not in (DOT, AT):
        return tokens[:-1]
    return tokens


def _glued(tokens: list[Token]) -> list[Token]:
    """Join adjacent words: the user of ``!user``, without a site, loses the spaces between them."""
    result: list[Token] = []
    separators = (AT, BANG, PERCENT, DOT, _COLON)
    for token in tokens:
        if token in separators:
            result.append(token)
        elif result and result[-1] not in separators:
            result[-1] = (ATOM, result[-1][1] + token[1])
        else:
            result.append((ATOM, token[1]) if token[0] == OPERATOR else token)
    return result


class Rewriter:
    """The rewriting rules of one configuration."""

    def __init__(
        self, settings: RewriteSettings, *, warn_of_default: bool = False, localhost_is_ours: bool = True
    ) -> None:
        """*warn_of_default*: tell whenever the old default append_dot_mydomain=yes changes an address.

        *localhost_is_ours*: the domain ``localhost`` has an address class, so that it need not be mentioned.
        """
        self._swap_bangpath: Final = settings.swap_bangpath
        self._percent_hack: Final = settings.allow_percent_hack
        self._append_at: Final = settings.append_at_myorigin
        self._append_dot: Final = settings.append_dot_mydomain
        self._warn: Final = warn_of_default
        self._localhost_is_ours: Final = localhost_is_ours
        remote = settings.remote_header_rewrite_domain
        self._origins: Final = {LOCAL: scan(settings.myorigin), REMOTE: scan(remote)}
        self._domains: Final = {LOCAL: settings.mydomain, REMOTE: remote}

    def rewrite(self, context: str, address: str) -> str:
        """Return *address*, external form, in standard form.

        *context* is "local" or "remote": whose domains complete a partial address.
        """
        if is_standard(address):
            return address
        if not address:
            complaints.warn("rewrite_addr: null address")
            return ""
        return quoted_text(self.rewrite_tokens(context, scan(address)))

    def rewrite_tokens(self, context: str, tokens: list[Token]) -> list[Token]:
        """Return the tokens of an address in standard form; the null address is left alone."""
        if not tokens or tokens == [_NULL]:
            return tokens
        if tokens == [AT]:
            return []
        if tokens[0] == AT and _COLON in tokens:
            # A source route: only its last stop counts (RFC 1123 section 5.3.3).
            colon = tokens.index(_COLON)
            if colon + 1 < len(tokens):
                tokens = tokens[colon + 1 :]
        at = last_at(tokens)
        if at < 0:
            tokens = self._routed(tokens)
            at = last_at(tokens)
        if at < 0:
            origin = self._origins[context]
            if not self._append_at or not origin:
                return _without_last_dot(tokens)
            at = len(tokens)
            tokens = [*tokens, AT, *origin]
        return self._completed(context, tokens, at)

    def _routed(self, tokens: list[Token]) -> list[Token]:
        """Turn ``site!user`` (swap_bangpath) or else ``user%site`` (allow_percent_hack) into ``user@site``."""
        if self._swap_bangpath and BANG in tokens:
            bang = tokens.index(BANG)
            user = tokens[bang + 1 :]
            return [*(user if bang else _glued(user)), AT, *tokens[:bang]]
        if self._percent_hack and PERCENT in tokens:
            percent = len(tokens) - 1 - tokens[::-1].index(PERCENT)
            return [*tokens[:percent], AT, *tokens[percent + 1 :]]
        return tokens

    def _completed(self, context: str, tokens: list[Token], at: int) -> list[Token]:
        """Complete a domain without dots (append_dot_mydomain), and drop a dot at the end of one."""
        domain = tokens[at + 1 :]
        if DOT not in domain:
            mydomain = self._domains[context]
            if not domain or not self._append_dot or not mydomain or any(kind == LITERAL for kind, _ in domain):
                return tokens
            if self._warn and context == LOCAL:
                self._tell_default(domain[0][1], mydomain)
            return [*tokens, DOT, *scan(mydomain)]
        return _without_last_dot(tokens)

    def _tell_default(self, domain: str, mydomain: str) -> None:
        advice = ""
        if domain.lower() == "localhost":
            if self._localhost_is_ours:
                return
            advice = '; please add "localhost" to mydestination or other address class'
        log.info(
            "using backwards-compatible default setting append_dot_mydomain=yes to rewrite "
            f'"{domain}" to "{domain}.{mydomain}"{advice}'
        )
