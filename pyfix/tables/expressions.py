"""What regexp and pcre tables have in common: expressions, and replacement texts with their groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pyfix.formats.patterns import (
    IF,
    PatternError,
    Statement,
    Template,
    TemplateError,
    parse_template,
    split_expression_line,
)
from pyfix.tables import flags as bits
from pyfix.tables.notice import warn
from pyfix.tables.rules import Rule, RuleTable
from pyfix.tables.table import TableError

Groups = list[tuple[int, int]]
"""Start and end of the whole match and of each group; -1 for a group that took no part."""
_SHORTEST_RUN: Final = 4
_LONGEST_RUN: Final = 200

Matcher = Callable[[bytes], "Groups | None"]
"""Raises RuntimeError for an expression that goes on too long."""


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

    _stray_endif = "ignoring ENDIF without matching IF"

    __slots__ = ()

    def _read(self, line: str) -> Statement | None:
        return split_expression_line(line, self.known_flags, self.unclosed)

    def expression(self, pattern: str, flags: str, *, groups: bool) -> Expression:
        """Compile an expression; *groups* says whether the texts of its groups are wanted.  Raises PatternError."""
        raise NotImplementedError

    def _compile(self, statement: Statement, number: int) -> Rule:
        condition = statement.kind == IF
        try:
            template = parse_template(statement.text, range_words=self.range_words)
        except TemplateError as error:
            if error.anywhere:
                warn(str(error))
            else:
                self._warn(number, str(error))
            raise PatternError("bad replacement syntax: skipping this rule") from None
        highest = max((part for part in template if isinstance(part, int)), default=0)
        if highest and statement.negated:
            raise PatternError("$number found in negative match replacement text: skipping this rule")
        if highest and self.flags & bits.NO_REGSUB:
            raise PatternError("regular expression substitution is not allowed: skipping this rule")
        expression = self.expression(statement.pattern, statement.flags, groups=highest > 0)
        if highest > expression.groups:
            raise PatternError(f'out of range replacement index "{highest}": skipping this rule')
        result = template if highest else "".join(map(str, template))
        source = statement.pattern, "".join(sorted(statement.flags))
        return Rule(expression.matches, result, number, negated=statement.negated, condition=condition, source=source)

    def union(self, patterns: list[str], flags: str) -> Matcher | None:
        """Return one expression that matches what any of *patterns* does; None where there is none."""
        return None

    def _shortened(self, rules: list[Rule]) -> list[Rule]:
        """Put a condition before each long run of plain rules: one expression that says whether any can match.

        Most keys match nothing, and one large expression costs little more than a small one.
        """
        targets = {rule.next for rule in rules if rule.condition}
        runs: list[tuple[int, int]] = []
        start = 0
        for index in range(len(rules) + 1):
            rule = rules[index] if index < len(rules) else None
            plain = rule is not None and not rule.negated and not rule.condition
            if index > start and (
                not plain
                or index in targets
                or index - start >= _LONGEST_RUN
                or rule.source[1] != rules[start].source[1]  # type: ignore[union-attr]  # plain says that there is a rule
            ):
                if index - start >= _SHORTEST_RUN:
                    runs.append((start, index))
                start = index
            if not plain:
                start = index + 1
        before: dict[int, Rule] = {}
        for start, end in runs:
            test = self.union([rule.source[0] for rule in rules[start:end]], rules[start].source[1])
            if test is not None:
                before[start] = Rule(_cautious(test), None, rules[start].line, negated=False, condition=True)
                before[start].next = end
        if not before:
            return rules
        places, added = [], 0
        for index in range(len(rules) + 1):
            places.append(index + added)
            added += index in before
        shortened: list[Rule] = []
        for index, rule in enumerate(rules):
            if index in before:
                before[index].next = places[before[index].next]
                shortened.append(before[index])
            rule.next = places[rule.next]
            shortened.append(rule)
        return shortened

    def lookup(self, key: str) -> str | None:
        """Return the text of the first rule that holds for the key."""
        data = key.encode(errors="surrogateescape")
        rules = self._rules
        index, end = 0, len(rules)
        while index < end:
            rule = rules[index]
            try:
                groups = rule.test(data)
            except RuntimeError as error:
                self._warn(rule.line, str(error))
                raise TableError(f"table {self.name}: query error") from error
            if (groups is not None) != rule.negated:
                if not rule.condition:
                    result = rule.result
                    return result if isinstance(result, str) else _filled(result, data, groups)
                index += 1
            else:
                index = rule.next
        return None


def _cautious(test: Matcher) -> Matcher:
    """Return the same test, but one that goes on too long is said to hold: the rules themselves decide then."""

    def holds(key: bytes) -> Groups | None:
        try:
            return test(key)
        except RuntimeError:
            return []

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
