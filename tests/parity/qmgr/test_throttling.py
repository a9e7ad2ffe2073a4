"""Destinations and transports that are left alone for a while, and those that are served slowly.

Source: postconf(5) default_destination_concurrency_failed_cohort_limit, default_destination_concurrency_negative_feedback,
minimal_backoff_time, transport_retry_time, default_destination_rate_delay, default_transport_rate_delay; SCHEDULER_README.
"""

from __future__ import annotations

import re
import time

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.peer import Lost, Peer, Say, Script
from tests.kit.ports import ReservedPort
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]

COHORTS: dict[str, dict[str, str]] = {
    "usual": {},
    "one": {"destination_concurrency_failed_cohort_limit": "1", "initial_destination_concurrency": "1"},
    "two": {"destination_concurrency_failed_cohort_limit": "2", "initial_destination_concurrency": "1"},
    "wide": {"destination_concurrency_failed_cohort_limit": "1", "initial_destination_concurrency": "6"},
    "never": {"destination_concurrency_failed_cohort_limit": "0"},
    "half": {"destination_concurrency_failed_cohort_limit": "2", "destination_concurrency_negative_feedback": "0.5"},
    "gentle": {"destination_concurrency_failed_cohort_limit": "1", "destination_concurrency_negative_feedback": "1/sqrt_concurrency"},
    "alone": {"destination_concurrency_failed_cohort_limit": "2", "destination_recipient_limit": "1"},
}
"""Transports, each with settings of its own for a destination that is not there."""
MESSAGES = 7


def _outcome(mta: Instance, queue_id: str, count: int = 1) -> str:
    """Wait until a message was tried; return what became of it, without what differs."""
    text = mta.wait_for_log(rf"{queue_id}: to=<.*?(dsn=.*)", count=count, seconds=30)[1]
    return re.sub(r"\]:\d+", "]:PORT", text)


@pytest.mark.parametrize("manager", ["qmgr", "oqmgr"])
def test_cohorts(parity: Parity, manager: str) -> None:
    """How many tries it takes until a destination is dead; what is said of the rest of the mail; a flush forgets it."""

    def case(mta: Instance) -> str:
        said = []
        for name in COHORTS:
            ids = [mta.send_message(f"x@{name}.example", sender="") for _ in range(1)]
            said.append(f"{name} 0: {_outcome(mta, ids[0])}")
            for number in range(1, MESSAGES):
                ids.append(mta.send_message(f"x@{name}.example", sender=""))
                said.append(f"{name} {number}: {_outcome(mta, ids[-1])}")
        mta.settle()
        other = mta.send_message("x@there.example", sender="")
        said.append(f"another destination: {_outcome(mta, other)}")
        begin = mta.log_mark()
        mta.run("postqueue", "-f")
        mta.wait_for_log(r": to=<x@usual", count=MESSAGES, since=begin, seconds=30)
        mta.settle()
        again = [re.search(r"to=<x@usual.*(dsn=.*)", line) for line in mta.log_lines(begin)]
        said.append(f"tried again: {any('refused' in one[1] for one in again if one)}")
        return "\n".join(said)

    port = ReservedPort()
    routes = ", ".join(f"{{{name}.example={name}:[127.0.0.9]:{port.number}}}" for name in COHORTS)
    main = {f"{name}_{key}": value for name, settings in COHORTS.items() for key, value in settings.items()}
    with Peer() as peer:
        main |= {
            "smtpd_reject_unlisted_recipient": "no", "minimal_backoff_time": "1000s", "smtp_tls_security_level": "none",
            "transport_maps": f"inline:{{{routes}, {{there.example=usual:[127.0.0.1]:{peer.port}}}}}",
        }  # fmt: skip
        master: dict[str, str | None] = {name: f"{name} unix - - n - - smtp" for name in COHORTS}
        master["qmgr"] = f"qmgr unix n - n 300 1 {manager}"
        try:
            seen = parity(case, main=main, master=master, fresh=True)
        finally:
            port.release()
    assert "delivery temporarily suspended" in str(seen.result)


FAILURES: dict[str, Script] = {
    "refuses": {"greeting": "421 4.3.2 not now"}, "refuses for ever": {"greeting": Say("554 5.3.2 never", close=True)}, "hangs up": {"greeting": Lost()},
    "no EHLO": {"EHLO": "421 4.3.2 no", "HELO": "421 4.3.2 no"}, "no MAIL": {"MAIL": "450 4.1.8 no"}, "no RCPT": {"RCPT": "450 4.2.1 no"},
    "no DATA": {"DATA": "451 4.3.0 no"}, "not taken": {".": "452 4.3.1 no"}, "lost at MAIL": {"MAIL": Lost()}, "lost at the end": {".": Lost()},
    "421 at RCPT": {"RCPT": Say("421 4.4.2 bye", close=True)}, "all is well": {},
}  # fmt: skip


def test_what_counts_as_dead(parity: Parity) -> None:
    """Which failures of a server let the rest of its mail wait."""

    def case(mta: Instance) -> str:
        said = []
        for number, (name, script) in enumerate(FAILURES.items(), 10):
            peer.reset(script)
            for _ in range(3):
                queue_id = mta.send_message(f"x@n{number}.example", sender="")
                said.append(f"{name}: {_outcome(mta, queue_id)}")
        return "\n".join(said)

    with Peer() as peer:
        main = {
            "smtpd_reject_unlisted_recipient": "no", "minimal_backoff_time": "1000s", "smtp_tls_security_level": "none",
            "smtp_destination_concurrency_failed_cohort_limit": "1", "initial_destination_concurrency": "1", "smtp_skip_5xx_greeting": "yes",
            "transport_maps": f"inline:{{{', '.join(f'{{n{number}.example=smtp:[127.0.0.{number}]:{peer.port}}}' for number in range(10, 10 + len(FAILURES)))}}}",
        }  # fmt: skip
        seen = parity(case, main=main, fresh=True)
    assert "delivery temporarily suspended" in str(seen.result)


def test_a_destination_gets_another_chance(parity: Parity) -> None:
    """After minimal_backoff_time: mail is tried again, and if that goes well, all of it is."""

    def case(mta: Instance) -> object:
        peer.reset({"greeting": ["421 4.3.2 not now", "421 4.3.2 not now", "220 here I am"]})
        first = [mta.send_message("x@dead.example", sender="") for _ in range(1)]
        outcomes = [_outcome(mta, first[0])]
        begun = time.monotonic()
        second = mta.send_message("x@dead.example", sender="")
        outcomes.append(_outcome(mta, second))
        early = "suspended" in outcomes[-1]

        def tried() -> bool:
            outcomes.append(_outcome(mta, mta.send_message("x@dead.example", sender="")))
            return "suspended" not in outcomes[-1]

        assert wait_until(tried, 30.0), outcomes
        late = time.monotonic() - begun > 2.5
        assert wait_until(lambda: "status=sent" in _outcome(mta, mta.send_message("x@dead.example", sender="")), 30.0)
        return early, late, outcomes[0], outcomes[1], outcomes[-1]

    with Peer() as peer:
        main = {
            "smtpd_reject_unlisted_recipient": "no", "minimal_backoff_time": "4s", "maximal_backoff_time": "1000s", "queue_run_delay": "100s",
            "smtp_tls_security_level": "none", "default_destination_concurrency_failed_cohort_limit": "1", "initial_destination_concurrency": "1",
            "transport_maps": f"inline:{{{{dead.example=smtp:[127.0.0.1]:{peer.port}}}}}",
        }  # fmt: skip
        seen = parity(case, main=main, fresh=True)
    assert seen.result[:2] == (True, True)  # type: ignore[index]  # Parity gives what case() returned as an object; here it is a tuple


RATES = {
    "by destination": ({"discard_destination_rate_delay": "4s"}, ["a", "a", "a"]),
    "others do not wait": ({"discard_destination_rate_delay": "4s"}, ["a", "b", "a", "c"]),
    "by transport": ({"discard_transport_rate_delay": "4s"}, ["a", "b", "c"]),
    "in one": ({"discard_destination_rate_delay": "4s"}, ["a", "a"]),
    "by recipient": ({"discard_destination_rate_delay": "4s", "discard_destination_recipient_limit": "1"}, ["a", "b", "a"]),
}
"""Settings, and the domains of messages that are sent at once."""


def test_a_slow_destination_that_is_not_there(parity: Parity) -> None:
    """With a rate delay it is dead for what waits, and not for what comes later."""

    def case(mta: Instance) -> list[str]:
        first = _outcome(mta, mta.send_message("x@down.example", sender=""))
        # Now it rests: these two come meanwhile, and wait together.
        ids = [mta.send_message("x@down.example", sender="") for _ in range(2)]
        return [first, *sorted(_outcome(mta, queue_id) for queue_id in ids), _outcome(mta, mta.send_message("x@down.example", sender=""))]

    port = ReservedPort()
    main = {
        "smtpd_reject_unlisted_recipient": "no", "minimal_backoff_time": "1000s", "smtp_tls_security_level": "none",
        "default_destination_concurrency_failed_cohort_limit": "1", "smtp_destination_rate_delay": "8s",
        "transport_maps": f"inline:{{{{down.example=smtp:[127.0.0.9]:{port.number}}}}}",
    }  # fmt: skip
    try:
        seen = parity(case, main=main, fresh=True)
    finally:
        port.release()
    assert "delivery temporarily suspended" in str(seen.result)


def _seconds(stamp: str) -> float:
    """Return a log line's time."""
    return time.mktime(time.strptime(f"{time.localtime().tm_year} {stamp}", "%Y %b %d %H:%M:%S"))


@pytest.mark.parametrize("manager", ["qmgr", "oqmgr"])
@pytest.mark.parametrize("name", RATES)
def test_rate_delays(parity: Parity, name: str, manager: str) -> None:
    """The time between two deliveries, in units of the delay; each has one recipient at a time."""
    settings, domains = RATES[name]

    def case(mta: Instance) -> object:
        sent: dict[str, str] = {}
        begun = int(time.time())
        for number, domain in enumerate(domains, 1):
            recipients = [f"{name}@{domain}.disc.example" for name in ("x", "y")] if name == "in one" else f"x@{domain}.disc.example"
            queue_id = mta.send_message(recipients, sender="")
            sent[queue_id] = domain
            mta.wait_for_log("queue active", count=number)
        mta.wait_for_log(r": removed", count=len(sent), seconds=40)
        found = [re.match(r"(.{15}) \S+ \S+: (\w+): to=<", line) for line in mta.log_lines()]
        done = [(sent[one[2]], _seconds(one[1])) for one in found if one]
        first = min(at for _domain, at in done)
        # On a busy machine a delivery is late by a part of the delay; it is never early.
        return sorted((domain, int((at - first + 1) / 4)) for domain, at in done), first - begun >= 3

    main = {"smtpd_reject_unlisted_recipient": "no", "transport_maps": "inline:{{.disc.example=discard:}}", **settings}
    parity(case, main=main, master={"qmgr": f"qmgr unix n - n 300 1 {manager}"}, fresh=True)
