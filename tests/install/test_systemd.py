"""systemd as process 1 of a Debian machine: its units run Postfix, pyfix in its place, and Postfix again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.install.mailmachine import INSTALL
from tests.install.test_replacement import Machine
from tests.kit import requirements
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("a Debian machine with systemd")]

UNIT = "postfix@-.service"
"""What Debian's postfix.service stands for."""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    if shutil.which("systemctl") is None:
        requirements.missing("systemd is not there: apt-get install systemd")
    found = Machine(boots=True)
    try:
        if not wait_until(lambda: found.ran("systemctl", "is-active", "basic.target").stdout == "active\n", 30):
            # What it needs of the kernel differs by its release; without process 1 there is nothing of ours to look at.
            pytest.skip("not run: systemd does not get far as process 1 here")
        found.run("rm", "-f", "/usr/sbin/policy-rc.d")
        found.run("systemctl", "daemon-reload")
        yield found
    finally:
        found.close()


def _shown(machine: Machine, *names: str) -> dict[str, str]:
    """Return properties of the unit, and by whose program its main process runs."""
    said = machine.run("systemctl", "show", UNIT, *[f"--property={name}" for name in ("MainPID", *names)])
    found = dict(line.split("=", 1) for line in said.splitlines())
    pid = found.pop("MainPID")
    return found | {"whose": "" if pid == "0" else "pyfix" if "python" in machine.run("readlink", f"/proc/{pid}/exe") else "Postfix"}


def _becomes(machine: Machine, state: str) -> bool:
    """Wait for a state of the unit."""
    return wait_until(lambda: machine.run("systemctl", "show", UNIT, "--property=ActiveState").strip() == f"ActiveState={state}", 20)


def _arrives(machine: Machine, subject: str, to: str = "hans") -> None:
    machine.send(to, subject, user="grete")
    box = {"hans": "var/mail/hans", "grete": "home/grete/kept"}[to]

    def there() -> bool:
        path = machine.root / box
        return path.exists() and f"Subject: {subject}\n" in path.read_text()

    assert wait_until(there, 20), machine.shell(f"tail -n 40 /var/log/mail.log; systemctl --no-pager status postfix {UNIT}; journalctl --no-pager -n 40; exit 0")


def test_units(machine: Machine) -> None:
    """Mail is delivered as before with what the unit forbids: to mailboxes, and to programs that write into homes."""
    machine.shell("echo '|cat >>/home/grete/kept' >/home/grete/.forward; chown grete: /home/grete/.forward /home/grete")
    machine.run("systemctl", "start", "postfix")
    assert _becomes(machine, "active")
    _arrives(machine, "before")
    machine.send("x@later.example", "waits")
    machine.run("systemctl", "stop", "postfix")
    assert _becomes(machine, "inactive")

    machine.run(INSTALL, "--replace")
    machine.run("systemctl", "start", "postfix")
    running = {"ActiveState": "active", "SubState": "running", "Type": "notify", "ProtectSystem": "yes", "whose": "pyfix"}
    assert _shown(machine, "ActiveState", "SubState", "Type", "ProtectSystem") == running
    _arrives(machine, "in the mailbox")
    _arrives(machine, "by a program", "grete")
    machine.run("systemctl", "reload", "postfix")
    assert _becomes(machine, "active")
    _arrives(machine, "after a reload")
    machine.run("systemctl", "restart", "postfix")
    assert _shown(machine, "ActiveState")["whose"] == "pyfix"
    _arrives(machine, "after a restart")
    assert machine.queued() == ["x@later.example"]
    machine.run("postfix", "stop")
    assert _becomes(machine, "inactive"), "systemd sees what postfix stop does"
    machine.run("systemctl", "start", "postfix")
    machine.shell("kill -9 $(cat /var/spool/postfix/pid/master.pid)")
    assert _becomes(machine, "failed")
    machine.run("systemctl", "reset-failed", UNIT)
    machine.run("systemctl", "restart", "postfix")
    _arrives(machine, "after a kill")
    machine.run("systemctl", "stop", "postfix")

    machine.run(INSTALL, "--restore")
    machine.run("systemctl", "start", "postfix")
    assert _becomes(machine, "active")
    _arrives(machine, "after all")
    assert machine.queued() == ["x@later.example"]
    machine.run("systemctl", "stop", "postfix")
