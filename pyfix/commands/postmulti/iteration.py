"""One command for several instances: ``-l``, ``-p`` and ``-x``."""

from __future__ import annotations

import os
import sys

from pyfix.commands.postmulti.instances import Instance, Instances
from pyfix.runtime.console import CommandError
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfix.commands.postmulti import Request


def act(request: Request, instances: Instances) -> int:
    """List instances, or run a command for each; return 0, or 1 when it failed for one.

    Raises CommandError when a command would run for no instance.
    """
    chosen = instances.selected(request.selection)
    if request.reverse:
        chosen.reverse()
    if request.mode == "l":
        for instance in chosen:
            print(_json(instance) if request.json else _row(instance))
        return 0
    tasks = [(instance, request.words) for instance in chosen]
    if request.mode == "p":
        tasks = list(_wrapped(request.words, chosen, instances))
    if not tasks:
        raise CommandError("No matching instances")
    failed = [instance for instance, words in tasks if run_for(instance, words, instances) != 0]
    return 1 if failed else 0


def _row(instance: Instance) -> str:
    enabled = "y" if instance.enabled else "n"
    return f"{instance.name or '-':<15} {instance.group or '-':<15} {enabled:<9} {instance.config_directory}"


def _json(instance: Instance) -> str:
    import json

    members = (
        ("name", instance.name or "-"),
        ("group", instance.group or "-"),
        ("enabled", "y" if instance.enabled else "n"),
        ("config_directory", instance.config_directory),
    )
    return "{" + ",".join(f'"{name}": {json.dumps(value, ensure_ascii=False)}' for name, value in members) + "}"


def _wrapped(
    words: Sequence[str], chosen: Sequence[Instance], instances: Instances
) -> Sequence[tuple[Instance, list[str]]]:
    """Return what postfix(1) is to do for which instance.

    Source: postfix-wrapper(5); postconf(5) postmulti_start_commands, postmulti_stop_commands,
    postmulti_control_commands.
    """
    settings = instances.settings
    postfix = os.path.join(settings.command_directory, "postfix")
    command = words[0]
    if command in settings.postmulti_start_commands:
        return [(one, [postfix, *(words if one.enabled else ["check"])]) for one in chosen]
    if command in settings.postmulti_stop_commands:
        return [(one, [postfix, *words]) for one in reversed(chosen) if one.enabled]
    if command in settings.postmulti_control_commands:
        return [(one, [postfix, *words]) for one in chosen if one.enabled]
    return [(one, [postfix, *words]) for one in chosen]


def run_for(instance: Instance, argv: Sequence[str], instances: Instances) -> int:
    """Run a program with the environment of *instance*; return its exit status."""
    sys.stdout.flush()
    sys.stderr.flush()
    environment = environment_of(instance, instances)
    try:
        pid = os.fork()
    except OSError as error:
        raise CommandError(f"fork {argv[0]}: {error.strerror}") from error
    if pid == 0:
        try:
            os.execvpe(argv[0], list(argv), environment)
        except OSError as error:
            log.fatal(f"execvp {argv[0]}: {error.strerror}")
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def environment_of(instance: Instance, instances: Instances) -> dict[str, str]:
    """Return what programs find that run for *instance*.  Source: postmulti(1)."""
    settings = instances.settings
    environment = {**os.environ, "MAIL_CONFIG": instance.config_directory, "MAIL_LOGTAG": settings.syslog_name}
    environment["PATH"] = f"{settings.command_directory}:{os.environ.get('PATH', '/usr/bin:/bin')}"
    if settings.maillog_file:
        service = os.path.join(settings.queue_directory, "public", settings.postlog_service_name)
        environment |= {"POSTLOG_SERVICE": service, "POSTLOG_HOSTNAME": settings.myhostname}
    return environment | {
        "command_directory": settings.command_directory,
        "daemon_directory": settings.daemon_directory,
        "config_directory": instance.config_directory,
        "queue_directory": instance.queue_directory,
        "data_directory": instance.data_directory,
        "multi_instance_name": instance.name,
        "multi_instance_group": instance.group,
        "multi_instance_enable": "yes" if instance.enabled else "no",
    }
