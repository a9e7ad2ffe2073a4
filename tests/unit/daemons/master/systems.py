"""The whole of master in processes of its own, with shell scripts for daemons."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

from pyfix.runtime.masterlock import running_master
from tests.kit.measured import prelude
from tests.kit.writing import write_at_once

CHECKOUT = Path(__file__).resolve().parents[4]


def command() -> list[str]:
    """Return the command line of master, less its options."""
    paths = [str(CHECKOUT), sysconfig.get_paths()["purelib"]]
    start = "from pyfix.daemons.master.daemon import main; sys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-ISXutf8", "-c", f"import sys; sys.path += {paths}; {prelude()}{start}"]


class System:
    """A mail system whose daemons are scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spool = folder / "spool"
        for name in ("etc", "data", "programs", "spool/pid", "spool/private", "spool/public"):
            (folder / name).mkdir(parents=True)
        for name in ("data", "spool/private", "spool/public"):
            (folder / name).chmod(0o777)
        folder.chmod(0o755)
        self.started: list[subprocess.Popen[str]] = []
        self.write_main()
        self.write_master("probe unix n - n 60 1 probe")
        self.program("probe", "exec sleep 60")

    def write_main(self, **changes: object) -> None:
        main = {
            "queue_directory": self.spool,
            "data_directory": self.folder / "data",
            "daemon_directory": self.folder / "programs",
            "mail_owner": "nobody",
            "default_privs": "daemon",
            "setgid_group": "mail",
            "compatibility_level": "3.11",
            "syslog_facility": "local7",
            **changes,
        }
        text = "".join(f"{name} = {value}\n" for name, value in main.items())
        write_at_once(self.folder / "etc/main.cf", text.encode())

    def write_master(self, *lines: str) -> None:
        write_at_once(self.folder / "etc/master.cf", "\n".join([*lines, ""]).encode())

    def program(self, name: str, commands: str) -> None:
        path = self.folder / "programs" / name
        text = f'#!/bin/sh\necho {name} "$@" $GENERATION >> {self.folder}/calls\n{commands}\n'
        write_at_once(path, text.encode(), mode=0o755)

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def master(self, *options: str) -> subprocess.Popen[str]:
        environment = {"PATH": os.environ["PATH"], "SECRET": "x", "MAIL_CONFIG": "/nowhere"}
        process = subprocess.Popen(
            [*command(), "-c", str(self.folder / "etc"), *options],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def pid(self) -> int | None:
        return running_master(str(self.spool))

    def wait(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, self.calls()
            time.sleep(0.02)
