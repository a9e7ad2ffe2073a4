"""Which way a message goes behind the queue: filters, their next hops, default transports by sender, recipients at a time.

Source: postconf(5) content_filter, default_filter_nexthop, sender_dependent_default_transport_maps, *_destination_recipient_limit;
access(5) FILTER; FILTER_README.
"""

from __future__ import annotations

import re

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

MASTER: dict[str, str | None] = {
    name: f"{name} unix - n n - 10 pipe user=nobody argv={{dir}}/etc/show {name} ${{nexthop}} ${{recipient}}" for name in ("show", "other", "single", "few")
}  # fmt: skip
FILES: dict[str, str | bytes] = {"show": '#!/bin/sh\ncat >/dev/null\nname=$1; next=$2; shift 2\necho "5.0.0 $name, next hop <$next>: $*"\nexit 69\n'}
MAIN = {
    "smtpd_reject_unlisted_recipient": "no", "default_transport": "show", "relay_transport": "show", "single_destination_recipient_limit": "1",
    "few_destination_recipient_limit": "2", "few_destination_concurrency_limit": "1", "default_destination_concurrency_limit": "1", "minimal_backoff_time": "1000s",
    "transport_maps": "inline:{{single.example=single:}, {few.example=few:host}, {late.example=late:x}, {error.example=error:5.1.2 not there}, {disc.example=discard:gone}}",
}  # fmt: skip
RECIPIENTS = ("a@x.example", "b@X.example", "c@single.example", "d@single.example", "e@few.example", "f@few.example", "g@few.example", "h@error.example", "i@y.example")


def _ways(mta: Instance, sender: str = "", recipients: tuple[str, ...] = RECIPIENTS) -> str:
    """Send a message, and return what was logged of each recipient, in the order of addresses."""
    mta.run("sendmail", "-f", sender, "-N", "never", *recipients, input=b"Subject: x\n\nx\n")
    mta.wait_for_log(r": to=<", count=len(recipients), seconds=30)
    mta.settle()
    found = [re.search(r"(to=<.*?>), relay=(.*?), .*(dsn=.*)", line) for line in mta.log_lines()]
    text = "\n".join(sorted(" ".join(one.groups()) for one in found if one))
    mta.forget()
    return text


FILTERS: dict[str, dict[str, str]] = {
    "none": {}, "name only": {"content_filter": "other"}, "colon": {"content_filter": "other:"}, "next hop": {"content_filter": "other:next.example"},
    "brackets": {"content_filter": "other:[next.example]:25"}, "capitals": {"content_filter": "other:NEXT.Example"}, "blanks": {"content_filter": " other : next "},
    "one at a time": {"content_filter": "single:next"}, "two at a time": {"content_filter": "few:next"}, "not there": {"content_filter": "nosuch:next"},
    "text": {"content_filter": "error:5.7.1 no filter today"}, "discards": {"content_filter": "discard:"}, "retry": {"content_filter": "retry:4.0.0 later"},
    "default next hop": {"content_filter": "other:", "default_filter_nexthop": "default.example"}, "default next hop, name only": {"content_filter": "other", "default_filter_nexthop": "default.example"},
    "default that is not used": {"content_filter": "other:next", "default_filter_nexthop": "default.example"}, "no default": {"content_filter": "other:", "default_filter_nexthop": ""},
    "default of myhostname": {"content_filter": "other:", "default_filter_nexthop": "$myhostname"}, "waits": {"content_filter": "other:next", "defer_transports": "other"},
    "by header": {"header_checks": "regexp:{{/^Subject: x/ FILTER few:by.header}}"}, "header before filter": {"content_filter": "other:next", "header_checks": "regexp:{{/^Subject: x/ FILTER few:}}"},
    "bad in header": {"header_checks": "regexp:{{/^Subject: x/ FILTER few}}"},
}  # fmt: skip


def test_filters(parity: Parity) -> None:
    """Each form of a filter and of its next hop, for recipients of several transports."""

    def case(mta: Instance) -> str:
        seen = []
        before = dict(mta.main)
        for name, settings in FILTERS.items():
            mta.main = dict(before)
            mta.write_main(**settings)
            mta.reload()
            seen.append(f"{name}:\n{_ways(mta)}")
        return "\n".join(seen)

    parity(case, main=MAIN, master=MASTER, files=FILES, fresh=True)


BY_SENDER = (
    "a@s.example=other:", "b@s.example=other:by.sender", "@d.example=few:by.domain", "c@s.example=DUNNO", "d@s.example=nosuch:x", "e@s.example=error:5.7.1 not you",
    "g@s.example=other", "plus@s.example=other:plus", "<>=other:nobody", "h@s.example=error:", "i@s.example=OTHER:x", "j@s.example=other:[b]:1",
)  # fmt: skip
SENDERS = ("a@s.example", "b@s.example", "z@d.example", "c@s.example", "d@s.example", "e@s.example", "g@s.example", "plus+ext@s.example", "", "h@s.example", "i@s.example", "j@s.example", "A@S.EXAMPLE", "none@s.example")


@pytest.mark.parametrize("settings", [{}, {"sender_dependent_relayhost_maps": "inline:{a@s.example=[relay.host]}", "relayhost": "relay.example", "address_verify_sender_dependent_default_transport_maps": ""}])
def test_default_transport_by_sender(parity: Parity, settings: dict[str, str]) -> None:
    """The table names transport, next hop, both or neither; other mail goes its own way."""

    def case(mta: Instance) -> str:
        return "\n".join(f"{sender}:\n{_ways(mta, sender, ('x@y.example', 'user@disc.example'))}" for sender in SENDERS)

    table = f"inline:{{{', '.join(f'{{{one}}}' for one in BY_SENDER)}}}"
    main = {**MAIN, "sender_dependent_default_transport_maps": table, "recipient_delimiter": "+", **settings}
    parity(case, main=main, master=MASTER, files=FILES, fresh=True)
