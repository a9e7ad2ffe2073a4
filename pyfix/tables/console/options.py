"""The options of postmap(1) and postalias(1)."""

from __future__ import annotations

import os
import sys

from pyfix.tables import flags as bits

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final, NoReturn


class Fatal(Exception):
    """The command ends with this message and status 1."""


class Options:
    """The command line of postmap or postalias."""

    def __init__(self, argv: Sequence[str], letters: str, usage: str) -> None:
        """Read options up to the first word that is none.  Raises Fatal.

        *letters* are those of getopt(3); *usage* is what follows the program's name in its usage message.
        """
        self.given: Final[list[tuple[str, str]]] = []
        self._usage: Final = usage
        rest = list(argv)
        while rest and rest[0].startswith("-") and rest[0] != "-":
            word = rest.pop(0)
            if word == "--":
                break
            at = 1
            while at < len(word):
                letter = word[at]
                at += 1
                place = letters.find(letter) if letter != ":" else -1
                if place < 0:
                    self._refuse(f"invalid option -- '{letter}'")
                if letters[place + 1 : place + 2] != ":":
                    self.given.append((letter, ""))
                    continue
                if at < len(word):
                    self.given.append((letter, word[at:]))
                elif rest:
                    self.given.append((letter, rest.pop(0)))
                else:
                    self._refuse(f"option requires an argument -- '{letter}'")
                break
        self.tables: Final = rest
        letters_given = {letter for letter, _ in self.given}
        self.has: Final = letters_given.__contains__
        self.key: str | None = None
        self.directory: str | None = None
        self.action = ""
        self.flags = bits.ORDINARY | bits.DUP_WARN
        for letter, argument in self.given:
            self._take(letter, argument)

    def _refuse(self, text: str) -> NoReturn:
        print(f"{program()}: {text}", file=sys.stderr)
        raise self.misused()

    def misused(self) -> Fatal:
        """Return the error that shows how the command is to be used."""
        return Fatal(f"usage: {program()} {self._usage}")

    def _take(self, letter: str, argument: str) -> None:
        match letter:
            case "N":
                self.flags = (self.flags | bits.TRY1NULL) & ~bits.TRY0NULL
            case "n":
                self.flags = (self.flags | bits.TRY0NULL) & ~bits.TRY1NULL
            case "f":
                self.flags &= ~bits.FOLD_FIX
            case "u":
                self.flags &= ~bits.UTF8_REQUEST
            case "r":
                self.flags = (self.flags | bits.DUP_REPLACE) & ~(bits.DUP_WARN | bits.DUP_IGNORE)
            case "w":
                self.flags = (self.flags | bits.DUP_IGNORE) & ~(bits.DUP_WARN | bits.DUP_REPLACE)
            case "F":
                self.flags |= bits.SRC_RHS_IS_FILE
            case "c":
                self.directory = argument
            case "d" | "q" | "i" | "s":
                if self.action:
                    raise Fatal("specify only one of -d -i -q or -s")
                self.action = letter
                self.key = argument
            case _:
                pass


def program() -> str:
    """Return the name under which the command was called."""
    return os.path.basename(sys.argv[0])
