from __future__ import annotations

from pyfix.config.parameters.qmgr import QmgrSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.qmgr.daemon import QueueManager
from pyfix.daemons.qmgr.oqmgr import OldQueueManager
from pyfix.daemons.qmgr.transports import Transports
from pyfix.scheduling.jobs import JobTransport
from pyfix.scheduling.transport import Transport


def test_the_discipline_of_each_program() -> None:
    snapshot = Snapshot({"compatibility_level": "3.11", "myhostname": "mail.ours.example", "smtp_transport_rate_delay": "3"})
    for program, discipline in ((QueueManager, JobTransport), (OldQueueManager, Transport)):
        found = Transports(QmgrSettings(snapshot), snapshot, by_turns=program.by_turns).get("smtp")
        assert type(found) is discipline
        assert found.pause == 3
    assert (QueueManager.program, OldQueueManager.program) == ("qmgr", "oqmgr")
