"""cidr: network blocks in file order; the first block that holds the key wins.  Source: cidr_table(5)."""

from __future__ import annotations

from pyfix.formats.patterns import IF, MATCH, PatternError, Statement, split_cidr_line
from pyfix.tables.network import NetworkError, packed_address, parse_network
from pyfix.tables.rules import Rule, RuleTable
from pyfix.tables.table import Opening


def _by_mask(rules: list[Rule]) -> dict[int, list[tuple[int, dict[int, int]]]]:
    found: dict[tuple[int, int], dict[int, int]] = {}
    for index, rule in enumerate(rules):
        size, mask, network = rule.test
        found.setdefault((size, mask), {}).setdefault(network, index)
    return {size: [(mask, networks) for (of, mask), networks in found.items() if of == size] for size in (4, 16)}


class CidrTable(RuleTable):
    """Keys are IPv4 or IPv6 addresses in text form; any other key finds nothing."""

    kind = "cidr"

    __slots__ = ("_by_mask",)

    def __init__(self, name: str, opening: Opening) -> None:
        """Read the rules.  Raises TableError."""
        super().__init__(name, opening)
        self._by_mask: dict[int, list[tuple[int, dict[int, int]]]] | None = None
        """By size of the address: masks, and for each the networks with the index of their first rule.

        None where conditions or exclamation marks make it matter which rules were looked at before.
        """
        if not any(rule.condition or rule.negated for rule in self._rules):
            self._by_mask = _by_mask(self._rules)

    def _read(self, line: str) -> Statement:
        return split_cidr_line(line)

    def _compile(self, statement: Statement, number: int) -> Rule:
        try:
            block = parse_network(statement.pattern)
        except NetworkError as error:
            raise PatternError(f"{error}: skipping this rule") from None
        if statement.kind == MATCH and not statement.text:
            raise PatternError("no lookup result: skipping this rule")
        return Rule(block, statement.text, number, negated=statement.negated, condition=statement.kind == IF)

    def lookup(self, key: str) -> str | None:
        """Return the value of the first block that holds the address."""
        packed = packed_address(key)
        if packed is None:
            return None
        size, address = len(packed), int.from_bytes(packed)
        rules = self._rules
        if self._by_mask is not None:
            first = len(rules)
            for mask, networks in self._by_mask.get(size, ()):
                found = networks.get(address & mask)
                if found is not None and found < first:
                    first = found
            return rules[first].result if first < len(rules) else None
        index, end = 0, len(rules)
        while index < end:
            rule = rules[index]
            block_size, mask, network = rule.test
            # A block of the other address family decides nothing, not even with an exclamation mark.
            if size == block_size and (address & mask == network) != rule.negated:
                if not rule.condition:
                    value: str = rule.result
                    return value
                index += 1
            else:
                index = rule.next
        return None
