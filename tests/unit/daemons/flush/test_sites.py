from __future__ import annotations

from pathlib import Path

from pyfix.daemons.flush.sites import SiteLogs, site_file
from pyfix.queue.spool import Spool


def test_names_of_files() -> None:
    assert site_file("Sub.Site-1.Example") == "sub_site_1_example"


def test_adding_and_taking(tmp_path: Path) -> None:
    (tmp_path / "flush").mkdir()
    for hashed in ((), ("flush",)):
        logs = SiteLogs(Spool(hashed, 1, str(tmp_path)))
        for queue_id in ("A1", "B2", "A1"):
            logs.add("site.example", queue_id)
        assert logs.names() == ["site_example"] and 0 <= logs.age("site_example") < 5
        logs.remove_if_empty("site_example")
        assert logs.take("site_example") == ["A1", "B2"]
        assert logs.take("site_example") == [] and logs.take("none") == []
        logs.put_back("site_example", ["C3"])
        assert logs.take("site_example") == ["C3"]
        logs.remove_if_empty("site_example")
        logs.remove_if_empty("site_example")
        assert logs.names() == [] and logs.age("site_example") == 0
