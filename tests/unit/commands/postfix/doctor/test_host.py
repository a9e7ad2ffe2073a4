from __future__ import annotations

from pathlib import Path

from pyfix.commands.postfix.doctor import host as module
from pyfix.commands.postfix.doctor.host import Host

ROUTES = """\
Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask
eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000
eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF
"""
ROUTES6 = (
    f"{'0' * 32} 00 {'0' * 32} 00 fd000000000000000000000000000001 00000400 0 0 00000003 eth0\n"
    f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 0 0 00200200 lo\n"
)


def test_gateways(tmp_path: Path) -> None:
    (tmp_path / "route").write_text(ROUTES)
    (tmp_path / "route6").write_text(ROUTES6)
    assert list(module._gateways(str(tmp_path / "route"))) == ["172.17.0.1"]
    assert list(module._gateways6(str(tmp_path / "route6"))) == ["fd00::1"]
    assert list(module._gateways(str(tmp_path / "none"))) == []


def test_file_systems() -> None:
    host = Host(mounts=(("/", "ext4"), ("/var", "xfs"), ("/var/spool", "tmpfs"), ("/var/spool", "nfs")))
    assert host.file_system("/var/spool/postfix") == "nfs"
    assert host.file_system("/var/spoolx") == "xfs"
    assert host.file_system("/home") == "ext4"


def test_this_machine() -> None:
    host = Host.read()
    assert host.file_system("/proc/self") == "proc"
    assert host.now.tzinfo is not None
