"""The command attributes of a service: what stands behind ``pipe`` in master.cf.

Source: pipe(8), COMMAND ATTRIBUTE SYNTAX.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.mail import MailSettings
from pyfix.runtime.identity import Owner, group_id, is_rootless, mail_owner, named_owner

_FLAGS: Final = frozenset("BDFORXhqu.>")
_ESCAPES: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_ESCAPE: Final = re.compile(r"\\([0-7]{1,3}|.)", re.DOTALL)
_SIZE: Final = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(slots=True)
class CommandAttributes:
    """What a service does with each message."""

    arguments: Sequence[str] = ()
    """The command, with macros."""
    owner: Owner = field(default_factory=lambda: Owner(0, 0))
    flags: frozenset[str] = frozenset()
    directory: str = ""
    root_directory: str = ""
    end_of_line: str = "\n"
    null_sender: str = "MAILER-DAEMON"
    size_limit: int = 0
    """Bytes of a message, 0 for any number."""


def read_attributes(words: Sequence[str], settings: MailSettings) -> CommandAttributes:
    """Read the attributes of a service.  Raises ConfigError."""
    attributes = CommandAttributes()
    owner: Owner | None = None
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        match name.lower() if equals else "":
            case "flags":
                attributes.flags = _flags(value)
            case "user":
                owner = named_owner(value, "get_service_attr: unknown username", "get_service_attr: unknown group")
            case "directory":
                attributes.directory = value
            case "chroot":
                attributes.root_directory = value
            case "eol":
                attributes.end_of_line = _unescaped(value)
            case "null_sender":
                attributes.null_sender = value
            case "size":
                if not _SIZE.fullmatch(value):
                    raise ConfigError(f"get_service_attr: bad size= value: {value}")
                attributes.size_limit = int(value)
            case "argv":
                attributes.arguments = [value, *words[index + 1 :]]
                break
            case _:
                raise ConfigError(f"unknown attribute name: {word}")
    if owner is None:
        raise ConfigError("missing user= command-line attribute")
    if not attributes.arguments:
        raise ConfigError("missing argv= command-line attribute")
    _check_owner(owner, settings)
    attributes.owner = owner
    return attributes


def _flags(value: str) -> frozenset[str]:
    for flag in value:
        if flag not in _FLAGS:
            raise ConfigError(f"unknown flag: {flag} (ignored)")
    return frozenset(value)


def _check_owner(owner: Owner, settings: MailSettings) -> None:
    """Refuse rights that no command may have.  Without root there are none but the caller's."""
    if is_rootless():
        return
    system = mail_owner(settings.mail_owner)
    prefix = "user= command-line attribute specifies"
    if owner.uid == 0:
        raise ConfigError(f"{prefix} root privileges")
    if owner.uid == system.uid:
        raise ConfigError(f"{prefix} mail system owner {settings.mail_owner}")
    if owner.gid == 0:
        raise ConfigError(f"{prefix} privileged group id 0")
    if owner.gid == system.gid:
        raise ConfigError(f"{prefix} mail system owner {settings.mail_owner} group id {owner.gid}")
    if owner.gid == group_id(settings.setgid_group):
        raise ConfigError(f"{prefix} mail system {settings.setgid_group} group id {owner.gid}")


def _unescaped(text: str) -> str:
    """Return *text* with the escapes of C: \\r, \\n, \\ooo and so on."""

    def character(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] in "01234567":
            return chr(int(code, 8) & 0xFF)
        return _ESCAPES.get(code, code)

    return _ESCAPE.sub(character, text)
