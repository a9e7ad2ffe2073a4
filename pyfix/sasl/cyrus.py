"""What Cyrus SASL does for the SMTP server, by its configuration and without its library.

Passwords are checked by saslauthd(8) or looked up in sasldb; the mechanisms are PLAIN, LOGIN, CRAM-MD5 and DIGEST-MD5.
Source: SASL_README, "Configuring Cyrus SASL"; Cyrus SASL, "Options"; postconf(5) cyrus_sasl_config_path,
smtpd_sasl_path, smtpd_sasl_local_domain, smtpd_sasl_service.
"""

from __future__ import annotations

import hmac
import os
import secrets
import sys
import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Final

from pyfix.protocols.sasl import cram_md5, digest_md5, login, plain
from pyfix.protocols.sasl.base64text import BadBase64, decoded, encoded
from pyfix.protocols.sasl.cyrus_conf import BadConfiguration, CyrusConfiguration, parse_configuration
from pyfix.protocols.sasl.properties import MECHANISMS, PLAINTEXT, Demands, Mechanism
from pyfix.protocols.sasl.step import Challenge, Failure, Step, Success
from pyfix.runtime.log import log
from pyfix.runtime.threads import in_thread
from pyfix.sasl.saslauthd import SaslauthdError, check_password
from pyfix.sasl.sasldb import SasldbError, find_password
from pyfix.sasl.service import Dialogue, Peer, SaslService

__all__ = ["CyrusService", "NoCyrus"]

_LIBRARY_FOLDERS: Final = f"/usr/lib/{getattr(sys.implementation, '_multiarch', '')}/sasl2:/usr/lib/sasl2"
DEFAULT_PATH: Final = f"/etc/postfix/sasl:/etc/sasl2:/etc/sasl:{_LIBRARY_FOLDERS}"
"""Where Debian's Postfix 3.7 looks for configuration files first, and then its Cyrus SASL."""
_LIST_NAME: Final = "xsasl_cyrus_server_get_mechanism_list"
_WRONG: Final = "authentication failure"
_GARBLED: Final = "bad protocol / cancel"
_INCOMPLETE: Final = "another step is needed in authentication"
_BROKEN: Final = "generic failure"
_NO_MECHANISM: Final = "no mechanism available"
_NEEDS_ENCRYPTION: Final = "encryption needed to use mechanism"


class NoCyrus(Exception):
    """The configuration can't be used; the text is for the log."""


def read_configuration(path: str, name: str) -> CyrusConfiguration:
    """Read ``name.conf`` in the first folder of *path* that has one; without one there are the defaults.

    Raises NoCyrus.
    """
    text = ""
    for folder in (path or DEFAULT_PATH).split(":"):
        try:
            with open(os.path.join(folder, f"{name}.conf"), "rb") as stream:
                text = stream.read().decode("utf-8", "surrogateescape")
            break
        except OSError:
            continue
    try:
        return CyrusConfiguration.of(parse_configuration(text))
    except BadConfiguration:
        raise NoCyrus("SASL per-process initialization failed: error when parsing configuration file") from None


def _problem(text: str) -> None:
    log.warning(f"SASL authentication failure: {text}")


class CyrusService(SaslService):
    """``smtpd_sasl_type = cyrus``."""

    def __init__(self, configuration: CyrusConfiguration, *, service: str, realm: str, hostname: str) -> None:
        """*realm* is that of logins without one; empty: none, and that of *hostname* in sasldb."""
        self.configuration: Final = configuration
        self.hostname: Final = hostname
        self.realm: Final = realm
        self._service: Final = service.encode("utf-8", "surrogateescape")
        wanted = configuration.mechanisms or ("DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN")
        self._mechanisms: Final = [Mechanism(name, MECHANISMS[name]) for name in wanted if name in _DIALOGUES]

    async def mechanisms(self) -> Sequence[Mechanism]:
        """Return what mech_list lets us offer."""
        return self._mechanisms

    def dialogue(self, mechanism: str, peer: Peer, demands: Demands) -> Dialogue:
        """Begin a dialogue."""
        name = mechanism.upper()
        for known in self._mechanisms:
            if known.name == name:
                if demands.admit(known.properties):
                    return _DIALOGUES[name](self)
                forbidden = PLAINTEXT in demands.forbidden & known.properties
                return _NoDialogue(_NEEDS_ENCRYPTION if forbidden else _NO_MECHANISM)
        return _NoDialogue(_NO_MECHANISM, f"Couldn't find mech {mechanism}")

    def lack(self, offered: Sequence[Mechanism]) -> str:
        """Return what to warn of."""
        return f"{_LIST_NAME}: no applicable SASL mechanisms" if offered else f"{_LIST_NAME}: {_NO_MECHANISM}"

    def full_name(self, name: bytes) -> bytes | None:
        """Return who a client is, with the realm of this site if it names none; None when it has no name."""
        name = name.partition(b"\0")[0]
        if not name:
            return None
        name = name.strip()
        if name and b"@" not in name and self.realm:
            name += b"@" + self.realm.encode("utf-8", "surrogateescape")
        return name

    def _parts(self, name: bytes) -> tuple[bytes, bytes]:
        """Return user and realm of a full name."""
        user, at, realm = name.rpartition(b"@")
        return (user, realm) if at else (name, b"")

    async def password(self, name: bytes) -> bytes | None:
        """Return the password of a client in sasldb, None when it has none.  Raises SasldbError."""
        user, realm = self._parts(name)
        if not realm:
            realm = self.hostname.encode("utf-8", "surrogateescape")
        return await in_thread(find_password, self.configuration.sasldb_path, user, realm)

    async def check(self, name: bytes, password: bytes) -> Failure | None:
        """Ask each verifier of pwcheck_method in turn whether the password is right; return the last one's refusal."""
        text = name.decode("utf-8", "surrogateescape")
        failure: Failure | None = None
        for verifier in self.configuration.verifiers:
            if verifier == "saslauthd":
                failure = await self._ask_saslauthd(name, text, password)
            elif verifier in ("auxprop", "auxprop-hashed"):
                failure = await self._ask_sasldb(name, text, password)
            else:
                continue
            if failure is None:
                return None
        if failure is None:
            named = " ".join(self.configuration.verifiers)
            log.warning(f"SASL authentication problem: unknown password verifier(s) {named}")
            return Failure(_NO_MECHANISM, text)
        return failure

    async def _ask_saslauthd(self, name: bytes, text: str, password: bytes) -> Failure | None:
        user, realm = self._parts(name)
        try:
            right = await check_password(self.configuration.saslauthd_path, user, password, self._service, realm)
        except SaslauthdError as error:
            _problem(str(error))
            return Failure(_BROKEN, text, temporary=True)
        return None if right else Failure(_WRONG, text)

    async def _ask_sasldb(self, name: bytes, text: str, password: bytes) -> Failure | None:
        try:
            known = await self.password(name)
        except SasldbError as error:
            log.warning(f"SASL authentication problem: {error}")
            return Failure(_BROKEN, text, temporary=True)
        if known is None or not hmac.compare_digest(known, password):
            return Failure(_WRONG, text)
        return None


class _NoDialogue(Dialogue):
    """A mechanism that is not there, or not for this client."""

    __slots__ = ("_problem", "_reason")

    def __init__(self, reason: str, problem: str = "") -> None:
        self._reason = reason
        self._problem = problem

    async def start(self, response: str | None) -> Step:
        """Refuse."""
        try:
            decoded(response or "")
        except BadBase64 as error:
            return _undecodable(error)
        if self._problem:
            _problem(self._problem)
        return Failure(self._reason)

    async def respond(self, response: str) -> Step:
        """Refuse; never called, as there was no challenge."""
        return Failure(self._reason)


class _CyrusDialogue(Dialogue):
    """A dialogue that we hold ourselves."""

    __slots__ = ("service",)

    def __init__(self, service: CyrusService) -> None:
        self.service = service

    async def start(self, response: str | None) -> Step:
        """Begin."""
        if response is None:
            return self.ask()
        try:
            return await self.first(decoded(response))
        except BadBase64 as error:
            return _undecodable(error)

    async def respond(self, response: str) -> Step:
        """Go on."""
        try:
            return await self.next(decoded(response))
        except BadBase64 as error:
            return _undecodable(error)

    @abstractmethod
    def ask(self) -> Challenge:
        """Return the first challenge."""

    async def first(self, response: bytes) -> Step:
        """Take an initial response: what the first challenge would have brought."""
        return await self.next(response)

    @abstractmethod
    async def next(self, response: bytes) -> Step:
        """Take a response."""


def _undecodable(error: BadBase64) -> Failure:
    return Failure(_INCOMPLETE if error.incomplete else _GARBLED)


def _garbled(problem: object) -> Failure:
    _problem(str(problem))
    return Failure(_GARBLED)


def _nameless() -> Failure:
    _problem("All-whitespace username.")
    return Failure(_BROKEN, temporary=True)


class _PlainDialogue(_CyrusDialogue):
    __slots__ = ()

    def ask(self) -> Challenge:
        return Challenge("")

    async def next(self, response: bytes) -> Step:
        try:
            wanted, name, password = plain.parse_plain(response)
        except plain.BadMessage as error:
            return _garbled(error)
        who = self.service.full_name(name)
        if who is None:
            return _nameless()
        failure = await self.service.check(who, password)
        if failure is not None:
            _problem("Password verification failed")
            return Failure(failure.reason, None if wanted else failure.username, failure.temporary)
        as_whom = self.service.full_name(wanted) or who
        username = as_whom.decode("utf-8", "surrogateescape")
        if as_whom != who:
            _problem("Requested identity not authenticated identity")
            return Failure(_WRONG, username)
        return Success(username)


class _LoginDialogue(_CyrusDialogue):
    __slots__ = ("_name",)

    def __init__(self, service: CyrusService) -> None:
        super().__init__(service)
        self._name: bytes | None = None

    def ask(self) -> Challenge:
        return Challenge(encoded(login.ASK_NAME))

    async def next(self, response: bytes) -> Step:
        if self._name is None:
            self._name = response
            return Challenge(encoded(login.ASK_PASSWORD))
        who = self.service.full_name(self._name)
        if who is None:
            return _nameless()
        failure = await self.service.check(who, response)
        return Success(who.decode("utf-8", "surrogateescape")) if failure is None else failure


class _CramDialogue(_CyrusDialogue):
    __slots__ = ("_challenge",)

    def ask(self) -> Challenge:
        number = secrets.randbelow(1 << 32)
        self._challenge = cram_md5.cram_challenge(number, int(time.time()), self.service.hostname)
        return Challenge(encoded(self._challenge))

    async def first(self, _response: bytes) -> Step:
        return _garbled("Remote sent first but mech does not allow it.")

    async def next(self, response: bytes) -> Step:
        try:
            name, digest = cram_md5.parse_cram(response)
        except plain.BadMessage as error:
            return _garbled(error)
        who = self.service.full_name(name)
        if who is None:
            return _nameless()
        username = who.decode("utf-8", "surrogateescape")
        try:
            password = await self.service.password(who)
        except SasldbError as error:
            log.warning(f"SASL authentication problem: {error}")
            return Failure(_BROKEN, username, temporary=True)
        if password is None:
            return Failure(_WRONG, username)
        if not hmac.compare_digest(cram_md5.cram_digest(password, self._challenge), digest):
            _problem("incorrect digest response")
            return Failure(_WRONG, username)
        return Success(username)


class _DigestDialogue(_CyrusDialogue):
    __slots__ = ("_nonce", "_success")

    def __init__(self, service: CyrusService) -> None:
        super().__init__(service)
        self._nonce = encoded(secrets.token_bytes(32)).encode("ascii")
        self._success: Success | None = None

    def ask(self) -> Challenge:
        realm = self.service.realm or self.service.hostname
        return Challenge(encoded(digest_md5.digest_challenge(self._nonce, realm)))

    async def first(self, _response: bytes) -> Step:
        return self.ask()  # it would be good for a challenge of before

    async def next(self, response: bytes) -> Step:
        if self._success is not None:
            return self._success
        try:
            said = digest_md5.ServerDialogue(response, self._nonce)
        except plain.BadMessage as error:
            _problem(str(error))
            return Failure(_WRONG)
        name = said.login if b"@" in said.login or not said.realm else said.login + b"@" + said.realm
        username = (self.service.full_name(said.login) or said.login).decode("utf-8", "surrogateescape")
        try:
            password = await self.service.password(name)
        except SasldbError as error:
            log.warning(f"SASL authentication problem: {error}")
            return Failure(_BROKEN, username, temporary=True)
        answer = None if password is None else said.answer(password)
        if answer is None:
            _problem("client response doesn't match what we generated")
            return Failure(_WRONG)
        if said.wanted and self.service.full_name(said.wanted) != self.service.full_name(said.login):
            _problem("Requested identity not authenticated identity")
            return Failure(_WRONG, said.wanted.decode("utf-8", "surrogateescape"))
        self._success = Success(username)
        return Challenge(encoded(answer))


_DIALOGUES: Final[dict[str, type[_CyrusDialogue]]] = {
    "PLAIN": _PlainDialogue,
    "LOGIN": _LoginDialogue,
    "CRAM-MD5": _CramDialogue,
    "DIGEST-MD5": _DigestDialogue,
}
