"""The units by which systemd runs the mail system: our own, or what is added to those of a distribution.

Source: systemd.service(5), systemd.exec(5).
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["added_to_units", "own_units"]

_PLACES = ("etc/systemd/system", "lib/systemd/system", "usr/lib/systemd/system")

# Delivery runs programs of users, some of them set-uid, with the whole file system: what would keep them from that
# (NoNewPrivileges, ProtectHome, PrivateTmp, RestrictSUIDSGID, a capability bounding set) is left out.
_HARDENING = """\
LockPersonality=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=yes
RestrictRealtime=yes
"""

# master says which process it is, so it may be started in the background, by whatever command the unit has.
_READINESS = """\
Type=notify
NotifyAccess=all
"""

# If the command fails, Postfix's programs run, which never say that they are ready: the unit's own way to find out
# stays.  It writes where ProtectSystem lets nobody write, hence "+".
_RETAKING = """\
ExecStartPre=-+{command}
"""

_UNIT = """\
[Unit]
Description=Postfix Mail Transport Agent{which}
Documentation=man:postfix(1)
Conflicts=sendmail.service exim4.service
ConditionPathExists=/etc/postfix/main.cf
After=network-online.target nss-lookup.target remote-fs.target
Wants=network-online.target

[Service]
{readiness}ExecStart={commands}/{command} start
ExecReload={commands}/{command} reload
ExecStop={commands}/{command} stop
{hardening}
[Install]
WantedBy=multi-user.target
"""


def own_units(commands: Path) -> dict[str, str]:
    """Return the units of an installation with *commands* as its command_directory: file name to text.

    ``postfix.service`` is the main instance with all others that it starts; ``postfix@NAME.service`` is one instance,
    ``postfix@-.service`` the main one by itself.
    """
    forms = (("postfix.service", "", "postfix"), ("postfix@.service", " (instance %i)", "postmulti -i %i -p"))
    return {
        name: _UNIT.format(which=which, commands=commands, command=command, readiness=_READINESS, hardening=_HARDENING)
        for name, which, command in forms
    }


def added_to_units(root: Path, retaking: str = "") -> dict[Path, str]:
    """Return what is added to the units that a distribution below *root* has for Postfix: path to text.

    The unit that really starts it is Debian's ``postfix@.service``, elsewhere ``postfix.service``; nothing without one.
    *retaking*: a command for each start, where an upgrade of the package brings Postfix's programs back.
    """
    for unit in ("postfix@.service", "postfix.service"):
        if any((root / place / unit).exists() for place in _PLACES):
            path = root / _PLACES[0] / f"{unit}.d/pyfix.conf"
            first = _RETAKING.format(command=retaking) if retaking else _READINESS
            return {path: f"# Added by pyfix-install --replace.\n[Service]\n{first}{_HARDENING}"}
    return {}
