"""default_delivery_status_filter and its relatives: tables that change the outcome of deliveries.

Source: postconf(5) default_delivery_status_filter.
"""

from __future__ import annotations

from typing import Final

from pyfix.delivery.outcome import BOUNCED, DAMAGED, DEFERRED, SENT, Outcome, changed
from pyfix.formats.status import status_prefix
from pyfix.runtime.log import log
from pyfix.tables.maps import Maps
from pyfix.tables.table import Table, TableError

_CLASS: Final = {SENT: "2", DEFERRED: "45", BOUNCED: "45"}
"""What the new code may begin with: success stays success, and failure failure."""


class StatusFilter(Maps):
    """The tables of such a parameter; the log has the whole text for which one could not be asked."""

    def _failed(self, table: Table, key: str) -> None:
        log.warning(f'{table.name} lookup error for "{key}"')


async def filtered(maps: Maps, outcome: Outcome) -> Outcome:
    """Return what the tables make of an outcome; one that they get wrong, or can't be asked for, stays."""
    if outcome.kind == DAMAGED:
        return outcome
    try:
        found = await maps.find(f"{outcome.code} {outcome.text}")
    except TableError:
        return outcome  # the table has said so in the log
    if found is None:
        return outcome
    code = status_prefix(found)
    if not code or code[0] not in _CLASS[outcome.kind]:
        log.warning(f"{maps.parameter_name}: bad status code: {found}")
        return outcome
    text = found[len(code) :].lstrip(" \t")
    if outcome.kind != SENT:
        kind = DEFERRED if code[0] == "4" else BOUNCED
        if kind != outcome.kind:
            outcome = changed(outcome, kind)
    return outcome._replace(code=code, text=text or outcome.text)
