"""SMTP sessions that one smtp(8) has left with scache(8), and another goes on with: ours and the real one."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interchange.test_tls_sessions import SENT, renew
from tests.kit.instance import Instance
from tests.kit.programs import daemon_directory

pytestmark = [pytest.mark.reference, pytest.mark.root]

KEPT = {"smtp_connection_cache_destinations": "static:all", "smtp_connection_cache_time_limit": "60s", "service_throttle_time": "1s"}


def wait_until_left(mta: Instance, port: int) -> None:
    """Wait until no process of smtp has the session with the server any more: scache has it."""
    for _ in range(500):
        table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        sockets = {f"socket:[{row[9]}]" for row in table if row[3] == "01" and int(row[2].split(":")[1], 16) == port}
        processes = set(re.findall(r"/smtp\[(\d+)\]", mta.log_path.read_text()))
        held = {os.readlink(link) for pid in processes for link in Path(f"/proc/{pid}/fd").glob("*") if link.is_symlink()}
        if sockets and not sockets & held:
            return
        time.sleep(0.02)
    raise AssertionError("smtp keeps the session for itself")


@pytest.mark.parametrize("cache", ["pyfix", "reference"])
@pytest.mark.parametrize(("first", "second"), [("pyfix", "reference"), ("reference", "pyfix"), ("pyfix", "pyfix")])
def test_a_session_changes_hands(new_instance: Callable[..., Instance], cache: str, first: str, second: str) -> None:
    """Four messages, two of each process's, over one connection."""
    server = new_instance("pyfix", main={"relay_domains": "", "virtual_mailbox_domains": "relay.example", "virtual_mailbox_maps": "static:user/"}).start()
    main = {**KEPT, "relayhost": f"[127.0.0.1]:{server.port}", "smtp_tls_security_level": "none"}
    mta = new_instance("pyfix", main=main, replace={"scache": cache, "smtp": "reference"})
    link = mta.directory / "daemons" / "smtp"

    def choose(side: str) -> None:
        link.unlink()
        link.symlink_to(daemon_directory(side) / "smtp")

    choose(first)
    mta.start()
    for number in range(4):
        if number == 2:
            wait_until_left(mta, server.port)
            renew(mta, "smtp")
            choose(second)
        mta.dialogue("HELO x", *SENT, "QUIT")
        mta.wait_until_empty()
    text = mta.log_path.read_text()
    assert re.findall(r"/smtp\[\d+\]: .*relay=127.0.0.1\[127.0.0.1\]:\d+,(?: conn_use=(\d))?", text) == ["", "2", "3", "4"]
    assert len(set(re.findall(r"/smtp\[(\d+)\]: .*status=sent", text))) == 2
    assert server.log_path.read_text().count(": connect from") == 1


def test_a_count_limits_all_uses(new_instance: Callable[..., Instance]) -> None:
    """Uses by different processes are counted together."""
    server = new_instance("pyfix", main={"relay_domains": "", "virtual_mailbox_domains": "relay.example", "virtual_mailbox_maps": "static:user/"}).start()
    main = {**KEPT, "relayhost": f"[127.0.0.1]:{server.port}", "smtp_tls_security_level": "none", "smtp_connection_reuse_count_limit": "1"}
    mta = new_instance("pyfix", main=main).start()
    for number in range(3):
        mta.dialogue("HELO x", *SENT, "QUIT")
        mta.wait_until_empty()
        if not number:
            wait_until_left(mta, server.port)
        renew(mta, "smtp")
    text = mta.log_path.read_text()
    assert re.findall(r"/smtp\[\d+\]: .*relay=127.0.0.1\[127.0.0.1\]:\d+,(?: conn_use=(\d))?", text) == ["", "2", ""]
    assert server.log_path.read_text().count(": connect from") == 2
