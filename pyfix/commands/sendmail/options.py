"""What the options of sendmail(1) say; those that Sendmail had and Postfix passes over are taken and forgotten.

Source: sendmail(1).
"""

from __future__ import annotations

import os
import sys

from pyfix.runtime.console import EX_TEMPFAIL, BadOption, CommandError, parse_options
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from pyfix.config.snapshot import Snapshot

_LETTERS = "A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:r:q:tvx"
_FLUSH_ALL = "\0"
"""The value that -q gets where it has none; nobody can give it."""
_DEFAULT_VERP = "V\0"
"""The value of -X that stands for default_verp_delimiters."""
_VERP_PAIR = 2
_SEPARATORS = ", \t\r\n"
_MODES = "dlhHimpsv"
_NOTIFY_BITS = {"never": 1, "success": 2, "failure": 4, "delay": 8}
_ENCODINGS = {"8BITMIME": "8bit", "7BIT": "7bit"}
_MAX_ENVELOPE_ID = 100


class Request:
    """What the options ask for."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        """The letter of -b, or q for -q; v is m with ``verify``."""
        self.verify = False
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
        self.smtputf8 = False
        self.requiretls = False


def read_options(argv: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return options with their values, and the recipients after them.  Raises CommandError."""
    try:
        return parse_options(argv, _LETTERS, mend=_mend)
    except BadOption as error:
        print(f"{_called()}: {error}", file=sys.stderr)
        raise CommandError(f"usage: {_called()} [options]", EX_TEMPFAIL) from None


def find_configuration(argv: Sequence[str]) -> str | None:
    """Return the folder that the last -C names, if there is one; complain of what is no option, but go on."""
    complaints: list[str] = []
    options, _words = parse_options(["-qf" if word == "-q" else word for word in argv], _LETTERS, complaints=complaints)
    for text in complaints:
        print(f"{_called()}: {text}", file=sys.stderr)
    folders = [configuration_folder(value) for letter, value in options if letter == "C"]
    return folders[-1] if folders else None


def _called() -> str:
    return log.called or "sendmail"


def check_verp_delimiters(snapshot: Snapshot) -> None:
    """Raise CommandError unless default_verp_delimiters are among those of verp_delimiter_filter."""
    for which, letter in zip(("first", "second"), snapshot.value("default_verp_delimiters"), strict=True):
        if letter not in snapshot.value("verp_delimiter_filter"):
            _refuse(
                f"file {snapshot.config_directory}/main.cf: parameters default_verp_delimiters and "
                f"verp_delimiter_filter: bad {which} VERP delimiter character"
            )


def _mend(words: list[str]) -> None:
    """Give options that may go without a value one that says so, and read VERP delimiters in their old form."""
    word = words[0]
    if word == "-q":
        words[0] = "-q" + _FLUSH_ALL
    elif word == "-V" and len(words) > 1 and len(words[1]) == _VERP_PAIR:
        log.warning("option -V is deprecated with Postfix 2.3; specify -XV instead")
        word = "-XV"
    elif word.startswith("-V") and len(word) == len("-V") + _VERP_PAIR:
        log.warning(f"option {word} is deprecated with Postfix 2.3; specify -X{word[1:]} instead")
        words[0] = f"-X{word[1:]}"
    if word == "-XV":
        words[0] = "-X" + _DEFAULT_VERP


def take_options(request: Request, options: Sequence[tuple[str, str]], snapshot: Snapshot) -> None:
    """Read options into a request.  Raises CommandError for one that can't be obeyed."""
    for letter, value in options:
        _take(request, letter, value, snapshot)


def _refuse(text: str) -> NoReturn:
    raise CommandError(text, EX_TEMPFAIL)


def _take(request: Request, letter: str, value: str, snapshot: Snapshot) -> None:
    match letter:
        case "B":
            request.encoding = _ENCODINGS.get(value) or _refuse("-B option needs 8BITMIME or 7BIT")
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
                log.warning("bad -R option value -- ignored")
        case "V":
            _envelope_id(request, value)
        case "X":
            _verp(request, value, snapshot)
        case "b":
            _mode(request, value)
        case "f" | "r":
            request.sender = value
        case "i":
            request.dots = False
        case "n":
            _refuse("-n option not supported")
        case "o":
            if value[:1] == "A":
                request.alias_maps = value[1:] or _refuse("-oA requires pathname")
            elif value[:1] == "i":
                request.dots = False
        case "q":
            _queue_option(request, value)
        case "t":
            request.from_headers = True
        case "v":
            request.verbose += 1


def configuration_folder(value: str) -> str:
    """Return the folder that -C names: itself, or by its main.cf."""
    return os.path.dirname(value) if os.path.basename(value) == "main.cf" else value


def _mode(request: Request, value: str) -> None:
    letter = value[:1]
    if not letter or letter not in _MODES:
        _refuse(f"unsupported: -b{value[:1]}")
    if letter == "v":
        request.verify = True
    request.mode = "m" if letter == "v" else letter


def _notify(value: str) -> int:
    mask = 0
    words = [word for word in value.translate(dict.fromkeys(map(ord, _SEPARATORS), ",")).split(",") if word]
    for word in words:
        if word.lower() not in _NOTIFY_BITS:
            log.warning(f'unknown DSN NOTIFY command value "{word}" in "{value}"')
            mask = 0
            break
        mask |= _NOTIFY_BITS[word.lower()]
    if not mask or (mask & 1 and mask != 1):
        log.warning(f"bad -N option value: '{value}' -- ignored")
        return 0
    return mask


def _long_option(request: Request, value: str) -> None:
    name, _equals, setting = value.partition("=")
    name = name.lower()
    if value and name not in ("smtputf8", "requiretls"):
        return  # one of Sendmail's
    if not value or setting.lower() not in ("yes", "no"):
        log.warning(f"bad -O option: '{value}' -- ignored")
        return
    setattr(request, name, setting.lower() == "yes")


def _envelope_id(request: Request, value: str) -> None:
    if len(os.fsencode(value)) > _MAX_ENVELOPE_ID:
        log.warning("too long -V option value -- ignored")
    elif not value or not value.isprintable() or not value.isascii():
        log.warning("bad syntax in -V option value -- ignored")
    else:
        request.envelope_id = value


def _verp(request: Request, value: str, snapshot: Snapshot) -> None:
    if value[:1] != "V":
        _refuse(f"unsupported: -X{value[:1]}")
    allowed = snapshot.value("verp_delimiter_filter")
    delimiters = snapshot.value("default_verp_delimiters") if value == _DEFAULT_VERP else value[1:]
    if len(delimiters) != _VERP_PAIR or not all(letter in allowed for letter in delimiters):
        _refuse(f"-V requires two characters from {allowed}")
    request.verp = delimiters


def _queue_option(request: Request, value: str) -> None:
    if value[:1].isdigit():
        if request.mode != "d":
            request.mode = "h"
    elif value.startswith("I"):
        request.mode = "q"
        request.flush_id = value[1:] or _refuse("specify: -qIqueueid")
    elif value.startswith("R"):
        request.mode = "q"
        request.flush_site = value[1:] or _refuse("specify: -qRsitename")
    elif value == _FLUSH_ALL:
        request.mode = "q"
    else:
        _refuse(f"-q{value[:1]} is not implemented")
