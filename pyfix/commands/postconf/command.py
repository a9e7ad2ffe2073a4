"""The command itself: which of the things that postconf(1) does is asked for."""

from __future__ import annotations

import os

from pyfix.commands.postconf import edit, edit_services
from pyfix.commands.postconf.configuration import Configuration
from pyfix.commands.postconf.features import FEATURES, show_tls, table_types
from pyfix.commands.postconf.layout import Layout
from pyfix.commands.postconf.messages import Fatal, fatal, print_text, warn
from pyfix.commands.postconf.options import Options, parse
from pyfix.commands.postconf.show import Shown, listed_names, show_parameters, warn_unused
from pyfix.commands.postconf.show_services import show_services
from pyfix.config.errors import ConfigError

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str]) -> int:
    """Run ``postconf`` with its arguments (without the program's name) and return the exit status.

    0: done, also when a name was not known; 1: fatal.  Source: postconf(1).
    """
    try:
        return _run(parse(argv))
    except Fatal as error:
        fatal(str(error))
    except ConfigError as error:
        for warning in error.warnings:
            warn(warning)
        fatal(str(error))
    return 1


def _run(options: Options) -> int:
    if options.config_directory:
        os.environ["MAIL_CONFIG"] = options.config_directory
    if options.tls_mode is not None:
        return show_tls(options.tls_mode)
    configuration = Configuration(options.config_directory, quiet="q" in options, verbose="v" in options)
    if options.mode == "m":
        configuration.read_main(options.overrides)
        print_text("".join(f"{name}\n" for name in table_types(configuration.snapshot)))
    elif options.mode in FEATURES:
        print_text("".join(f"{name}\n" for name in FEATURES[options.mode]()))
    elif options.mode in "bt":
        _show_templates(configuration, options)
    elif options.editing:
        how = next(letter for letter in "eX#" if letter in options)
        if options.mode == "p":
            edit.edit_main(configuration.main_path, how, options.arguments)
        else:
            edit_services.edit_services(configuration.master_path, options.mode, how, options.arguments)
    elif options.mode == "p":
        _show_main(configuration, options)
    else:
        _show_master(configuration, options)
    return 0


def _layout(options: Options) -> Layout:
    return Layout(folded="f" in options, name="h" not in options, value="H" not in options, json="j" in options)


def _show_main(configuration: Configuration, options: Options) -> None:
    defaults = "d" in options
    if not defaults:
        configuration.read_main(options.overrides)
    configuration.read_master(needed=False)
    configuration.declare()
    if not defaults:
        configuration.find_user_names()
    shown = Shown(configuration, _layout(options), defaults=defaults, only_set="n" in options, expanded="x" in options)
    names = options.arguments or listed_names(configuration, options.classes)
    show_parameters(shown, names, asked=bool(options.arguments))
    if not defaults and not configuration.quiet:
        warn_unused(configuration, main=True)


def _show_master(configuration: Configuration, options: Options) -> None:
    configuration.read_main(options.overrides)
    configuration.read_master(needed=True)
    configuration.declare()
    configuration.find_user_names()
    show_services(configuration, options.mode, options.arguments, _layout(options), expanded="x" in options)
    if not configuration.quiet:
        warn_unused(configuration, main=False)


def _show_templates(configuration: Configuration, options: Options) -> None:
    """Let bounce(8) show its templates, which it knows how to read.  Raises Fatal when it can't be run."""
    if len(options.arguments) > 1:
        raise Fatal("options -b and -t require at most one template file")
    configuration.read_main(options.overrides)
    snapshot = configuration.snapshot
    how = "expand_templates" if options.mode == "b" else "dump_templates"
    program = f"{snapshot.value('daemon_directory')}/bounce"
    template = [] if not options.arguments else ["-o", f"bounce_template_file={options.arguments[0]}"]
    try:
        os.execv(program, ["bounce", f"-SVn{how}", *template, "-o", "queue_directory=."])
    except OSError as error:
        raise Fatal(f"execv {program}: {error.strerror}") from None
