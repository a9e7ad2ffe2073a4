"""Commands that mailbox_command, aliases and .forward files name.

Source: local(8), EXTERNAL COMMAND DELIVERY; postconf(5) mailbox_command, local_command_shell, command_time_limit,
command_expansion_filter, command_execution_directory, export_environment.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.parameters.local import LocalSettings
from pyfix.daemons.local.setup import delivered_headers
from pyfix.daemons.local.step import Step
from pyfix.daemons.local.users import User
from pyfix.daemons.local.variables import censored, environment, expand_text
from pyfix.delivery.command import Command, run_command, words_of_command
from pyfix.delivery.commandinput import CommandInput
from pyfix.delivery.outcome import SENT, Deferred, Outcome, Sent
from pyfix.delivery.report import Delivery, is_probe
from pyfix.formats.macros import MacroError
from pyfix.runtime.identity import Owner
from pyfix.runtime.log import log
from pyfix.runtime.process import Program, exported_environment

__all__ = ["Commands"]

_PROGRAM: Final = "local"


class Commands:
    """Runs commands, with the rights of those who want them run."""

    def __init__(self, settings: LocalSettings) -> None:
        """Read the settings.  Raises ConfigError."""
        self._settings: Final = settings
        self._exported = exported_environment(settings.export_environment)
        self._input = CommandInput(
            from_line=True,
            return_path=True,
            original_to=settings.enable_original_recipient,
            delivered_to="command" in delivered_headers(settings),
        )

    async def deliver(self, delivery: Delivery, step: Step, text: str, user: User | None, owner: Owner) -> Outcome:
        """Let the command *text* read the message, as *owner*; *user* is whose home and shell it hears of."""
        if is_probe(delivery.request):
            return Sent(f"delivers to command: {text}")
        settings, request = self._settings, delivery.request
        try:
            directory = expand_text(
                settings.command_execution_directory,
                step,
                user,
                allowed=settings.execution_directory_expansion_filter,
            )
        except MacroError as error:
            log.warning(str(error))
            value = settings.command_execution_directory
            log.warning(f"bad parameter value syntax for command_execution_directory: {value}")
            return Deferred("4.3.5", "mail system configuration error")
        words, otherwise = words_of_command(text, settings.local_command_shell)
        variables = censored(environment(step, user, request), settings.command_expansion_filter)
        program = Program(
            arguments=words,
            owner=owner,
            environment=self._exported | variables,
            directory=directory,
            otherwise=otherwise,
            caller="",
            says_trouble=_PROGRAM,
        )
        content = self._input.blocks(delivery, step.sender, step.recipient.original_recipient, step.delivered_to)
        command = Command(program, text, settings.command_time_limit)
        outcome = await run_command(command, delivery.message, content)
        return Sent(f"delivered to command: {text}") if outcome.kind == SENT else outcome
