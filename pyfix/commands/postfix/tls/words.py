"""What several sub-commands of ``postfix tls`` do with their words and with main.cf."""

from __future__ import annotations

from pyfix.commands.postfix.system import Failure, System
from pyfix.runtime.console import BadOption, parse_options

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

USAGES = {
    "enable-client": "[-r devrandom]",
    "enable-server": "[-a algorithm] [-b bits ] [-r devrandom] [hostname ...]",
    "new-server-key": "[-a algorithm] [-b bits ] [hostname ...]",
    "new-server-cert": "[-a algorithm] [-b bits ] [hostname ...]",
    "deploy-server-cert": "certfile keyfile",
    "output-server-csr": "[-k keyfile] [hostname ...]",
    "output-server-tlsa": "[-h hostname] [keyfile ...]",
    "all-default-client": "",
    "all-default-server": "",
}
"""The words that each sub-command takes."""


def usage(system: System, command: str) -> Failure:
    """Say which words a sub-command takes; return what to raise."""
    return system.failure(f"usage: postfix tls {command} {USAGES[command]}".rstrip())


def options_of(system: System, command: str, words: Sequence[str], known: str) -> tuple[dict[str, str], list[str]]:
    """Return the options, the last one of each letter, and the words after them.  Raises Failure for a wrong option."""
    try:
        options, rest = parse_options(words, known)
    except BadOption:
        raise usage(system, command) from None
    return dict(options), rest


def is_default(system: System, names: Sequence[str]) -> bool:
    """Tell whether main.cf says nothing, or nothing but an empty value, about all of these parameters."""
    return not any(system.snapshot.raw(name) for name in names)


def edit_main(system: System, **values: str) -> None:
    """Write values into main.cf.  Raises Failure when they can't be written."""
    if system.run(system.command("postconf"), "-e", *(f"{name} = {value}" for name, value in values.items())) != 0:
        raise Failure


def random_source(system: System, options: dict[str, str]) -> str:
    """Return the value for tls_random_source: that of option -r, else the present one, else the default."""
    chosen = options.get("r") or system.snapshot.value("tls_random_source")
    return chosen or system.snapshot.default("tls_random_source") or ""


def path_of(system: System, name: str) -> str:
    """Return the path of a file that may be named relative to config_directory."""
    return name if name.startswith("/") else f"{system.config_directory}/{name}"


def hosts_of(system: System, words: Sequence[str]) -> list[str]:
    """Return the host names for a certificate: the words, or else myhostname, which an empty first word also means."""
    first, *others = words or [""]
    return [first or system.settings.myhostname, *others]


def tell(system: System, text: str) -> None:
    """Log and show the lines of a text."""
    for line in text.splitlines():
        system.info(line)


RELOAD = """\
Run the command:
  # postfix reload
if you want the new settings to take effect immediately."""
