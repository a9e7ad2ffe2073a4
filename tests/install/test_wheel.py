"""A machine without a mail system: a wheel, an environment below /usr, and mail arrives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.install.debian import DebianMachine
from tests.install.machine import index_environment
from tests.kit.processes import wait_until
from tests.kit.programs import CHECKOUT

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("a Debian machine")]


@pytest.fixture
def machine() -> Iterator[DebianMachine]:
    found = DebianMachine()
    yield found
    found.close()


def test_the_first_mail_system_of_a_machine(machine: DebianMachine) -> None:
    """As pyfix-install(8) has it: everything in Postfix's usual places, with units, and mail to a user of the machine."""
    machine.shell(
        f"""
        mkdir /tmp/source
        cd {CHECKOUT}
        cp -R pyfix etc man setup.cfg pyproject.toml README.md LICENSE /tmp/source
        getent group postdrop || groupadd --system postdrop
        id postfix || useradd --system postfix
        useradd -m hans
        """
    )
    python = machine.run(f"{CHECKOUT}/pyfix/install/pythons.sh", "best", environment=index_environment()).strip()
    machine.shell(f"{python} -m venv /usr/lib/pyfix")
    pip = ("/usr/lib/pyfix/bin/pip", "--disable-pip-version-check", "-q")
    machine.run(*pip, "wheel", "--no-deps", "-w", "/tmp/wheels", "/tmp/source", environment=index_environment())
    machine.shell(f"exec {' '.join(pip)} install /tmp/wheels/pyfix-*.whl")
    machine.leave_network()
    said = machine.run("/usr/lib/pyfix/bin/pyfix-install", "--system")
    assert said == "pyfix is installed below /usr; its configuration is /etc/postfix\nstart it with: /usr/sbin/postfix start\n"
    assert machine.run("postfix", "check") == ""
    machine.run("postconf", "maillog_file=/var/log/mail.log", "mydestination=localhost", "myhostname=mail.example")
    machine.run("postfix", "start")
    machine.run("sendmail", "hans@localhost", user="hans", text="Subject: the first\n\nbody\n")
    box = machine.root / "var/mail/hans"
    assert wait_until(lambda: box.exists() and "Subject: the first\n" in box.read_text(), 20)
    assert machine.run("mailq") == "Mail queue is empty\n"
    machine.run("newaliases")
    machine.run("postfix", "stop")
    log = (machine.root / "var/log/mail.log").read_text()
    assert "fatal" not in log and "warning" not in log, log
    units = machine.root / "usr/lib/systemd/system"
    assert "ExecStart=/usr/sbin/postfix start\n" in (units / "postfix.service").read_text()
    assert "ExecStart=/usr/sbin/postmulti -i %i -p start\n" in (units / "postfix@.service").read_text()
    assert (machine.root / "usr/share/man/man8/pyfix-install.8").exists()
