"""The master.cf of a test instance."""

from __future__ import annotations

STANDARD = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
"""The services of the master.cf that Postfix ships; ``{port}`` stands for the port of smtpd."""


def edited(text: str, changes: dict[str, str | None]) -> str:
    """Return a master.cf with services replaced (a full line) or left out (None) by name; new ones are added."""
    left = dict(changes)
    lines = []
    for line in text.splitlines():
        name = line.split(maxsplit=1)[0] if line.strip() else ""
        if name in left:
            new = left.pop(name)
            if new is not None:
                lines.append(new)
        else:
            lines.append(line)
    lines.extend(new for new in left.values() if new is not None)
    return "\n".join(lines) + "\n"


_AT_LARGE = frozenset(("proxymap", "local", "virtual"))
"""Programs that the shipped master.cf never jails: what they read is outside."""


def jailed() -> str:
    """Return the standard master.cf with each service in a chroot environment that can be in one."""
    lines = []
    for line in STANDARD.splitlines():
        fields = line.split()
        if fields[7] not in _AT_LARGE:
            fields[4] = "y"
        lines.append(" ".join(fields))
    return "\n".join(lines) + "\n"
