from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.daemons.qmgr.queuescan import QueueScan
from pyfix.queue.spool import INCOMING, Spool


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    monkeypatch.chdir(tmp_path)
    Path(INCOMING).mkdir()
    Path(INCOMING, "ABCDEF1234").touch()
    return Spool("", 1)


def test_a_scan(spool: Spool) -> None:
    scan = QueueScan(INCOMING)
    assert scan.files is None
    scan.request(spool, ignore_times=True)
    assert scan.ignores_times and not scan.flushes and scan.files is not None
    assert [queue_id for queue_id, _ in scan.files] == ["ABCDEF1234"]
    scan.ended(spool)
    assert scan.files is None


def test_requests_during_a_scan_are_one_more_scan(spool: Spool) -> None:
    scan = QueueScan(INCOMING)
    scan.request(spool, ignore_times=False)
    first = scan.files
    scan.request(spool, ignore_times=True)
    scan.request(spool, ignore_times=False, flush=True)
    assert scan.files is first and not scan.ignores_times and not scan.flushes
    scan.ended(spool)
    assert scan.files is not None and scan.files is not first and scan.ignores_times and scan.flushes
    scan.ended(spool)
    assert scan.files is None
    scan.request(spool, ignore_times=False)
    assert not scan.ignores_times and not scan.flushes
