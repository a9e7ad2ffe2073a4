"""One delivery request in work: which recipients are left, and what is reported of the others."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from pyfix.daemons.smtp.failure import UNREACHABLE, Failure
from pyfix.daemons.smtp.server import Server
from pyfix.delivery.outcome import SENT, Outcome
from pyfix.delivery.report import Delivery, Reporter
from pyfix.formats.queuefile import NOTIFY_SUCCESS
from pyfix.protocols.internal.delivery import STATUS_DEFER, STATUS_FINAL, DeliveryReply, Recipient
from pyfix.protocols.smtp.client_reply import Reply
from pyfix.runtime.log import log


class Courier:
    """What becomes of the recipients of one request while one server after the other is tried.

    A recipient whom a server refuses for now is kept for the next server, unless there is none.
    """

    def __init__(
        self,
        delivery: Delivery,
        reporter: Reporter,
        *,
        soft_bounce: bool,
        shows_tls: bool,
        sender: str | None = None,
        recipients: Sequence[Recipient] | None = None,
    ) -> None:
        """*shows_tls*: log lines have ``tls=`` (smtp_log_tls_feature_status).

        *recipients* are some of the request's, to whom the message goes with another *sender*.
        """
        self.delivery: Final = delivery
        self.sender: Final = delivery.request.sender if sender is None else sender
        """Whom servers are told as the sender, in internal form."""
        self._reporter: Final = reporter
        self._soft_bounce: Final = soft_bounce
        self._shows_tls: Final = shows_tls
        self.left: list[Recipient | None] = list(delivery.recipients if recipients is None else recipients)
        """Those who are neither delivered nor reported; None in the place of one who is, while a session goes on."""
        self._kept: set[int] = set()
        """Places of those who wait for another server."""
        self.problem: Failure | None = None
        """Why the last server that was tried was of no use."""
        self.final_server: bool = False
        """There is no other server to try."""
        self.relay = "none"
        self.tls = ""
        """How far TLS has come with the present server, for the log."""
        self.connected = 0.0
        """When the connection was ready for the message."""
        self.reuse_count = 0
        self._finished = True
        self._hop: Failure | None = None
        """Why the whole destination is out of order."""

    @property
    def queue_id(self) -> str:
        """The message's queue id."""
        return self.delivery.request.queue_id

    def meet(self, server: Server) -> None:
        """Begin with another server, to which there is a connection."""
        self.relay = server.full_name
        self.connected = 0.0
        self.reuse_count = 0

    def leave(self) -> None:
        """End with the present server: those who were kept are left for the next one."""
        self.left = [recipient for recipient in self.left if recipient is not None]
        self._kept.clear()
        self.relay = "none"

    @property
    def done(self) -> bool:
        """Whether nobody is left, after ``leave``."""
        return not self.left

    def _may_wait(self, failure: Failure) -> bool:
        return not self.final_server and (failure.soft or self._soft_bounce)

    async def fail_one(self, index: int, failure: Failure) -> None:
        """Report that the server does not take one recipient, or keep him for the next server."""
        self.problem = failure
        if self._may_wait(failure):
            log.info(f"{self.queue_id}: {failure.reason}")
            self._kept.add(index)
        else:
            await self._report(index, failure.outcome())

    async def fail_all(self, failure: Failure, *, throttle: bool) -> None:
        """Report that none of those who are still undecided can be delivered, or keep them for the next server.

        *throttle*: no other message would fare better.
        """
        self.problem = failure
        undecided = [index for index, _ in self.undecided()]
        if self._may_wait(failure):
            log.info(f"{self.queue_id}: {failure.reason}")
            self._kept.update(undecided)
            return
        if not self.connected:
            self.connected = time.time()
        finished = True
        outcome = failure.outcome()
        for index in undecided:
            finished = await self._report(index, outcome) and finished
        if throttle and not finished and self._hop is None:
            self._hop = failure

    def undecided(self) -> list[tuple[int, Recipient]]:
        """Return those who are neither reported nor wait for another server, with their places."""
        return [
            (index, recipient)
            for index, recipient in enumerate(self.left)
            if recipient is not None and index not in self._kept
        ]

    def passed_on(self, index: int, *, finished: bool) -> None:
        """Hear that another agent has reported of a recipient."""
        self.left[index] = None
        self._finished = self._finished and finished

    async def give_up_on(self, places: Iterable[int], failure: Failure) -> None:
        """Report that some recipients can't be delivered, whatever server there is."""
        outcome = failure.outcome()
        for index in places:
            if self.left[index] is not None:
                await self._report(index, outcome)

    async def give_up(self) -> None:
        """Report of those who are left when all servers were tried."""
        self.final_server = True
        await self.fail_all(self.problem or UNREACHABLE, throttle=True)

    async def delivered(self, index: int, reply: Reply, host: str, *, relayed: bool, tells: bool) -> None:
        """Report that the server has taken the message for one recipient.

        *relayed*: it is not yet where it shall be.  *tells*: the server itself will send notices of success.
        """
        text = reply.line
        action = "relayed" if relayed else "delivered"
        recipient = self.left[index]
        if tells and recipient is not None and recipient.notify_flags & NOTIFY_SUCCESS:
            self.left[index] = replace(recipient, notify_flags=recipient.notify_flags & ~NOTIFY_SUCCESS)
        await self._report(index, Outcome(SENT, reply.status, text, action, "smtp", text, "dns", host))

    async def _report(self, index: int, outcome: Outcome) -> bool:
        recipient = self.left[index]
        assert recipient is not None  # who was reported is not asked for again
        self.left[index] = None
        finished = await self._reporter.report(
            self.delivery,
            recipient,
            outcome,
            self.relay,
            connected=self.connected,
            reuse_count=self.reuse_count,
            tls=f"tls={self.tls}, " if self._shows_tls and self.tls else "",
        )
        self._finished = self._finished and finished
        return finished

    async def damaged(self, outcome: Outcome) -> None:
        """Report that the message cannot be read; nobody gets it."""
        index = next((index for index, recipient in enumerate(self.left) if recipient is not None), None)
        if index is not None:
            await self._report(index, outcome)
        self.left = []

    def reply(self) -> DeliveryReply | None:
        """Return what qmgr(8) hears: None when all recipients are finished."""
        if self._finished:
            return None
        hop = self._hop
        if hop is None:
            return DeliveryReply(status=STATUS_DEFER)
        outcome = hop.outcome()
        return DeliveryReply(
            outcome.code, outcome.diag_type, outcome.diag_text, outcome.mta_type, outcome.mta_name, outcome.action,
            outcome.text, STATUS_DEFER if not self._finished else STATUS_FINAL,
        )  # fmt: skip
