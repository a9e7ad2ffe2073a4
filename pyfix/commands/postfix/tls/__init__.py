"""``postfix tls``: enable TLS, and look after keys and certificates of the SMTP server.  Source: postfix-tls(1)."""

from __future__ import annotations

from pyfix.commands.postfix.system import System
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS = {
    "enable-client": ("client", "enable"),
    "enable-server": ("server", "enable"),
    "new-server-key": ("server", "new_key"),
    "new-server-cert": ("server", "new_certificate"),
    "deploy-server-cert": ("server", "deploy"),
    "output-server-csr": ("output", "request"),
    "output-server-tlsa": ("output", "tlsa"),
    "all-default-client": ("client", "all_default"),
    "all-default-server": ("server", "all_default"),
}
"""Module and function of each sub-command; the function takes a System and the words after the sub-command."""


def tls(system: System, words: Sequence[str]) -> int:
    """Run the sub-command that the first word names; return the exit status.  Raises Failure."""
    log.tag = f"{system.settings.syslog_name}/postfix-tls-script"
    name = words[0] if words else ""
    found = COMMANDS.get(name)
    if found is None:
        first, *others = COMMANDS
        system.error(f"unknown tls command: '{name}'")
        raise system.failure(f"usage: postfix tls {first} (or {', '.join(others)})")
    module, function = found
    from importlib import import_module

    command: Callable[[System, Sequence[str]], int] = getattr(
        import_module(f"pyfix.commands.postfix.tls.{module}"), function
    )
    return command(system, words[1:])
