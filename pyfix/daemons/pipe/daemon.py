"""pipe(8): hand mail over to a command, as the user that master.cf names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyfix.config.families import service_setting
from pyfix.config.parameters.command_delivery import CommandServiceSettings
from pyfix.config.snapshot import Snapshot, default_config_directory
from pyfix.daemons.pipe.arguments import BadArguments, CommandArguments
from pyfix.daemons.pipe.attributes import read_attributes
from pyfix.delivery.agent import LEFT, DeliveryAgent
from pyfix.delivery.command import Command, run_command
from pyfix.delivery.commandinput import CommandInput
from pyfix.delivery.commandlimit import commands_at_a_time
from pyfix.delivery.loops import delivered_before
from pyfix.delivery.outcome import SENT, Bounced, Deferred, Outcome, Sent
from pyfix.delivery.report import Delivery, is_probe
from pyfix.protocols.internal.delivery import DeliveryReply, Recipient
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import run
from pyfix.runtime.log import log
from pyfix.runtime.process import Program, exported_environment

_CONFIGURATION = Deferred("4.3.5", "mail system configuration error")
_MOST_SHOWN = 100
"""Bytes of a successful command's output that are logged."""


class Pipe(DeliveryAgent):
    """The agent that delivers to a command."""

    program = "pipe"
    privileged = True

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        """Read the settings and the command attributes.  Raises ConfigError."""
        super().__init__(invocation, snapshot)
        settings = CommandServiceSettings(snapshot)
        settings.check()
        service = self._service = invocation.service
        attributes = self._attributes = read_attributes(invocation.arguments, self.mail)
        where = f"file {default_config_directory()}/master.cf: service {service}"
        self._arguments = CommandArguments(attributes, self.mail.recipient_delimiter, where)
        flags = attributes.flags
        self._input = CommandInput(
            from_line="F" in flags,
            return_path="R" in flags,
            original_to="O" in flags,
            delivered_to="D" in flags,
            quotes_from=">" in flags,
            doubles_dots="." in flags,
            blank_end="B" in flags,
            end_of_line=attributes.end_of_line.encode("latin-1"),
        )
        self.capacity, self.is_whole_service = commands_at_a_time(snapshot, service, self.program)
        self._action = "delivered" if "X" in flags else "relayed"
        self._environment = exported_environment(settings.export_environment)
        self._time_limit = float(service_setting(snapshot, service, "_time_limit"))
        status_filter = self.filter_outcomes("pipe_delivery_status_filter", settings.pipe_delivery_status_filter)
        self.watch_tables([status_filter])

    async def deliver_all(self, delivery: Delivery) -> DeliveryReply | None:
        """Run the command once for all recipients of a request."""
        complaint = self._complaint(delivery)
        outcome = _CONFIGURATION if complaint else await self._outcome(delivery)
        finished = True
        for recipient in delivery.recipients:
            if not await self.reporter.report(delivery, recipient, outcome, self._service):
                finished = False
        if complaint:
            log.warning(complaint)
        return None if finished else LEFT

    def _complaint(self, delivery: Delivery) -> str:
        """Return what to log when there are more recipients than the flags can do with."""
        if len(delivery.recipients) > 1:
            for flag in "DO":
                if flag in self._attributes.flags:
                    limit = f"{self._service}_destination_recipient_limit"
                    return f"pipe flag `{flag}' requires {limit} = 1"
        return ""

    async def _outcome(self, delivery: Delivery) -> Outcome:
        request, recipients, attributes = delivery.request, delivery.recipients, self._attributes
        if attributes.size_limit and request.size > attributes.size_limit:
            return Bounced("5.2.3", "message too large")
        if "D" in attributes.flags and delivered_before(delivery, recipients[0].recipient):
            return Bounced("5.4.6", f"mail forwarding loop for {recipients[0].recipient}")
        if is_probe(request):
            return Sent(f"delivers to command: {attributes.arguments[0]}")
        try:
            arguments = self._arguments.of(request, recipients)
        except BadArguments as problem:
            log.warning(str(problem))
            return _CONFIGURATION
        outcome = await run_command(self._command(arguments), delivery.message, self._blocks(delivery, recipients[0]))
        if outcome.kind != SENT:
            return outcome
        return Sent(f"delivered via {self._service} service{_in_brackets(outcome.text)}", action=self._action)

    def _command(self, arguments: Sequence[str]) -> Command:
        attributes = self._attributes
        program = Program(
            arguments,
            attributes.owner,
            self._environment,
            attributes.directory,
            attributes.root_directory,
            says_trouble=self.program,
        )
        return Command(program, arguments[0], self._time_limit)

    def _blocks(self, delivery: Delivery, recipient: Recipient) -> Iterator[bytes]:
        sender = delivery.request.sender or self._attributes.null_sender
        return self._input.blocks(delivery, sender, recipient.original_recipient, recipient.recipient)


def _in_brackets(said: str) -> str:
    text = said.rstrip().encode("utf-8", "surrogateescape")[:_MOST_SHOWN].decode("utf-8", "surrogateescape")
    return f" ({text})" if text else ""


def main(argv: Sequence[str]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(Pipe, argv)
