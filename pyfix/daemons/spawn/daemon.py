"""spawn(8): run a command for each client of a service, with the connection as its input and output.

Source: spawn(8); postconf(5) command_time_limit, transport_time_limit.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from pyfix.config.errors import ConfigError
from pyfix.config.families import service_setting
from pyfix.config.parameters.command_delivery import CommandServiceSettings
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Snapshot
from pyfix.delivery.commandlimit import commands_at_a_time
from pyfix.delivery.rights import rights
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, run
from pyfix.runtime.identity import Owner, is_rootless, mail_owner, named_owner
from pyfix.runtime.log import log
from pyfix.runtime.process import Process, Program, exported_environment, start
from pyfix.runtime.stream import Stream

__all__ = ["Spawn", "main"]


class Spawn(Daemon):
    """The server that starts commands."""

    program = "spawn"
    privileged = True

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read the settings and the command attributes.  Raises ConfigError."""
        super().__init__(invocation, snapshot)
        settings = CommandServiceSettings(snapshot)
        settings.check()
        arguments, owner = _attributes(invocation.arguments, self.mail)
        # The caller's name is spelt as in Postfix's log.
        environment = exported_environment(settings.export_environment)
        self._program = Program(arguments, owner, environment, caller="spawn_comand", failure_status=1)
        self._time_limit = float(service_setting(snapshot, invocation.service, "_time_limit"))
        self.capacity, self.is_whole_service = commands_at_a_time(snapshot, invocation.service, self.program)

    async def serve(self, stream: Stream) -> None:
        """Hand the connection over to a command, and wait for its end."""
        connection = stream.detach()
        os.set_blocking(connection, True)
        try:
            process = start(self._program, connection, connection, connection)
        except OSError as error:
            log.warning(f"spawn_command: fork: {error.strerror}")
            return
        finally:
            os.close(connection)
        limit = self.loop.later(self._time_limit, self._too_long, process)
        status = await process.ended()
        if limit.active():
            limit.cancel()
        command = self._program.arguments[0]
        if os.WIFSIGNALED(status):
            log.warning(f"command {command} killed by signal {os.WTERMSIG(status)}")
        elif status:
            log.warning(f"command {command} exit status {os.waitstatus_to_exitcode(status)}")

    def _too_long(self, process: Process) -> None:
        log.warning(f"{self._program.arguments[0]}: process id {process.pid}: command time limit exceeded")
        with rights(self._program.owner):
            process.kill()


def _attributes(words: Sequence[str], settings: MailSettings) -> tuple[Sequence[str], Owner]:
    """Read what stands behind ``spawn`` in master.cf.  Raises ConfigError."""
    owner: Owner | None = None
    arguments: Sequence[str] = ()
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        match name.lower() if equals else "":
            case "user":
                owner = named_owner(value, "unknown user name", "unknown group name")
            case "argv":
                arguments = [value, *words[index + 1 :]]
                break
            case _:
                raise ConfigError(f"unknown attribute name: {word}")
    if owner is None:
        raise ConfigError("missing user= attribute")
    if not arguments:
        raise ConfigError("missing argv= attribute")
    if not is_rootless():
        system = mail_owner(settings.mail_owner)
        if owner.uid == 0:
            raise ConfigError("request to deliver as root")
        if owner.uid == system.uid:
            raise ConfigError("request to deliver as mail system owner")
        if owner.gid == 0:
            raise ConfigError(f"request to use privileged group id {owner.gid}")
        if owner.gid == system.gid:
            raise ConfigError(f"request to use mail system owner group id {owner.gid}")
    return arguments, owner


def main(argv: Sequence[str]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Spawn, argv)
