"""Which mechanism a client uses, of those that a server offers.

Source: RFC 4422 section 3.3; Cyrus SASL's own preference, which sites know from Postfix.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Final

from pyfix.protocols.sasl.base64text import encoded
from pyfix.protocols.sasl.bearer import OAuthBearer, XOAuth2
from pyfix.protocols.sasl.cram_md5 import CramMd5
from pyfix.protocols.sasl.digest_md5 import DigestMd5
from pyfix.protocols.sasl.login import Login
from pyfix.protocols.sasl.mechanism import ClientMechanism, Credentials
from pyfix.protocols.sasl.plain import Plain
from pyfix.protocols.sasl.properties import MECHANISMS, Demands
from pyfix.protocols.sasl.scram import ScramSha1, ScramSha256

__all__ = ["choose"]


def _nonce() -> bytes:
    return encoded(secrets.token_bytes(24)).encode("ascii")


_WITH_PASSWORD: Final[dict[str, Callable[[Credentials], ClientMechanism]]] = {
    "SCRAM-SHA-256": lambda credentials: ScramSha256(credentials, _nonce()),
    "SCRAM-SHA-1": lambda credentials: ScramSha1(credentials, _nonce()),
    "DIGEST-MD5": lambda credentials: DigestMd5(credentials, _nonce()),
    "CRAM-MD5": CramMd5,
    "PLAIN": Plain,
    "LOGIN": Login,
}
"""The best first."""
_WITH_TOKEN: Final[dict[str, Callable[[Credentials], ClientMechanism]]] = {
    "OAUTHBEARER": OAuthBearer,
    "XOAUTH2": XOAuth2,
}


def choose(
    offered: Sequence[str], demands: Demands, credentials: Credentials, *, is_token: bool = False
) -> ClientMechanism | None:
    """Return the best mechanism of *offered* that the site admits, None when there is none.

    *is_token*: what the credentials have is a token, and no password.
    """
    names = {name.upper() for name in offered}
    for name, make in (_WITH_TOKEN if is_token else _WITH_PASSWORD).items():
        if name in names and demands.admit(MECHANISMS[name]):
            return make(credentials)
    return None
