"""Values that name a file: ``myorigin = /etc/mailname``, and lists whose members stand in files, as Debian's sites have them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

FILES = {
    "origin": "ours.example\nsecond line\n",
    "locals": "# ours\nlocal.example\n  more.example, third.example\n\n!never.example\n",
    "relays": "relayed.example .sub.example\n",
    "networks": "127.0.0.2\n127.0.0.9 # the last one\n",
    "nested": "{dir}/etc/locals\nfourth.example\n",
}
DOMAINS = (
    "local.example", "more.example", "third.example", "never.example", "fourth.example", "relayed.example", "a.sub.example",
    "ours.example", "elsewhere.example",
)  # fmt: skip
SETTINGS: dict[str, dict[str, str]] = {
    "plain": {"mydestination": "{dir}/etc/locals", "relay_domains": "{dir}/etc/relays", "mynetworks": "{dir}/etc/networks"},
    "nested": {"mydestination": "localhost, {dir}/etc/nested", "relay_domains": "!{dir}/etc/locals, third.example {dir}/etc/relays"},
    "comments": {"relay_domains": "relayed.example # a.sub.example and all that follows", "mynetworks": "127.0.0.2 #x 127.0.0.9",
                 "mydestination": "more.example, #third.example, local.example", "smtpd_recipient_restrictions": "permit_mynetworks # reject",
                 "debug_peer_list": "a#b, #"},
    "missing": {"relay_domains": "relayed.example, {dir}/etc/nowhere"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_lists(parity: Parity, name: str) -> None:
    """Which recipients are ours, for clients inside and outside of mynetworks."""
    lines = ["EHLO c", "MAIL FROM:<a@b.example>", *(f"RCPT TO:<u@{domain}>" for domain in DOMAINS), "QUIT"]

    def case(mta: Any) -> str:
        main = {key: value.replace("{dir}", str(mta.directory)) for key, value in SETTINGS[name].items()}
        mta.write_main(**main)
        mta.reload()
        for client in ("127.0.0.2", "127.0.0.3", "127.0.0.9"):
            mta.dialogue(*lines, client=client)
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from")
        told = (re.search(r"smtpd\[\d+\]: ((?:warning|error|fatal): .*)", line) for line in mta.log_lines())
        return "\n".join(sorted({match[1] for match in told if match}))  # the reference's processes each say it

    parity(case, files=FILES, fresh=True)


def test_origin(parity: Parity) -> None:
    """What local names in envelope and header become."""

    def case(mta: Any) -> int:
        done = mta.run("sendmail", "-f", "second", "user", input=b"From: second\nTo: user\n\ntext\n")
        mta.wait_until_empty()
        return int(done.returncode)

    main = {"myorigin": "{dir}/etc/origin", "local_recipient_maps": ""}
    parity(case, main=main, files=FILES, logs=("pickup", "cleanup", "qmgr", "virtual"), deliveries=True)
