"""content_filter and FILTER: mail goes to a filter after the queue.

Source: FILTER_README; postconf(5) content_filter, default_filter_nexthop, receive_override_options; access(5) FILTER.
"""

from __future__ import annotations

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.parity import Case, InstancePool, Parity
from tests.parity.known_differences import KNOWN_DIFFERENCES

pytestmark = [pytest.mark.reference, pytest.mark.root]

FILES: dict[str, str | bytes] = {
    "refuse": "#!/bin/sh\ncat >/dev/null\necho 5.7.1 virus found\nexit 69\n",
    "access": "second@ours.example FILTER refuse:\nmbox@ours.example FILTER refuse:dummy\n",
    "checks": "/^Subject: filter me/ FILTER refuse:dummy\n",
}  # fmt: skip
MASTER: dict[str, str | None] = {
    "refuse": "refuse unix - n n - 10 pipe user=nobody argv={dir}/etc/refuse",
}


def _compare(pool: InstancePool, case: Case, *programs: str, master: dict[str, str | None] | None = None, **main: str) -> None:
    requirements.need_reference("reference")
    parity = Parity(pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    parity(
        case, main={"smtpd_reject_unlisted_recipient": "no", **main}, master=MASTER | (master or {}), files=FILES,
        replace=dict.fromkeys(programs, "pyfix"), logs=("pipe", "smtpd", "bounce"), deliveries=True,
    )  # fmt: skip


def _send(*recipients: str, content: str = "Subject: x\n\nhello\n") -> Case:
    def case(mta: Instance) -> None:
        mta.send_message(list(recipients), content, "user@ours.example")
        mta.wait_until_empty()

    return case


@pytest.mark.parametrize("content_filter", ["refuse:dummy", "refuse:"])
def test_by_a_command(instance_pool: InstancePool, content_filter: str) -> None:
    """pipe(8) is the filter; its refusal is returned, and the notice is not filtered."""
    service = f"127.0.0.1:{{port}} inet n - n - - smtpd -o content_filter={content_filter}"
    _compare(
        instance_pool, _send("user@ours.example", "second@ours.example"), "pipe", "smtpd", "cleanup",
        master={"127.0.0.1:{port}": service},
    )  # fmt: skip


@pytest.mark.parametrize("recipient", ["mbox@ours.example", "second@ours.example"])
def test_filter_action(instance_pool: InstancePool, recipient: str) -> None:
    """FILTER in an access table, with a nexthop and without."""
    _compare(
        instance_pool, _send(recipient), "pipe", "smtpd", "cleanup",
        smtpd_recipient_restrictions="check_recipient_access texthash:{dir}/etc/access",
    )  # fmt: skip


def test_filter_of_header_checks(instance_pool: InstancePool) -> None:
    """FILTER in header_checks."""
    _compare(
        instance_pool, _send("user@ours.example", content="Subject: filter me\n\nx\n"), "pipe", "smtpd", "cleanup",
        header_checks="regexp:{dir}/etc/checks",
    )  # fmt: skip


def test_queue_file(instance_pool: InstancePool) -> None:
    """The record of the filter stands at its place in the queue file."""
    requirements.need_reference("reference")

    def case(mta: Instance) -> None:
        queue_id = mta.send_message(["user@ours.example"], "Subject: x\n\nhello\n", "user@ours.example")
        mta.wait_for_log(rf"{queue_id}: to=<.*status=deferred")

    Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))(
        case, main={"content_filter": "refuse:dummy", "defer_transports": "refuse"}, master=MASTER, files=FILES,
        replace={"smtpd": "pyfix"}, queue=True,
    )  # fmt: skip
