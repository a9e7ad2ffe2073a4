"""What cidr, regexp and pcre tables have in common: rules in file order, some of them only under conditions."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final

from pyfix.formats.patterns import ENDIF, IF, MATCH, PatternError, Statement
from pyfix.tables import flags as bits
from pyfix.tables.braces import SEPARATORS, BraceError, matching, split_words, unbrace
from pyfix.tables.file_values import encode_files
from pyfix.tables.notice import warn
from pyfix.tables.table import Opening, Table, TableError
from pyfix.tables.textfile import logical_lines


class Rule:
    """A pattern, and what follows from it."""

    __slots__ = ("condition", "line", "negated", "next", "result", "source", "test")

    def __init__(
        self, test: Any, result: Any, line: int, *, negated: bool, condition: bool, source: tuple[str, str] = ("", "")
    ) -> None:
        self.test: Final = test
        self.result: Final = result
        self.line: Final = line
        self.negated: Final = negated
        self.condition: Final = condition
        self.source: Final = source
        """Pattern and flags."""
        self.next = 0
        """Index of the rule to go on with when this one does not hold: a condition jumps behind its ENDIF."""


class RuleTable(Table):
    """A table whose keys are matched against rules, from the first to the last."""

    pattern = True
    folds = False

    _stray_endif = "ENDIF without IF: skipping this rule"

    __slots__ = ("_file_name", "_owner", "_rules")

    def __init__(self, name: str, opening: Opening) -> None:
        """Read the rules from the file *name*, or from the name itself: ``{ { rule }, ... }``.

        Raises TableError; rules that can't be used are skipped with a warning.
        """
        super().__init__(name, opening)
        self._file_name: Final = name
        self._owner = 0  # of rules that stand in main.cf
        rules: list[Rule] = []
        waiting: list[Rule] = []
        for number, line in self._lines():
            try:
                statement = self._read(line)
                if statement is None:
                    continue
                for remark in statement.remarks:
                    self._warn(number, remark)
                if statement.kind == ENDIF:
                    if not waiting:
                        raise PatternError(self._stray_endif)
                    if statement.text:
                        self._warn(number, "ignoring extra text after ENDIF")
                    waiting.pop().next = len(rules)
                    continue
                if opening.flags & bits.SRC_RHS_IS_FILE and statement.kind == MATCH:
                    statement.text = encode_files(statement.text)
                rule = self._compile(statement, number)
            except TableError as error:
                self._warn(number, f"{error}: skipping this rule")
                continue
            except PatternError as error:
                for text in (*error.remarks, str(error)):
                    self._warn(number, text)
                continue
            rules.append(rule)
            rule.next = len(rules)
            if statement.kind == IF:
                waiting.append(rule)
        for rule in reversed(waiting):
            self._warn(rule.line, "IF has no matching ENDIF")
            rule.next = len(rules)
        self._rules: Final = rules

    def _warn(self, line: int, text: str) -> None:
        warn(f"{self.kind} map {self._file_name}, line {line}: {text}")

    def owner(self) -> int | None:
        """Return the owner of the file that was read."""
        return self._owner

    def _lines(self) -> Iterable[tuple[int, str]]:
        name = self._file_name
        if name.startswith("{"):
            return self._inline_lines(name)
        try:
            with open(name, "rb") as stream:
                self._owner = os.fstat(stream.fileno()).st_uid
                text = stream.read().decode(errors="surrogateescape")
        except IsADirectoryError as error:
            raise TableError(f"{self.kind} map {name}: read error: {error.strerror}") from error
        except OSError as error:
            raise TableError(f"open {name}: {error.strerror}") from error
        return logical_lines(text, name)

    def _inline_lines(self, name: str) -> list[tuple[int, str]]:
        if matching(name) < 0:
            raise TableError(f"{self.kind} map: missing '}}' in \"{name}\"")
        end = matching(name)
        if name[end + 1 :].strip():
            word = name[end + 1 :].strip()
            raise TableError(f"{self.kind} map: syntax error after '}}' in \"{name}\"; {word}")
        lines: list[tuple[int, str]] = []
        rest = name[1:end].strip(SEPARATORS)
        while rest:
            try:
                close = matching(rest) if rest.startswith("{") else -1
                lines.append((len(lines) + 1, unbrace(rest[: close + 1] if close >= 0 else split_words(rest)[0])))
            except BraceError as error:
                raise TableError(f"{self.kind} map: {error}") from None
            rest = rest[close + 1 :].strip(SEPARATORS)
        return lines

    # What a type of table gives

    def _read(self, line: str) -> Statement | None:
        """Take a line apart.  Raises PatternError."""
        raise NotImplementedError  # for the subclass

    def _compile(self, statement: Statement, number: int) -> Rule:
        """Make a rule of a statement.  Raises PatternError."""
        raise NotImplementedError  # for the subclass
