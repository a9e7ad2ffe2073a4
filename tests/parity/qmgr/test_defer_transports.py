"""postconf(5) defer_transports: what waits for a flush, and what counts as one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIN = {
    "smtpd_reject_unlisted_recipient": "no",
    "transport_maps": "inline:{{disc.example=discard:gone}}",
    "defer_transports": "discard",
    "fast_flush_domains": "disc.example",
    "minimal_backoff_time": "1000s",
}


def _became_of(mta: Instance, queue_id: str, step: Callable[[], object]) -> str:
    """Return the status of a message after a step."""
    mark = mta.log_mark()
    step()
    text = mta.wait_for_log(rf"{queue_id}: to=<.*dsn=(.*)", since=mark)[1]
    mta.settle()
    return text


def test_flushing(parity: Parity) -> None:
    """sendmail -q, postqueue -i and -s deliver what waits; new mail waits again."""

    def case(mta: Instance) -> list[str]:
        seen = []
        for arguments in (("postqueue", "-f"), ("sendmail", "-q"), ("postqueue", "-i"), ("postqueue", "-s", "disc.example")):
            queue_id = mta.send_message("x@disc.example", sender="")
            seen.append(mta.wait_for_log(rf"{queue_id}: to=<.*dsn=(.*)")[1])
            mta.settle()
            command = [*arguments, queue_id] if arguments[-1] == "-i" else list(arguments)
            seen.append(_became_of(mta, queue_id, lambda command=command: mta.run(*command)))
        return seen

    seen = parity(case, main=MAIN).result
    assert seen == 4 * ["4.3.2, status=deferred (deferred transport)", "2.0.0, status=sent (gone)"]


@pytest.mark.parametrize("value", ["", "local, discard", "DISCARD", "!discard, static:all", "retry, discard"])
def test_reload(parity: Parity, value: str) -> None:
    """Another value counts after a reload; the names are names, not patterns."""

    def case(mta: Instance) -> str:
        mta.write_main(defer_transports=value)
        mta.reload()
        mta.send_message("x@disc.example", sender="")
        line = mta.wait_for_log(r"to=<x@disc.example>.*dsn=(.*)")[1]
        return re.sub(r"\s+", " ", line)

    parity(case, main={**MAIN, "defer_transports": "local" if "local" not in value else ""}, fresh=True)
