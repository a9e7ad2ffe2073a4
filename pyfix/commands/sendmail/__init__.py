"""sendmail(1), mailq(1) and newaliases(1): the command-line interface that programs know from Sendmail."""

from __future__ import annotations

import os
import sys

from pyfix.runtime.console import (
    EX_TEMPFAIL,
    BadOption,
    CommandError,
    parse_options,
    read_settings,
    run_command,
)
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from pyfix.config.snapshot import Snapshot

_USAGE = "usage: sendmail [options]"
_LETTERS = "A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:r:q:tvx"


def main(argv: Sequence[str]) -> int:
    """Run as sendmail, mailq or newaliases, by the name of this process; return the exit status.

    Source: sendmail(1).
    """
    mode = {"mailq": "p", "newaliases": "i", "smtpd": "d"}.get(os.path.basename(sys.argv[0]), "m")
    return run_command("sendmail", lambda: _run(mode, argv))


def _with_value(word: str) -> str:
    """Give a bare -q the value that says so: unlike other options it may go without."""
    return "-qf" if word == "-q" else word


class _Request:
    """What the options say."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.config_directory: str | None = None
        self.sender: str | None = None
        self.full_name: str | None = None
        self.encoding = ""
        self.notify = 0
        self.ret = 0
        self.envelope_id = ""
        self.verp: str | None = None
        self.from_headers = False
        self.dots = True
        """A line with a single dot ends the message."""
        self.verbose = 0
        self.gateway = False
        self.alias_maps: str | None = None
        self.flush_id = ""
        self.flush_site = ""
        self.smtputf8: bool | None = None
        self.requiretls: bool | None = None


def _run(mode: str, argv: Sequence[str]) -> int:
    try:
        options, words = parse_options([_with_value(word) for word in argv], _LETTERS)
    except BadOption as error:
        # Sendmail's options are looked through twice, for the configuration first.
        print(f"sendmail: {error}\nsendmail: {error}", file=sys.stderr)
        raise CommandError(_USAGE, EX_TEMPFAIL) from None
    request = _Request(mode)
    for letter, value in options:
        if letter == "C":
            request.config_directory = os.path.dirname(value) if value.endswith(".cf") else value
    if request.config_directory is not None:
        os.environ["MAIL_CONFIG"] = request.config_directory
    snapshot = read_settings("sendmail", request.config_directory, EX_TEMPFAIL)
    for letter, value in options:
        _take(request, letter, value, snapshot)
    match request.mode:
        case "p":
            _check_no_words(words, "display queue mode")
            _execute(snapshot, "postqueue", "-p")
        case "i":
            _newaliases(snapshot, request)
        case "d" | "l":
            _check_no_words(words, "daemon mode")
            _start(snapshot)
            return 0
        case "s":
            _check_no_words(words, "stand-alone mode")
            program = os.path.join(snapshot.value("daemon_directory"), "smtpd")
            os.execv(program, ["smtpd", "-S", *(["-v"] * max(request.verbose - 1, 0))])
        case "q":
            _flush(snapshot, request)
        case "h" | "H":
            return 0
    return _submit(snapshot, request, words)


def _check_no_words(words: Sequence[str], what: str) -> None:
    if words:
        raise CommandError(f"{what} requires no recipient", EX_TEMPFAIL)


def _take(request: _Request, letter: str, value: str, snapshot: Snapshot) -> None:
    match letter:
        case "B":
            request.encoding = {"8bitmime": "8bit", "7bit": "7bit"}.get(value.lower(), "")
            if not request.encoding:
                log.warning(f"unknown -B option value: {value}")
        case "F":
            request.full_name = value
        case "G":
            request.gateway = True
        case "I":
            request.mode = "i"
        case "N":
            request.notify = _notify(value)
        case "O":
            _long_option(request, value)
        case "R":
            request.ret = {"full": 1, "hdrs": 2}.get(value.lower(), 0)
            if not request.ret:
                log.warning(f"bad -R option value: '{value}' -- ignored")
        case "V":
            _envelope_id(request, value, snapshot)
        case "X":
            if value.startswith("V"):
                request.verp = value[1:] or snapshot.value("default_verp_delimiters")
        case "b":
            if value not in ("d", "l", "h", "H", "i", "m", "p", "s", "v"):
                raise CommandError(f"unsupported: -b{value}", EX_TEMPFAIL)
            request.mode = value
        case "f" | "r":
            request.sender = value
        case "i":
            request.dots = False
        case "n":
            raise CommandError("-n option not supported", EX_TEMPFAIL)
        case "o":
            if value == "i":
                request.dots = False
            elif value.startswith("A"):
                request.alias_maps = value[1:]
        case "q":
            _queue_option(request, value)
        case "t":
            request.from_headers = True
        case "v":
            request.verbose += 1


_NOTIFY_BITS = {"never": 1, "success": 2, "failure": 4, "delay": 8}


def _notify(value: str) -> int:
    mask = 0
    for word in value.lower().split(","):
        if word not in _NOTIFY_BITS:
            log.warning(f'unknown DSN NOTIFY command value "{word}" in "{value}"')
            log.warning(f"bad -N option value: '{value}' -- ignored")
            return 0
        mask |= _NOTIFY_BITS[word]
    if mask & 1 and mask != 1:
        log.warning(f"bad -N option value: '{value}' -- ignored")
        return 0
    return mask


def _long_option(request: _Request, value: str) -> None:
    name, equals, setting = value.partition("=")
    name, setting = name.strip().lower(), setting.strip().lower()
    if equals and name in ("smtputf8", "requiretls") and setting in ("yes", "no"):
        setattr(request, name, setting == "yes")


def _envelope_id(request: _Request, value: str, snapshot: Snapshot) -> None:
    delimiters = snapshot.value("verp_delimiter_filter")
    if len(value) == 2 and all(letter in delimiters for letter in value):  # a VERP pair
        log.warning(f"option -V{value} is deprecated with Postfix 2.3; specify -XV{value} instead")
        request.verp = value
    elif len(value) > 100 or not value.isprintable() or not value.isascii():
        log.warning(f"bad -V option value: '{value}' -- ignored")
    else:
        request.envelope_id = value


def _queue_option(request: _Request, value: str) -> None:
    if value[:1].isdigit():
        if request.mode != "d":
            request.mode = "h"
    elif value.startswith("I"):
        request.mode, request.flush_id = "q", value[1:]
    elif value.startswith("R"):
        request.mode, request.flush_site = "q", value[1:]
    elif value == "f":
        request.mode = "q"
    else:
        raise CommandError(f"-q{value[:1]} is not implemented", EX_TEMPFAIL)


def _execute(snapshot: Snapshot, name: str, *arguments: str) -> NoReturn:
    path = os.path.join(snapshot.value("command_directory"), name)
    try:
        os.execv(path, [name, *arguments])
    except OSError as error:
        raise CommandError(f"execv {path}: {error.strerror}", EX_TEMPFAIL) from error


def _start(snapshot: Snapshot) -> None:
    """Start the mail system.  Whether that succeeds is postfix(1)'s to say: callers look at its messages only."""
    path = os.path.join(snapshot.value("command_directory"), "postfix")
    try:
        pid = os.posix_spawn(path, ["postfix", "-c", snapshot.config_directory, "start"], os.environ)
    except OSError as error:
        log.fatal(f"execv {path}: {error.strerror}")
        return
    os.waitpid(pid, 0)


def _newaliases(snapshot: Snapshot, request: _Request) -> NoReturn:
    databases = request.alias_maps if request.alias_maps is not None else snapshot.value("alias_database")
    tables = databases.replace(",", " ").split()
    if not tables:
        raise SystemExit(0)
    _execute(snapshot, "postalias", "--", *tables)


def _flush(snapshot: Snapshot, request: _Request) -> NoReturn:
    if request.flush_id:
        _execute(snapshot, "postqueue", "-i", request.flush_id)
    if request.flush_site:
        _execute(snapshot, "postqueue", "-s", request.flush_site)
    _execute(snapshot, "postqueue", "-f")


def _submit(snapshot: Snapshot, request: _Request, words: Sequence[str]) -> int:
    from pyfix.commands.sendmail.submission import Submission, submit

    verify = request.mode == "v"
    for given, option in ((request.from_headers, "-t"), (request.notify, "-N"), (request.ret, "-R")):
        if verify and given:
            raise CommandError(f"{option} option cannot be used with -bv", EX_TEMPFAIL)
    submission = Submission(
        sender=request.sender,
        full_name=request.full_name,
        recipients=words,
        from_headers=request.from_headers,
        encoding=request.encoding,
        notify=request.notify,
        ret=request.ret,
        envelope_id=request.envelope_id,
        verp=request.verp,
        dots=request.dots,
        context="remote" if request.gateway else "local",
        verify=verify,
        report=verify or request.verbose == 1,
        smtputf8=request.smtputf8,
        requiretls=request.requiretls,
    )
    return submit(snapshot, submission)
