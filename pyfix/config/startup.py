"""The checks that every Postfix program makes on main.cf before it does anything.

Source: the fatal lines of the Postfix programs, in their order.
"""

from __future__ import annotations

import os

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.mail import MailSettings
from pyfix.formats.macros import MacroError, level

__all__ = ["SYSLOG_FACILITIES", "check_command_startup", "check_startup", "hostname_complaint"]

SYSLOG_FACILITIES = frozenset(
    (
        *("auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user", "uucp"),
        *("local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"),
    )
)
_MAX_NAME, _MAX_LABEL, _SHOWN = 255, 63, 100
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


_NETWORK_NAMES = ("mynetworks", "mynetworks_style", "inet_protocols")


def check_command_startup(settings: MailSettings) -> None:
    """Make the checks of ``check_startup`` for a command, which does not ask the kernel for networks if it can help it.

    Raises ConfigError.
    """
    if not any(settings.snapshot.raw(name) is not None for name in _NETWORK_NAMES):
        settings.__dict__["mynetworks"] = ()  # no command reads it
    check_startup(settings)


def check_startup(settings: MailSettings) -> None:
    """Evaluate all parameters of *settings*, those of every program first.

    The accounts are looked up when we are root only: without root nobody changes uid.  Raises ConfigError with the
    reference's text for the first bad value.
    """
    snapshot = settings.snapshot
    try:
        level(snapshot.value("compatibility_level"))
    except MacroError as error:
        raise ConfigError(str(error)) from None
    where = f"file {snapshot.value('config_directory')}/main.cf"
    facility = settings.syslog_facility
    if facility not in SYSLOG_FACILITIES:
        raise ConfigError(f"{where}: parameter syslog_facility: unrecognized value: {facility}")
    for name, value in (("myhostname", settings.myhostname), ("mydomain", settings.mydomain)):
        complaint = hostname_complaint(value)
        if complaint:
            text = f"{where}: parameter {name}: bad parameter value: {value}"
            raise ConfigError(text, warnings=(f"valid_hostname: {complaint}",))
    for attribute, declaration in MailSettings.parameters().items():
        if attribute not in ("mynetworks", "myorigin") and declaration.is_read_by(snapshot.process_name):
            getattr(settings, attribute)
    if os.geteuid() == 0:
        _check_accounts(settings, where)
    settings.check()


def hostname_complaint(name: str) -> str:
    """Return what makes *name* no host name, empty when it is one.  Source: RFC 1035 section 2.3.1, plus ``_``."""
    data = name.encode("utf-8", "surrogateescape")
    if not data:
        return "empty hostname"
    label = 0
    numeric = True
    for position, byte in enumerate(data):
        character = chr(byte)
        before = data[position - 1 : position] if position else b""
        after = data[position + 1 : position + 2]
        if character in _LETTERS:
            label += 1
            if label > _MAX_LABEL:
                return f"hostname label too long: {name}"
            numeric = numeric and character.isdigit()
        elif character == ".":
            if before in (b"", b".") or not after:
                return f"misplaced delimiter: {name}"
            label = 0
        elif character == "-":
            numeric = False
            label += 1
            if before in (b"", b".") or after in (b"", b"."):
                return f"misplaced hyphen: {name}"
        else:
            return f"invalid character {byte}(decimal): {name}"
    if numeric:
        return f"numeric hostname: {name}"
    if len(data) > _MAX_NAME:
        return f"bad length {len(data)} for {name[:_SHOWN]}..."
    return ""


def _check_accounts(settings: MailSettings, where: str) -> None:
    import grp
    import pwd

    users: dict[str, pwd.struct_passwd] = {}
    for parameter, name in (("default_privs", settings.default_privs), ("mail_owner", settings.mail_owner)):
        try:
            users[parameter] = pwd.getpwnam(name)
        except KeyError:
            raise ConfigError(f"{where}: parameter {parameter}: unknown user name value: {name}") from None
        if users[parameter].pw_uid == 0:
            raise ConfigError(f"{where}: parameter {parameter}: user {name} has privileged user ID")
        if users[parameter].pw_gid == 0:
            raise ConfigError(f"{where}: parameter {parameter}: user {name} has privileged group ID")
    if users["default_privs"].pw_uid == users["mail_owner"].pw_uid:
        raise ConfigError(
            f"{where}: parameters default_privs and mail_owner specify the same user {settings.mail_owner}"
        )
    group = settings.setgid_group
    try:
        group_id = grp.getgrnam(group).gr_gid
    except KeyError:
        raise ConfigError(f"{where}: parameter setgid_group: unknown group name: {group}") from None
    if group_id == 0:
        raise ConfigError(f"{where}: parameter setgid_group: group {group} has privileged group ID")
    for parameter, user in users.items():
        if user.pw_gid == group_id:
            raise ConfigError(
                f"{where}: parameters {parameter} and setgid_group: user {user.pw_name} and group {group} "
                f"have the same group ID: {group_id}"
            )
