"""oqmgr(8): the program of qmgr(8) under another name, with the discipline that qmgr(8) once had."""

from __future__ import annotations

from pyfix.daemons.qmgr.daemon import QueueManager


class OldQueueManager(QueueManager):
    """The queue manager whose destinations take turns, whatever the size of messages.  Source: oqmgr(8)."""

    program = "oqmgr"
    by_turns = True
