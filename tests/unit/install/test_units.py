from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pyfix.install.units import added_to_units, own_units


def test_own_units(tmp_path: Path) -> None:
    units = own_units(Path("/opt/pyfix/sbin"))
    assert sorted(units) == ["postfix.service", "postfix@.service"]
    assert "ExecStart=/opt/pyfix/sbin/postfix start\n" in units["postfix.service"]
    assert "ExecReload=/opt/pyfix/sbin/postmulti -i %i -p reload\n" in units["postfix@.service"]
    for text in units.values():
        assert "Type=notify\nNotifyAccess=all\n" in text
        assert "NoNewPrivileges" not in text  # procmail, and sendmail as an alias, need their rights


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_them(tmp_path: Path) -> None:
    (tmp_path / "postfix").write_text("#!/bin/sh\n")
    (tmp_path / "postmulti").write_text("#!/bin/sh\n")
    for program in tmp_path.iterdir():
        program.chmod(0o755)
    names = []
    for name, text in own_units(tmp_path).items():
        path = tmp_path / name.replace("@", "@main")
        path.write_text(text)
        names.append(str(path))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("units", "added"),
    [
        (["lib/systemd/system/postfix.service", "lib/systemd/system/postfix@.service"], "postfix@.service.d"),
        (["usr/lib/systemd/system/postfix.service"], "postfix.service.d"),
        (["lib/systemd/system/exim4.service"], ""),
    ],
)
def test_what_is_added_to_those_of_a_distribution(units: list[str], added: str, tmp_path: Path) -> None:
    for unit in units:
        (tmp_path / unit).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / unit).touch()
    found = added_to_units(tmp_path)
    assert list(found) == ([tmp_path / f"etc/systemd/system/{added}/pyfix.conf"] if added else [])
    for text in found.values():
        assert "Type=notify" in text
        assert "ExecStart" not in text


def test_where_upgrades_bring_postfix_back(tmp_path: Path) -> None:
    """Its programs do not say that they are ready; ours are put back by each start."""
    (tmp_path / "usr/lib/systemd/system").mkdir(parents=True)
    (tmp_path / "usr/lib/systemd/system/postfix.service").touch()
    (text,) = added_to_units(tmp_path, "/opt/bin/pyfix-install --retake").values()
    assert "\nExecStartPre=-+/opt/bin/pyfix-install --retake\n" in text
    assert "ProtectSystem=yes" in text
    assert "Type=" not in text
