"""postfix(1): start, stop and look after the mail system.

What Postfix's command hands to shell scripts happens here, in the same steps and with the same log lines.
"""

from __future__ import annotations

import os
import sys

from pyfix.commands.postfix.compatibility import tell_old_defaults
from pyfix.commands.postfix.system import Failure, System
from pyfix.config.errors import ConfigError
from pyfix.runtime.console import BadOption, CommandError, parse_options
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_USAGE = "usage: postfix [-c config_dir] [-Dv] command"

COMMANDS = {
    "start": ("start", "start"),
    "start-fg": ("start", "start_in_foreground"),
    "stop": ("stop", "stop"),
    "quick-stop": ("stop", "stop_quickly"),
    "abort": ("stop", "abort"),
    "drain": ("stop", "drain"),
    "reload": ("running", "reload"),
    "flush": ("running", "flush"),
    "status": ("running", "status"),
    "logrotate": ("logfile", "rotate"),
    "check": ("check", "check"),
    "explain": ("explain", "explain"),
    "health": ("health", "health"),
    "set-permissions": ("installation", "set_permissions"),
    "upgrade-configuration": ("installation", "upgrade_configuration"),
    "post-install": ("installation", "post_install"),
    "non-bdb": ("migration", "non_bdb"),
    "tls": ("tls", "tls"),
}
"""Module and function of each command; the function takes a System and the words after the command."""

_ADDED = ("explain", "health")
"""Commands of our own, which tell of a spoilt configuration in their own way."""


def main(argv: Sequence[str]) -> int:
    """Run postfix with the arguments after its name; return the exit status: 0, or 1 for failure.

    Source: postfix(1).
    """
    log.tag = "postfix"
    log.to_stderr()
    try:
        return _run(argv)
    except Failure:
        return 1
    except CommandError as error:
        log.fatal(str(error))
        return error.status
    except ConfigError as error:
        for warning in error.warnings:
            log.warning(warning)
        log.fatal(str(error))
        return 1


def _run(argv: Sequence[str]) -> int:
    try:
        options, words = parse_options(argv, "c:Dv")
    except BadOption as error:
        print(f"postfix: {error}", file=sys.stderr)
        raise CommandError(_USAGE) from None
    _set_environment(options)
    system = _open_system()
    tell_old_defaults(system.snapshot)
    several = _has_instances(system)
    system.enter()
    if several:
        return _hand_over(system, [*system.settings.multi_instance_wrapper.split(), *words])
    name = words[0] if words else ""
    if name not in _ADDED and "--doctor" not in words:
        system.check_files()
    if name.startswith("/"):
        return system.execute(words)
    return _command(name, system)(system, words[1:])


def _set_environment(options: Sequence[tuple[str, str]]) -> None:
    """Hand the options on to all programs that run from here."""
    verbosity = 0
    for letter, value in options:
        match letter:
            case "c":
                if not value.startswith("/"):
                    raise CommandError("-c requires absolute pathname")
                os.environ["MAIL_CONFIG"] = value
            case "D":
                os.environ["MAIL_DEBUG"] = ""
            case "v":
                verbosity += 1
    if verbosity:
        log.verbosity = verbosity
        os.environ["MAIL_VERBOSE"] = str(verbosity)


def _open_system() -> System:
    """Read main.cf.  Without root, only the one to whom the mail system belongs may go on."""
    if os.getuid() == 0:
        return System.read()
    try:
        system = System.read()
        if os.stat(system.settings.queue_directory).st_uid == os.getuid():
            return system
    except FileNotFoundError as error:
        raise CommandError(f"chdir({error.filename}): {error.strerror}") from None
    except (ConfigError, OSError):
        pass
    log.error("to submit mail, use the Postfix sendmail command")
    raise CommandError("the postfix command is reserved for the superuser")


def _has_instances(system: System) -> bool:
    """Tell whether multi_instance_wrapper has to run the command, for all instances.

    Source: postconf(5) multi_instance_directories; MULTI_INSTANCE_README.
    """
    if "MAIL_CONFIG" in os.environ:
        return False
    settings = system.settings
    if settings.multi_instance_directories and not settings.multi_instance_wrapper:
        raise CommandError("multi-instance support is requested, but multi_instance_wrapper is empty")
    return bool(settings.multi_instance_directories)


def _hand_over(system: System, argv: Sequence[str]) -> int:
    """Become the program that acts on all instances.  Raises CommandError."""
    log.tag = "postfix"
    log.to_stderr()
    try:
        os.execvpe(argv[0], list(argv), system.environment)
    except OSError as error:
        raise CommandError(f"{argv[0]}: {error.strerror}") from None


def _command(name: str, system: System) -> Callable[[System, Sequence[str]], int]:
    found = COMMANDS.get(name)
    if found is None:
        others = (
            "stop, reload, abort, flush, check, status, set-permissions, upgrade-configuration, logrotate, tls, non-bdb"
        )
        raise system.failure(f"unknown command: '{name}'. Usage: postfix start (or {others})")
    module, function = found
    from importlib import import_module

    command: Callable[[System, Sequence[str]], int] = getattr(
        import_module(f"pyfix.commands.postfix.{module}"), function
    )
    return command
