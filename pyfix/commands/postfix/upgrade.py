"""``postfix upgrade-configuration``: bring an older master.cf to what the mail system needs.  Source: postfix(1)."""

from __future__ import annotations

import os
import re

from pyfix.commands.postfix.system import System

_SERVICES = (
    ("relay", "unix", "service", "relay     unix  -       -       n       -       -       smtp"),
    ("flush", "unix", "service", "flush     unix  n       -       n       1000?   0       flush"),
    ("trace", "unix", "service", "trace     unix  -       -       n       -       0       bounce"),
    ("verify", "unix", "service", "verify    unix  -       -       n       -       1       verify"),
    ("proxymap", "unix", "service", "proxymap  unix  -       -       n       -       -       proxymap"),
    ("anvil", "unix", "service", "anvil     unix  -       -       n       -       1       anvil"),
    ("scache", "unix", "service", "scache    unix  -       -       n       -       1       scache"),
    ("discard", "unix", "service", "discard   unix  -       -       n       -       -       discard"),
    ("tlsmgr", "unix", "service", "tlsmgr    unix  -       -       n       1000?   1       tlsmgr"),
    ("retry", "unix", "service", "retry     unix  -       -       n       -       -       error"),
    ("proxywrite", "unix", "service", "proxywrite unix -       -       n       -       1       proxymap"),
    ("postlog", "unix-dgram", "unix-domain datagram service",
        "postlog   unix-dgram n  -       n       -       1       postlogd"),
)  # fmt: skip
"""Name, type, how the notice calls it, and the line of each service that old files lack."""

_PUBLIC = ("cleanup", "flush")
"""Services that old files have as private ones."""


def upgrade_master(system: System) -> None:
    """Add to master.cf the services that it lacks, and correct those of old versions.  Raises Failure."""
    path = f"{system.config_directory}/master.cf"
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            old = stream.read()
        new = old
        for notice, changed in _steps(old):
            print(f"Editing {path}, {notice}")
            new = changed
        if new != old:
            _replace(path, new)
    except OSError as error:
        raise system.failure(f"{path}: {error.strerror}") from None


def _steps(text: str) -> list[tuple[str, str]]:
    """Return what is done, step by step, with the text that each step leaves."""
    steps: list[tuple[str, str]] = []
    if text and not text.endswith("\n"):
        text += "\n"
    fifo = re.compile(r"^(tlsmgr[ \t]+)fifo([ \t]+\S+[ \t]+\S+[ \t]+\S+[ \t]+)(\d+)\??(?=[ \t])", re.M)
    if fifo.search(text):
        text = fifo.sub(r"\1unix\2\3?", text)
        steps.append(("updating the tlsmgr from fifo to unix service", text))
    for name in _PUBLIC:
        private = re.compile(rf"^({name}[ \t]+unix[ \t]+)[-y](?=[ \t])", re.M)
        if private.search(text):
            text = private.sub(r"\1n", text)
            steps.append((f"making the {name} service public", text))
    for name, type_, label, line in _SERVICES:
        if not re.search(rf"^{name}[ \t]+{type_}[ \t]", text, re.M):
            text += line + "\n"
            steps.append((f"adding missing entry for {name} {label}", text))
    return steps


def _replace(path: str, text: str) -> None:
    """Write the file anew beside the old one, and put it in its place in one step."""
    new = f"{path}.tmp"
    with open(new, "w", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(text)
        status = os.stat(path)
        os.fchmod(stream.fileno(), status.st_mode & 0o7777)
        if os.getuid() == 0:
            os.fchown(stream.fileno(), status.st_uid, status.st_gid)
        os.fsync(stream.fileno())
    os.rename(new, path)
