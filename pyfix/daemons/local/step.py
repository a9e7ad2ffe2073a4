"""One address on its way through aliases and .forward files, and what was decided on the way to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

from pyfix.config.parameters.local import LocalSettings
from pyfix.daemons.local.users import User
from pyfix.formats.attributes import Long
from pyfix.formats.extension import split_extension
from pyfix.protocols.internal.delivery import Recipient

__all__ = ["ALIAS", "FORWARD", "INCLUDE", "LEVELS_OF_A_LIST", "Step"]

ALIAS: Final = "alias"
FORWARD: Final = "forward"
INCLUDE: Final = "include"
LEVELS_OF_A_LIST: Final = 4
"""What an alias or .forward file adds to the level of its members; an :include: file adds one more."""


@dataclass(frozen=True, slots=True)
class Step:
    """One address.  A Step is never changed; each member of a list gets its own."""

    recipient: Recipient
    """What the log and notices call it."""
    sender: str
    """Who gets the failures of what is sent on."""
    delivered_to: str
    """The address for Delivered-To:."""
    level: int = 1
    """How deep in lists this stands, as the limit counts it."""
    parent: str = ""
    """The name that the last list was of: a name that stands for itself is the user of that name."""
    origin: str = ""
    """What kind of list that is: ALIAS, FORWARD, INCLUDE or empty."""
    owner: str = ""
    """Who answers for the list: the owner- alias, or the user whose :include: or .forward file it is."""
    actor: User | None = None
    """With whose rights files and commands are used; None for default_privs."""
    unmatched: str = ""
    """The extension that the members of the list get."""
    local: str = ""
    """The part before the @, in lower case."""
    user: str = ""
    """The same without the extension."""
    extension: str | None = None
    """None without a delimiter, empty with nothing behind it."""
    domain: str = ""

    @classmethod
    def first(cls, recipient: Recipient, sender: str, settings: LocalSettings) -> Step:
        """Return the step of a recipient of the request."""
        local, user, extension, domain = _parts(recipient.recipient, settings)
        return cls(recipient, sender, recipient.recipient, local=local, user=user, extension=extension, domain=domain)

    def member(self, address: str, settings: LocalSettings) -> Step:
        """Return the step of an address, internal form, that the list of this one has."""
        local, user, extension, domain = _parts(address, settings)
        return replace(
            self,
            recipient=replace(self.listed().recipient, recipient=address),
            level=self.level + LEVELS_OF_A_LIST,
            unmatched="",
            local=local,
            user=user,
            extension=extension,
            domain=domain,
        )

    def listed(self) -> Self:
        """Return the same for a list: nothing is marked in the queue file until all of it is done."""
        told = self.recipient
        if not told.offset:
            return self
        original = told.original_recipient or told.recipient
        return replace(self, recipient=replace(told, offset=Long(0), original_recipient=original))

    def without_backslash(self) -> Step:
        r"""Return the step of ``name`` for ``\name``."""
        told = replace(self.recipient, recipient=self.recipient.recipient[1:])
        return replace(self, recipient=told, local=self.local[1:], user=self.user[1:])

    @property
    def address(self) -> str:
        """The address itself, internal form."""
        return self.recipient.recipient


def _parts(address: str, settings: LocalSettings) -> tuple[str, str, str | None, str]:
    """Return the localpart of *address* in lower case, the same without its extension, the extension, the domain."""
    localpart, at, domain = address.rpartition("@")
    if not at:
        localpart, domain = domain, ""
    local = localpart.lower()
    user, extension = split_extension(
        local,
        settings.recipient_delimiter,
        double_bounce=settings.double_bounce_sender,
        owner_request=settings.owner_request_special,
    )
    return local, user, extension, domain.lower()
