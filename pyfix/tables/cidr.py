"""cidr: network blocks in file order; the first block that holds the key wins.  Source: cidr_table(5)."""

from __future__ import annotations

from pyfix.formats.patterns import IF, MATCH, PatternError, Statement, split_cidr_line
from pyfix.tables.network import NetworkError, packed_address, parse_network
from pyfix.tables.rules import Rule, RuleTable


class CidrTable(RuleTable):
    """Keys are IPv4 or IPv6 addresses in text form; any other key finds nothing."""

    kind = "cidr"

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
