"""How many recipients of a message are in memory, and when more of them are read.

Source: postconf(5) qmgr_message_recipient_limit, qmgr_message_recipient_minimum, default_recipient_limit,
default_extra_recipient_limit, default_recipient_refill_limit, default_recipient_refill_delay.
"""

from __future__ import annotations

from typing import Final

from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.scheduling.message import ActiveMessage
from pyfix.scheduling.transport import RecipientMemory

MOST_AT_ONCE: Final = 5000
"""Recipients that are read in one go: the event loop waits meanwhile."""
_USUAL: Final = RecipientMemory()


class Refill:
    """Decides for messages that have more recipients than are in memory."""

    def __init__(self, settings: QmgrSettings, limit: int) -> None:
        """*limit*: recipients in memory of all messages together."""
        self._limit = limit
        self._minimum = settings.qmgr_message_recipient_minimum
        self._first = min(MOST_AT_ONCE, settings.default_recipient_limit)
        self.held = 0
        """Recipients in memory of all messages."""

    def first(self, taken: int) -> int:
        """Return how many recipients of a new message to read; *taken* are in memory that are not counted yet."""
        return max(self._minimum, min(self._limit - self.held - taken, self._first))

    def next(self, message: ActiveMessage, now: float) -> int:
        """Return how many more recipients to read now, 0 for none; *now* by the loop's clock."""
        room = min(self._limit - self.held, MOST_AT_ONCE)
        refill_limit, delay = _USUAL.refill_limit, _USUAL.refill_delay
        for transport in message.jobs or ():
            memory = transport.memory
            full = transport.in_memory >= memory.limit
            room = min(room, memory.limit + (memory.extra if full else 0) - transport.in_memory)
            refill_limit, delay = memory.refill_limit, memory.refill_delay
        room = max(room, self._minimum - message.held)
        if room <= 0:
            return 0
        few = message.held <= refill_limit or 2 * message.held <= message.portion
        return room if (few and room >= refill_limit) or not message.held or now >= message.read_at + delay else 0
