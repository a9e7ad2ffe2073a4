from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.install.replacement import service
from pyfix.install.replacement.service import MailService, ServiceFailed


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MailService:
    """A mail system that runs while tmp_path/running is there."""
    for name, text in (
        ("master", f"test ! -e {tmp_path}/running"),
        ("postfix", f'test ! -e {tmp_path}/broken || {{ echo it is broken; exit 1; }}\necho "$1" >>{tmp_path}/calls\n'
         f'case $1 in start) touch {tmp_path}/running;; *) rm {tmp_path}/running;; esac'),
    ):  # fmt: skip
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    for name in ("_SYSTEMD", "_INIT_SCRIPT"):
        monkeypatch.setattr(service, name, tmp_path / "nowhere")
    return MailService(tmp_path, tmp_path)


def test_start_and_stop(system: MailService, tmp_path: Path) -> None:
    assert not system.is_running()
    system.start()
    assert system.is_running()
    system.stop()
    assert not system.is_running()
    system.reread_units()
    assert (tmp_path / "calls").read_text() == "start\nstop\n"


def test_by_the_init_script(system: MailService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "init"
    script.write_text(f'#!/bin/sh\necho init "$1" >>{tmp_path}/calls; touch {tmp_path}/running\n')
    script.chmod(0o755)
    monkeypatch.setattr(service, "_INIT_SCRIPT", script)
    system.start()
    assert (tmp_path / "calls").read_text() == "init start\n"
    with pytest.raises(ServiceFailed, match="still runs"):
        system.stop()


def test_by_systemd(system: MailService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    control = tmp_path / "systemctl"
    control.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/calls; touch {tmp_path}/running\n')
    control.chmod(0o755)
    monkeypatch.setattr(service, "_SYSTEMD", tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    system.start()
    system.reread_units()
    assert (tmp_path / "calls").read_text() == "start postfix.service\ndaemon-reload\n"


def test_failures(system: MailService, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(ServiceFailed, match=r"postfix start failed: it is broken"):
        system.start()
    (tmp_path / "broken").unlink()
    (tmp_path / "postfix").write_text("#!/bin/sh\n")
    with pytest.raises(ServiceFailed, match="does not run"):
        system.start()
