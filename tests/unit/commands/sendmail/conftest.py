"""sendmail(1) with shell scripts in the place of the programs that it calls."""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from pathlib import Path

import pytest

from pyfix.commands import sendmail
from pyfix.formats.records import read_records
from tests.unit.commands.running import Done, call
from tests.unit.daemons.running import System

USER = pwd.getpwuid(os.getuid())
WHO = f"{USER.pw_name}({USER.pw_uid})"
ANSWER = r"printf 'status\0000\0reason\0\0\0'"


class Programs:
    """The programs, and what they were told."""

    def __init__(self, mail: System) -> None:
        self.mail = mail
        self.folder = mail.folder / "programs"
        self.folder.mkdir()
        mail.write_main(command_directory=self.folder, daemon_directory=self.folder)
        self.postdrop()

    def write(self, name: str, *commands: str) -> None:
        """Make a script."""
        path = self.folder / name
        path.write_text("#!/bin/sh\n" + "\n".join(commands) + "\n")
        path.chmod(0o755)

    def program(self, name: str) -> None:
        """Make a script that notes how it was called, and returns 7."""
        self.write(name, f'echo {name} "$@" >> {self.mail.folder}/called', "exit 7")

    def postdrop(self, answer: str = ANSWER, *, status: int = 0) -> None:
        """Make a postdrop that keeps what it gets and says *answer*."""
        greeting = r"printf 'protocol\0postdrop_protocol\0queue_id\0ABC123\0\0'"
        self.write("postdrop", greeting, f"cat > {self.mail.folder}/got", answer, f"exit {status}")

    def called(self) -> str:
        """Return what the last program was called with."""
        return (self.mail.folder / "called").read_text().splitlines()[-1]

    @property
    def got(self) -> Path:
        """What postdrop got."""
        return self.mail.folder / "got"

    def records(self) -> list[tuple[str, bytes]]:
        """Return the records that postdrop got."""
        return [(chr(one.kind), one.data) for one in read_records(self.got.read_bytes())]

    def run(self, *argv: str, name: str = "sendmail", input: bytes = b"Subject: x\n\nhello\n", **environment: str) -> Done:
        """Run sendmail under one of its names."""
        return call(_main, *argv, name=name, input=input, environment={"NAME": "", **environment})


def _main(argv: Sequence[str]) -> int:
    return sendmail.main(argv)


@pytest.fixture
def programs(mail: System) -> Programs:
    """The programs that sendmail calls."""
    return Programs(mail)
