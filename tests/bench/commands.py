"""How long commands take that have next to nothing to do: what is measured is their start."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from tests.kit.instance import Instance

START: Final = 0.060
"""Most seconds that a command may take."""

ALL_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {"postconf -d": ("postconf", "-d"), "postconf -n": ("postconf", "-n")}
"""What has to read every declaration; it may take twice as long."""

COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "postconf": ("postconf", "myhostname"),
    "postmap -q": ("postmap", "-q", "user@ours.example", "texthash:{config}/mailboxes"),
    "postalias -q": ("postalias", "-q", "user@ours.example", "texthash:{config}/mailboxes"),
    "postqueue -p": ("postqueue", "-p"),
    "postcat -q": ("postcat", "-q", "{id}"),
    "postsuper -d": ("postsuper", "-d", "0123456789"),
    "postlog": ("postlog", "a line"),
    "postfix status": ("postfix", "status"),
    "sendmail -bh": ("sendmail", "-bh"),
}
"""By what the bench prints.  ``{id}`` is a held message's, ``{config}`` the configuration folder."""

IN_TURN: Final[Mapping[str, tuple[str, ...]]] = {
    "mailq": ("mailq",),
    "sendmail, a message": ("sendmail", "user@ours.example"),
}
"""Two programs, one of which starts the other; each may take as long as one."""


def held_message(instance: Instance) -> str:
    """Return the id of a message that waits in the queue of a started instance."""
    queue_id = instance.send_message()
    instance.wait_for_log(f"{queue_id}: to=<")
    return queue_id


def seconds(instance: Instance, queue_id: str, command: Sequence[str]) -> float:
    """Return how long a command took.  Raises AssertionError when it fails."""
    name, *arguments = (word.format(id=queue_id, config=instance.config_directory) for word in command)
    program = instance.command_directory / name
    if not program.exists():  # mailq stands elsewhere in the reference
        program = Path(instance.main.get(f"{name}_path", program))
    content = b"Subject: x\n\nx\n" if command in IN_TURN.values() else b""
    begin = time.monotonic()
    done = subprocess.run(
        [program, *arguments], env=instance.environment, input=content, capture_output=True, cwd="/", check=False
    )
    taken = time.monotonic() - begin
    assert done.returncode == 0, done
    return taken


def medians(sides: Sequence[tuple[Instance, str]], command: Sequence[str], rounds: int) -> list[float]:
    """Return the median seconds of each side, run in alternation; each side is an instance and a held message."""
    found: list[list[float]] = [[] for _ in sides]
    for number in range(rounds + 1):
        for (instance, queue_id), values in zip(sides, found, strict=True):
            taken = seconds(instance, queue_id, command)
            if number:  # the first has to read the disk
                values.append(taken)
    return [median(values) for values in found]
