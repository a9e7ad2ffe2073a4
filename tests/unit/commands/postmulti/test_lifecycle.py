from __future__ import annotations

import pytest

from pyfix.commands import postmulti
from pyfix.config.snapshot import Snapshot
from pyfix.queue.folders import QUEUE_FOLDERS
from tests.unit.commands.postmulti.conftest import Host


def value(host: Host, name: str, of: str = "postfix") -> str:
    return Snapshot.read(f"{host.folder}/etc/{of}").value(name).replace(str(host.folder), "")


def test_create(host: Host) -> None:
    assert postmulti.main(["-e", "create", "-I", "postfix-a"]) == 1, "not initialised"
    assert postmulti.main(["-e", "init"]) == 0
    assert postmulti.main(["-e", "create", "-I", "postfix-a", "-G", "g"]) == 0
    assert host.called() == ["/etc/postfix-a: -c /etc/postfix-a post-install create-missing set-permissions"]
    assert value(host, "multi_instance_directories") == "/etc/postfix-a"
    for name, text in {
        "queue_directory": "/spool/postfix-a", "data_directory": "/lib/postfix-a", "meta_directory": "/meta",
        "multi_instance_name": "postfix-a", "multi_instance_group": "g", "multi_instance_enable": "no",
        "master_service_disable": "inet", "authorized_submit_users": "",
    }.items():  # fmt: skip
        assert value(host, name, "postfix-a") == text
    assert postmulti.main(["-e", "create", "-I", "postfix-b", "-i", "postfix-a"]) == 0
    assert value(host, "multi_instance_directories") == "/etc/postfix-b /etc/postfix-a"


def test_a_failing_step_is_the_status(host: Host) -> None:
    assert postmulti.main(["-e", "init"]) == 0
    host.program("postfix", "exit 1")
    assert postmulti.main(["-e", "create", "-I", "postfix-a"]) == 1


def test_import_and_deport(host: Host) -> None:
    host.other("postfix-a")
    assert postmulti.main(["-e", "deport", "-i", "postfix-a"]) == 0
    assert value(host, "multi_instance_directories") == ""
    assert postmulti.main(["-e", "import", "-I", "postfix-a", "-G", "g"]) == 0
    assert value(host, "multi_instance_directories") == "/etc/postfix-a"
    assert value(host, "multi_instance_group", "postfix-a") == "g"


def test_assign_and_enable(host: Host) -> None:
    host.other("postfix-a")
    host.other("postfix-b")
    assert postmulti.main(["-e", "assign", "-i", "postfix-a", "-I", "postfix-b"]) == 1, "the name is in use"
    assert postmulti.main(["-e", "assign", "-i", "postfix-a", "-I", "-", "-G", "h"]) == 0
    assert (value(host, "multi_instance_name", "postfix-a"), value(host, "multi_instance_group", "postfix-a")) == ("", "h")
    assert postmulti.main(["-e", "enable", "-i", "postfix-b"]) == 0
    assert value(host, "multi_instance_enable", "postfix-b") == "yes"
    assert postmulti.main(["-e", "deport", "-i", "postfix-b"]) == 1, "it is enabled"


def test_destroy(host: Host, capfd: pytest.CaptureFixture[str]) -> None:
    etc = host.other("postfix-a")
    spool, data = host.folder / "spool/postfix-a", host.folder / "lib/postfix-a"
    for folder in (data, *(spool / name for name in QUEUE_FOLDERS)):
        folder.mkdir(parents=True)
    mail = spool / "hold/ABC123"
    mail.touch()
    assert postmulti.main(["-e", "destroy", "-i", "postfix-a"]) == 0
    assert mail.exists() and not data.exists() and not etc.exists()
    assert capfd.readouterr().err.replace(str(spool), "SPOOL").splitlines() == [
        "rmdir: failed to remove 'hold': Directory not empty",
        "postfix-a/postlog: warning: SPOOL/hold: please verify contents and remove by hand",
        "rmdir: failed to remove 'SPOOL': Directory not empty",
        "postfix-a/postlog: warning: SPOOL: please verify contents and remove by hand",
    ]
    assert value(host, "multi_instance_directories") == ""
