"""postlog(1): write to the mail log, from a shell script."""

from __future__ import annotations

import os
import sys
import time

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Snapshot
from pyfix.config.startup import check_command_startup
from pyfix.runtime.console import BadOption, parse_options
from pyfix.runtime.environment import take_environment
from pyfix.runtime.log import log, printable
from pyfix.runtime.logtarget import configure_log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_USAGE = "usage: postlog [-c config_dir] [-i] [-p priority] [-t tag] [-v] [text]"
_PAUSE = 1.0
"""Seconds after a fatal or panic line, as all programs of Postfix pause then."""


class _Severity:
    """One word of ``-p``."""

    __slots__ = ("label", "pauses", "write")

    def __init__(self, label: str, write: Callable[[str], None], *, pauses: bool = False) -> None:
        self.label = label
        self.write = write
        self.pauses = pauses


_SEVERITIES = {
    "info": _Severity("", log.info),
    "warn": _Severity("warning: ", log.warning),
    "warning": _Severity("warning: ", log.warning),
    "error": _Severity("error: ", log.error),
    "fatal": _Severity("fatal: ", log.fatal, pauses=True),
    "panic": _Severity("panic: ", log.panic, pauses=True),
}


def main(argv: Sequence[str]) -> int:
    """Log the words, or each line of standard input; return the exit status.

    Source: postlog(1).
    """
    try:
        options, words = parse_options(argv, "c:ip:t:v")
    except BadOption as error:
        print(f"postlog: {error}", file=sys.stderr)
        return _complain(_USAGE)
    values = dict(options)
    severity = _SEVERITIES.get(values.get("p", "info").lower())
    if severity is None:
        return _complain(f'bad severity: "{values["p"]}"')
    try:
        snapshot = Snapshot.read(values.get("c"), process_name="postlog")
        settings = MailSettings(snapshot)
        for warning in snapshot.warnings:
            _show(f"warning: {warning}")
        check_command_startup(settings)
        configure_log(snapshot, "postlog", to_file=True)
        take_environment(settings.import_environment)
    except ConfigError as error:
        for warning in error.warnings:
            _show(f"warning: {warning}")
        if error.error:
            _show(f"error: {error.error}")
        return _complain(str(error))
    shown = log.tag
    log.tag = values.get("t", log.tag)
    for line in [" ".join(words)] if words else _lines():
        severity.write(line)
        print(f"{shown}: {severity.label}{printable(line)}", file=sys.stderr)
    sys.stderr.flush()
    if severity.pauses:
        time.sleep(_PAUSE)
    return 0


def _lines() -> Iterable[str]:
    for line in sys.stdin.buffer:
        yield os.fsdecode(line.rstrip(b"\r\n"))


def _complain(text: str) -> int:
    _show(f"fatal: {text}")
    return 1


def _show(text: str) -> None:
    print(f"{os.environ.get('MAIL_LOGTAG') or 'postfix'}/postlog: {printable(text)}", file=sys.stderr)
