from __future__ import annotations

import stat

import pytest

from pyfix.commands import postfix
from tests.unit.commands.postfix.conftest import Run, System


def test_upgrade_configuration(
    system: System, run: Run, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    system.program("postconf")
    path = system.etc / "master.cf"
    path.write_text("# mine\ntlsmgr fifo - - n 300 1 tlsmgr\nflush\tunix - - - 1000? 0 flush\n  -v")
    path.chmod(0o640)
    assert postfix.main(["upgrade-configuration"]) == 0
    said = capfd.readouterr().out.splitlines()
    notices = [line.partition(", ")[2] for line in said if line.startswith(f"Editing {path}, ")]
    assert notices[:5] == [
        "adding missing entry for relay service", "adding missing entry for trace service", "adding missing entry for verify service",
        "making the flush service public", "adding missing entry for proxymap service",
    ]  # fmt: skip
    assert said[5:7] == ["flush\tunix - - - 1000? 0 flush", "flush\tunix n - - 1000? 0 flush"]
    assert "    COMPATIBILITY: editing" in "\n".join(said)
    assert system.called() == ["postconf -e inet_protocols=ipv4"]
    lines = path.read_text().splitlines()
    assert lines[:4] == ["# mine", "tlsmgr unix - - n 300? 1 tlsmgr", "flush\tunix n - - 1000? 0 flush", "  -v"]
    assert "postlog   unix-dgram n  -       n       -       1       postlogd" in lines
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    system.write(inet_protocols="ipv4")
    assert run("upgrade-configuration") == (0, [])
    assert path.read_text().splitlines() == lines
