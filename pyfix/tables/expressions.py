"""What regexp and pcre tables have in common: expressions, and replacement texts with their groups."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final

from pyfix.formats.needed_text import Need
from pyfix.formats.patterns import (
    IF,
    PatternError,
    Statement,
    Template,
    TemplateError,
    parse_template,
    shown_index,
    split_expression_line,
)
from pyfix.tables import flags as bits
from pyfix.tables.candidates import Candidates, candidates_in_steps
from pyfix.tables.notice import warn
from pyfix.tables.rules import Rule, RuleTable
from pyfix.tables.table import Opening

Groups = list[tuple[int, int]]
"""Start and end of the whole match and of each group; -1 for a group that took no part."""
_MANY_RULES: Final = 16
_ASKED_OFTEN: Final = 4
"""Lookups until a table is worth the work of finding out what its rules need."""
_STEPS_IN_TURN: Final = 16
"""By this a lookup divides the rules, to do so many steps of that work: it then takes not much longer than without."""

Matcher = Callable[[bytes], "Groups | None"]
"""Raises RuntimeError when nobody can tell, as for an expression that goes on too long."""


class Expression:
    """A compiled expression."""

    __slots__ = ("groups", "matches")

    def __init__(self, matches: Matcher, groups: int) -> None:
        self.matches: Final = matches
        self.groups: Final = groups
        """How many groups the expression has."""


class ExpressionTable(RuleTable):
    """A table of expressions."""

    known_flags = ""
    unclosed = "skipping this rule"
    range_words = "out-of-range"
    second = False
    """Whether a rule may have a second expression."""

    _stray_endif = "ignoring ENDIF without matching IF"

    __slots__ = ("_asked", "_known", "_sorting")

    def __init__(self, name: str, opening: Opening) -> None:
        """Read the rules.  Raises TableError."""
        super().__init__(name, opening)
        self._asked = 0
        self._known: Candidates | None = None
        self._sorting: Generator[None, None, Candidates] | None = None

    def _read(self, line: str) -> Statement | None:
        return split_expression_line(line, self.known_flags, self.unclosed, second=self.second)

    def expression(self, pattern: str, flags: str, *, groups: bool) -> Expression:
        """Compile an expression; *groups* says whether the texts of its groups are wanted.  Raises PatternError."""
        raise NotImplementedError  # each type has its own

    def _compile(self, statement: Statement, number: int) -> Rule:
        condition = statement.kind == IF
        try:
            template = parse_template(statement.text, range_words=self.range_words)
        except TemplateError as error:
            for complaint in error.complaints:
                if complaint.anywhere:
                    warn(complaint.text)
                else:
                    self._warn(number, complaint.text)
            raise PatternError("bad replacement syntax: skipping this rule") from None
        highest = max((part for part in template if isinstance(part, int)), default=0)
        if highest and statement.negated:
            raise PatternError("$number found in negative match replacement text: skipping this rule")
        if highest and self.flags & bits.NO_REGSUB:
            raise PatternError("regular expression substitution is not allowed: skipping this rule")
        expression = self.expression(statement.pattern, statement.flags, groups=highest > 0)
        if highest > expression.groups:
            raise PatternError(f'out of range replacement index "{shown_index(highest)}": skipping this rule')
        result = template if highest else "".join(map(str, template))
        source = statement.pattern, statement.flags
        if statement.also is not None:
            other = self.expression(statement.also.pattern, statement.also.flags, groups=False)
            test = _both(expression.matches, statement.negated, other.matches, statement.also.negated)
            if statement.negated:
                source = "", ""  # what it contains says nothing of the keys that are wanted
            return Rule(test, result, number, negated=False, condition=False, source=source)
        return Rule(expression.matches, result, number, negated=statement.negated, condition=condition, source=source)

    def needs(self, pattern: bytes, flags: str) -> list[Need]:
        """Return what needed_text() says of an expression of this type."""
        raise NotImplementedError  # each type has its own

    def _candidates(self) -> Candidates | None:
        """Return which rules can hold for a key at all; None where it costs less to try all of them."""
        self._asked += 1
        if self._asked < _ASKED_OFTEN or len(self._rules) < _MANY_RULES:
            return None
        if self._asked == _ASKED_OFTEN:
            # A condition, and what is negated, says most where its text is not there.
            self._sorting = candidates_in_steps(
                [] if rule.condition or rule.negated
                else self.needs(rule.source[0].encode(errors="surrogateescape"), rule.source[1])
                for rule in self._rules
            )  # fmt: skip
        if self._sorting is not None:
            try:
                for _ in range(len(self._rules) // _STEPS_IN_TURN + 1):
                    next(self._sorting)
            except StopIteration as end:
                self._sorting = None
                found: Candidates = end.value
                if found.spared >= _MANY_RULES // 2:
                    self._known = found
        return self._known

    def lookup(self, key: str) -> str | None:
        """Return the text of the first rule that holds for the key."""
        data = key.encode(errors="surrogateescape")
        if b"\0" in data:
            data = data[: data.index(b"\0")]
        rules = self._rules
        candidates = self._known or self._candidates()
        next_rule = 0
        for index in range(len(rules)) if candidates is None else candidates.of(data):
            if index < next_rule:
                continue
            rule = rules[index]
            try:
                groups = rule.test(data)
            except RuntimeError as error:
                self._warn(rule.line, str(error))  # and the rule does not hold, nor does its negation
                next_rule = rule.next
                continue
            if (groups is not None) == rule.negated:
                next_rule = rule.next
            elif not rule.condition:
                result = rule.result
                return result if isinstance(result, str) else _filled(result, data, groups)
        return None


def _both(first: Matcher, first_negated: bool, second: Matcher, second_negated: bool) -> Matcher:
    """Return the test whether both hold; its groups are those of the first."""

    def holds(key: bytes) -> Groups | None:
        groups = first(key)
        if (groups is not None) == first_negated or (second(key) is not None) == second_negated:
            return None
        return groups or []

    return holds


def _filled(template: Template, data: bytes, groups: Groups) -> str:
    parts = []
    for part in template:
        if isinstance(part, str):
            parts.append(part)
        else:
            start, end = groups[part]
            if start >= 0:
                parts.append(data[start:end].decode(errors="surrogateescape"))
    return "".join(parts)
