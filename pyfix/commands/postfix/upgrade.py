"""``postfix upgrade-configuration``: bring older configurations to what the mail system needs.  Source: postfix(1)."""

from __future__ import annotations

import os
import re

from pyfix.commands.postfix.system import Failure, System

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["upgrade"]


class _Added:
    """An entry, or an example of one, that is added where no line of master.cf fits the pattern."""

    def __init__(self, missing: str, what: str, line: str) -> None:
        self.missing = re.compile(missing, re.M)
        self.notice = f"adding missing entry for {what}"
        self.line = line


class _Changed:
    """A line of an old version: the first one that fits is changed, by each replacement once."""

    def __init__(self, old: str, notice: str, *changes: tuple[str, str]) -> None:
        self.old = re.compile(f"^{old}.*$", re.M)
        self.notice = notice
        self.changes = changes


_FIRST = (
    _Added("^relay", "relay service", "relay\t  unix\t-\t-\tn\t-\t-\tsmtp"),
    _Added("^flush.*flush", "flush service", "flush     unix  -       -       n       1000?   0       flush"),
    _Added("trace.*bounce", "trace service", "trace\t  unix\t-\t-\tn\t-\t0\tbounce"),
    _Added("^verify.*verify", "verify service", "verify\t  unix\t-\t-\tn\t-\t1\tverify"),
    _Changed(r"verify.*[ \t]0[ \t]*verify", "setting verify process limit to 1", (r"([ \t])0(?=[ \t])", r"\g<1>1")),
    _Changed(r"pickup[ \t]*fifo[ \t]*n[ \t]*n", "making the pickup service unprivileged", (r"(n[ \t]*)n", r"\1-")),
    _Changed(r"cleanup[ \t]*unix[ \t]*[-y]", "making the cleanup service public", ("[-y]", "n")),
    _Changed(r"flush[ \t]*unix[ \t]*[-y]", "making the flush service public", ("[-y]", "n")),
)
"""What comes before main.cf is looked at."""
_SECOND = (
    _Added("^proxymap.*proxymap", "proxymap service", "proxymap  unix\t-\t-\tn\t-\t-\tproxymap"),
    _Added("^anvil.*anvil", "anvil service", "anvil\t  unix\t-\t-\tn\t-\t1\tanvil"),
    _Added("^scache.*scache", "scache service", "scache\t  unix\t-\t-\tn\t-\t1\tscache"),
    _Added("^discard.*discard", "discard service", "discard\t  unix\t-\t-\tn\t-\t-\tdiscard"),
    _Changed(
        r"tlsmgr[ \t]*fifo[ \t]",
        "updating the tlsmgr from fifo to unix service",
        ("fifo", "unix"),
        ("([0-9]+)", r"\1?"),
    ),
    _Added("^tlsmgr.*tlsmgr", "tlsmgr service", "tlsmgr    unix  -       -       n       1000?   1       tlsmgr"),
    _Added("^retry.*error", "retry service", "retry     unix  -       -       n       -       -       error"),
    _Added(
        "^proxywrite.*proxymap",
        "proxywrite service",
        "proxywrite unix -       -       n       -       1       proxymap",
    ),
    _Changed(r"proxywrite.*-[ \t]*proxymap", "setting proxywrite process limit to 1", (r"-([ \t]*proxymap)", r"1\1")),
    _Added(
        "^#*smtp.*postscreen",
        "postscreen TCP service",
        "#smtp      inet  n       -       n       -       1       postscreen",
    ),
    _Added(
        "^#*smtpd.*smtpd", "smtpd unix-domain service", "#smtpd     pass  -       -       n       -       -       smtpd"
    ),
    _Added(
        "^#*dnsblog.*dnsblog",
        "dnsblog unix-domain service",
        "#dnsblog   unix  -       -       n       -       0       dnsblog",
    ),
    _Added(
        "^#*tlsproxy.*tlsproxy",
        "tlsproxy unix-domain service",
        "#tlsproxy  unix  -       -       n       -       0       tlsproxy",
    ),
)
_LAST = (
    _Added(
        "^postlog",
        "postlog unix-domain datagram service",
        "postlog   unix-dgram n  -       n       -       1       postlogd",
    ),
)

_HASHED = ("defer", "deferred")
"""Folders of the queue that have to be hashed, as they can hold many files."""
_OBSOLETE = """
    Note: the following files or directories still exist but are
    no longer part of Postfix:

    {}

"""
_IPV4 = """\
    COMPATIBILITY: editing {}/main.cf, setting
    inet_protocols=ipv4.  Specify inet_protocols explicitly if you
    want to enable IPv6.
    In a future release IPv6 will be enabled by default.
"""


def upgrade(system: System, obsolete: Sequence[str]) -> None:
    """Add to the configuration what it lacks, and correct what is old.

    *obsolete*: files that may be removed.  Raises Failure.
    """
    master = _MasterFile(system)
    try:
        master.improve(_FIRST)
        _hash_queues(system)
        master.improve(_SECOND)
        if obsolete:
            _show(_OBSOLETE.format(" " + " ".join(obsolete)))
        _settle_protocols(system)
        master.improve(_LAST)
    except OSError as error:
        raise system.failure(f"{master.path}: {error.strerror}") from None


class _MasterFile:
    """master.cf as text; comments and layout stay."""

    def __init__(self, system: System) -> None:
        self.path = f"{system.config_directory}/master.cf"

    def improve(self, steps: Sequence[_Added | _Changed]) -> None:
        """Take the steps that are needed, tell of each, and write the file if there were any.  Raises OSError."""
        with open(self.path, encoding="utf-8", errors="surrogateescape") as stream:
            old = stream.read()
        text = old if old.endswith("\n") or not old else f"{old}\n"
        whole = text
        for step in steps:
            if isinstance(step, _Added):
                if not step.missing.search(text):
                    print(f"Editing {self.path}, {step.notice}")
                    text += f"{step.line}\n"
            elif found := step.old.search(text):
                print(f"Editing {self.path}, {step.notice}")
                text = _changed(text, found, step.changes)
        if text != whole:
            _replace(self.path, text)


def _changed(text: str, found: re.Match[str], changes: Sequence[tuple[str, str]]) -> str:
    """Return the text with the line changed, and print what ed(1) does: sizes of the file, and the line twice."""
    line = found[0]
    for pattern, new in changes:
        line = re.sub(pattern, new, line, count=1)
    new_text = text[: found.start()] + line + text[found.end() :]
    print(_size(text), found[0], line, _size(new_text), sep="\n")
    return new_text


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _hash_queues(system: System) -> None:
    found = system.snapshot.value("hash_queue_names")
    missing = [name for name in _HASHED if name not in found]
    if missing:
        print(f"fixing main.cf hash_queue_names for missing {' '.join(missing)}")
        _set(system, f"hash_queue_names={' '.join((found, *missing))}")


def _settle_protocols(system: System) -> None:
    """Keep systems to IPv4 that have never been told of protocols, as old versions did."""
    if system.snapshot.raw("inet_protocols") is None:
        _show(_IPV4.format(system.config_directory))
        _set(system, "inet_protocols=ipv4")


def _set(system: System, setting: str) -> None:
    if system.run(system.command("postconf"), "-e", setting) != 0:
        raise Failure


def _show(text: str) -> None:
    """Print paragraphs, broken by fmt(1) where it is there."""
    import subprocess  # few need it

    try:
        done = subprocess.run(["fmt"], input=text.encode("utf-8", "surrogateescape"), capture_output=True, check=False)
    except FileNotFoundError:
        print(text, end="")
    else:
        print(done.stdout.decode("utf-8", "surrogateescape"), end="")


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
