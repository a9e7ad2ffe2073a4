"""A host with instances whose programs are shell scripts, but for postconf(1)."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

import pyfix
from pyfix.install.launchers import LaunchTarget, write_launchers
from pyfix.runtime.log import log
from tests.kit.programs import CHECKOUT


class Host:
    """The primary instance and where others may be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etc = folder / "etc/postfix"
        self.programs = folder / "programs"
        self.meta = folder / "meta"
        for path in (self.etc, self.programs, self.meta):
            path.mkdir(parents=True)
        packages = (CHECKOUT, Path(sysconfig.get_paths()["purelib"]))
        write_launchers("command", self.programs, ("postconf",), LaunchTarget(Path(sys.executable), packages))
        self.program("postfix")
        (self.meta / "main.cf.proto").write_text("# new\nqueue_directory = /nowhere\n")
        (self.meta / "master.cf.proto").write_text("pickup unix n - n 60 1 pickup\n")
        self.main: dict[str, object] = {
            "queue_directory": folder / "spool/postfix", "data_directory": folder / "lib/postfix",
            "daemon_directory": self.programs, "command_directory": self.programs, "meta_directory": self.meta,
            "mail_owner": "nobody", "setgid_group": "mail", "default_privs": "daemon", "myhostname": "mail.ours.example",
            "compatibility_level": "3.11", "syslog_facility": "local7",
        }  # fmt: skip
        self.write()

    def write(self, **changes: object) -> None:
        self.main |= changes
        (self.etc / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in self.main.items()))

    def program(self, name: str, commands: str = "") -> None:
        """Make a script that notes for which instance it was called and how."""
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "$MAIL_CONFIG: $*" >> {self.folder}/called\n{commands}\n')
        path.chmod(0o755)

    def called(self) -> list[str]:
        path = self.folder / "called"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line.replace(str(self.folder), "") for line in lines]

    def other(self, name: str, **settings: object) -> Path:
        """Make a secondary instance and name it in main.cf."""
        etc = self.folder / "etc" / name
        etc.mkdir()
        main = {
            "queue_directory": self.folder / "spool" / name, "data_directory": self.folder / "lib" / name,
            "multi_instance_name": name, **settings,
        }  # fmt: skip
        (etc / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in main.items()))
        known = self.main.get("multi_instance_directories", "")
        self.write(multi_instance_directories=f"{known} {etc}".strip(), multi_instance_enable="yes", multi_instance_wrapper="w")
        return etc


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    made = Host(tmp_path)
    monkeypatch.setattr(pyfix, "CONFIG_DIRECTORY", str(made.etc))
    for name in ("MAIL_CONFIG", "MAIL_VERBOSE"):
        monkeypatch.delenv(name, raising=False)
    tag = log.tag
    yield made
    log.close()
    log.tag = tag
    log.to_stderr(False)
    log.fall_back_to("")
    os.environ.pop("MAIL_VERBOSE", None)
