"""The command line of postconf(1), and which options exclude each other."""

from __future__ import annotations

import sys

from pyfix.commands.postconf.messages import Fatal

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CLASSES", "Options", "parse"]

_LETTERS = "aAbc:C:defFhHjlmMno:pPqtT:vxX#"
_NO_MEANING = "E"
"""Letters that are no option, but of which the option parser does not complain either."""

_MODES = "aAbFlmMpPt"
"""What to do; one at most, ``p`` being the default."""

_MODES_THAT_EDIT = "pMFP"

_FORBIDDEN = {
    **dict.fromkeys("aAbtlmT", "defhHjnoxX#"),
    "M": "dhHn",
    "F": "dnX#",
    "P": "dn#",
    "j": "efhHX#",
}
"""What a mode (and -T, and -j) does not go with."""

_ONE_OF = ("aAbFlmMpPtT", "eX#", "denX#", "efX#", "exX#", "deoX#", "ehHX#")
"""Letters of which one at most may be given, in the order in which postconf(1) looks."""

CLASSES = ("builtin", "service", "user")
_USAGE = (
    "usage: {} [-a (server SASL types)] [-A (client SASL types)] [-b (bounce templates)] [-c config_dir] "
    "[-c param_class] [-d (parameter defaults)] [-e (edit configuration)] [-f (fold lines)] [-F (master.cf fields)] "
    "[-h (no names)] [-H (no values)] [-j (streaming JSON) ] [-l (lock types)] [-m (map types)] [-M (master.cf)] "
    "[-n (non-default parameters)] [-o name=value (override parameter value)] [-p (main.cf, default)] "
    "[-P (master.cf parameters)] [-t (bounce templates)] [-T compile-version|run-version|public-key-algorithms] "
    "[-v (verbose)] [-x (expand parameter values)] [-X (exclude)] [-# (comment-out)] [name...]"
)


class Options:
    """The parsed command line."""

    def __init__(self) -> None:
        self.letters: set[str] = set()
        """The options without a value that were given."""
        self.mode = "p"
        self.config_directory: str | None = None
        self.classes: tuple[str, ...] = CLASSES
        """Which parameters -C selects."""
        self.overrides: list[str] = []
        """The arguments of -o."""
        self.tls_mode: str | None = None
        self.arguments: list[str] = []

    def __contains__(self, letter: str) -> bool:
        return letter in self.letters

    @property
    def editing(self) -> bool:
        """Whether a file is to be changed."""
        return bool(self.letters & {"e", "X", "#"})


def parse(argv: Sequence[str]) -> Options:
    """Parse the arguments.  Raises Fatal for a wrong or forbidden option."""
    options = Options()
    left = _parse_letters(options, list(argv))
    options.arguments = left
    given = [letter for letter in _MODES if letter in options]
    options.mode = given[0] if given else "p"
    if options.mode in _MODES_THAT_EDIT and options.tls_mode is None and left and "=" in left[0]:
        options.letters.add("e")
    _check(options)
    return options


def _parse_letters(options: Options, left: list[str]) -> list[str]:
    while left and left[0].startswith("-") and left[0] != "-":
        cluster = left.pop(0)
        if cluster == "--":
            break
        at = 1
        while at < len(cluster):
            letter = cluster[at]
            at += 1
            found = _LETTERS.find(letter)
            if letter in _NO_MEANING:
                raise Fatal(_USAGE.format(sys.argv[0]))
            if found < 0 or letter == ":":
                sys.stderr.write(f"{sys.argv[0]}: invalid option -- '{letter}'\n")
                raise Fatal(_USAGE.format(sys.argv[0]))
            if _LETTERS[found + 1 : found + 2] != ":":
                if letter in "bt" and ("b" in options or "t" in options):
                    raise Fatal("specify one of -b and -t")
                options.letters.add(letter)
                continue
            value = cluster[at:]
            at = len(cluster)
            if not value:
                if not left:
                    sys.stderr.write(f"{sys.argv[0]}: option requires an argument -- '{letter}'\n")
                    raise Fatal(_USAGE.format(sys.argv[0]))
                value = left.pop(0)
            _take_value(options, letter, value)
    return left


def _take_value(options: Options, letter: str, value: str) -> None:
    options.letters.add(letter)
    match letter:
        case "c":
            options.config_directory = value
        case "C":
            options.classes = _classes(value)
        case "o":
            options.overrides.append(value)
        case _:
            options.tls_mode = value


def _classes(value: str) -> tuple[str, ...]:
    words = value.replace(",", " ").split()
    for word in words:
        if word not in (*CLASSES, "all"):
            raise Fatal(f'unknown -C option value "{word}" in "{value}"')
    return CLASSES if "all" in words else tuple(word for word in CLASSES if word in words)


def _check(options: Options) -> None:
    for letters in _ONE_OF:
        given = [f"-{letter}" for letter in letters if letter in options]
        if len(given) > 1:
            raise Fatal(f"specify one of {', '.join(given)}")
    for letter in ("T" if "T" in options else options.mode, "j"):
        if letter not in options:
            continue
        wrong = [f"-{other}" for other in _FORBIDDEN.get(letter, "") if other in options]
        if wrong:
            raise Fatal(f"with option -{letter}, do not specify {' '.join(wrong)}")
    if options.tls_mode is not None:
        return
    if "e" in options and not options.arguments:
        raise Fatal("-e requires name=value argument")
    if options.editing and not options.arguments:
        raise Fatal("missing service argument")
