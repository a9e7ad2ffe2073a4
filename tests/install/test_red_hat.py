"""``pyfix-install --replace`` and ``--restore`` on a machine as Red Hat's are: rpm's package, alternatives, systemd."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.install.mailmachine import INSTALL
from tests.install.redhat import RedHatMachine

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("a Red Hat machine")]

TAKEN = "pyfix-install: pyfix has Postfix's place\n"


@pytest.fixture(scope="module")
def machine() -> Iterator[RedHatMachine]:
    found = RedHatMachine()
    yield found
    found.close()


def _upgrade(machine: RedHatMachine, release: int) -> None:
    """Let rpm bring a release of the package, which restarts the service, as theirs does."""
    machine.run("rpm", "--quiet", "--nodeps", "-U", "--oldpackage", f"/srv/postfix-{release}.rpm")
    assert machine.run("rpm", "-q", "postfix").strip() == f"postfix-3.7.11-{release}.x86_64"


def _shown(machine: RedHatMachine, *names: str) -> list[str]:
    return [machine.run("systemctl", "show", "postfix", f"--property={name}", "--value").strip() for name in names]


def test_there_and_back(machine: RedHatMachine) -> None:
    """Mail before, between and after; what is queued stays queued; at the end no file is another than before."""
    before = machine.files()
    assert machine.verified() == ""
    machine.run("systemctl", "start", "postfix")
    assert not machine.is_pyfix()
    machine.send("both", "before")
    machine.send("x@later.example", "waits")
    machine.send("y@later.example", "is held")
    assert machine.delivered("hans", "before") and machine.delivered("grete", "before")
    assert machine.waits("x@later.example", "y@later.example")
    held = re.findall(r"^(\w+)\*? .*(?:\n.*)?\n +y@", machine.run("postqueue", "-p"), re.MULTILINE)
    machine.run("postsuper", "-h", *held)
    machine.run("systemctl", "stop", "postfix")
    machine.send("grete", "in maildrop")
    machine.run("systemctl", "start", "postfix")

    said = machine.run(INSTALL, "--replace")
    assert "the mail system runs again" in said, said
    assert machine.is_pyfix()
    assert machine.run(INSTALL, "--status") == TAKEN
    assert machine.delivered("grete", "in maildrop")
    assert machine.queued() == ["x@later.example", "y@later.example"]
    assert machine.run("postconf", "-h", "mail_version", "daemon_directory").split()[1] == "/usr/libexec/postfix"
    assert _shown(machine, "ActiveState", "SubState", "ProtectKernelModules") == ["active", "running", "yes"]
    machine.send("both", "between", user="grete")
    machine.run("swaks", "--server", "127.0.0.1", "--from", "a@elsewhere.example", "--to", "hans@mail.example", "--header", "Subject: by SMTP")
    assert machine.delivered("hans", "between", "by SMTP") and machine.delivered("grete", "between")
    machine.run("newaliases")
    machine.run("systemctl", "restart", "postfix")
    machine.run("systemctl", "reload", "postfix")
    assert "x@later.example" in machine.run("mailq")
    machine.run("postqueue", "-i", held[0])
    assert machine.is_pyfix()
    assert machine.waits("x@later.example", "y@later.example")

    said = machine.run(INSTALL, "--restore")
    assert "the mail system runs again" in said, said
    assert not machine.is_pyfix()
    assert machine.run(INSTALL, "--status", check=False).strip() == "pyfix-install: Postfix is itself"
    machine.send("both", "after")
    assert machine.delivered("hans", "after") and machine.delivered("grete", "after")
    machine.run("postconf", "defer_transports=")
    machine.run("postsuper", "-H", "ALL")
    machine.run("postfix", "reload")
    machine.run("postqueue", "-f")
    assert machine.waits()
    assert len(re.findall(r"to=<[xy]@later.example>.*status=sent", machine.log())) == 2
    machine.run("postconf", "defer_transports=discard")
    machine.run("systemctl", "stop", "postfix")
    assert machine.files() == before
    assert machine.verified() == ""
    assert not re.search(r"fatal|panic|error:", machine.log()), machine.log()


def test_alternatives(machine: RedHatMachine) -> None:
    """Postfix's program takes the place that alternatives give, and pyfix's has it; another mail system is told of."""
    before = machine.files()
    (machine.root / "usr/sbin/sendmail.other").write_text("#!/bin/sh\nexit 69\n")
    (machine.root / "usr/sbin/sendmail.other").chmod(0o755)
    machine.run("alternatives", "--install", "/usr/sbin/sendmail", "mta", "/usr/sbin/sendmail.other", "90")
    assert "/usr/sbin/sendmail is /usr/sbin/sendmail.other, which is no program of Postfix" in machine.run(INSTALL, "--replace")
    machine.run("systemctl", "start", "postfix")
    assert machine.ran("sendmail", "hans").returncode == 69
    machine.run("alternatives", "--set", "mta", "/usr/sbin/sendmail.postfix")
    machine.send("hans", "chosen")
    machine.run("/usr/lib/sendmail", "hans", user="grete", text="Subject: by the old name\n\nbody\n")
    assert machine.delivered("hans", "chosen", "by the old name")
    assert "Mail queue is empty" in machine.run("mailq")
    assert "no program of Postfix" not in machine.run(INSTALL, "--replace"), "it can be called again"
    machine.run("alternatives", "--remove", "mta", "/usr/sbin/sendmail.other")
    machine.run("alternatives", "--auto", "mta")
    machine.send("hans", "the only one")
    assert machine.delivered("hans", "the only one")
    machine.run(INSTALL, "--restore")
    machine.run("systemctl", "stop", "postfix")
    machine.run("rm", "/usr/sbin/sendmail.other")
    assert machine.files() == before


def test_an_upgrade_of_the_package(machine: RedHatMachine) -> None:
    """rpm knows of no diversions: it brings Postfix's programs back, and pyfix takes their places again before they start."""
    machine.run("systemctl", "start", "postfix")
    machine.run(INSTALL, "--replace")
    machine.send("x@later.example", "waits")
    assert machine.waits("x@later.example")
    _upgrade(machine, 2)
    assert machine.is_pyfix()
    assert _shown(machine, "ActiveState", "SubState") == ["active", "running"]
    assert machine.run(INSTALL, "--status") == TAKEN
    machine.send("both", "after an upgrade")
    assert machine.delivered("hans", "after an upgrade") and machine.delivered("grete", "after an upgrade")

    # Where pyfix can't be called, Postfix runs: there is a mail system in any case.
    machine.run("mv", INSTALL, f"{INSTALL}.hidden")
    _upgrade(machine, 1)
    assert not machine.is_pyfix()
    assert _shown(machine, "ActiveState", "SubState") == ["active", "running"]
    machine.send("both", "by Postfix")
    assert machine.delivered("hans", "by Postfix") and machine.delivered("grete", "by Postfix")
    machine.run("mv", f"{INSTALL}.hidden", INSTALL)
    assert "but for /usr/sbin/sendmail.postfix /usr/sbin/postalias" in machine.run(INSTALL, "--status", check=False)
    machine.run("systemctl", "restart", "postfix")
    assert machine.is_pyfix()
    assert machine.run(INSTALL, "--status") == TAKEN

    _upgrade(machine, 2)
    machine.run(INSTALL, "--restore")
    assert not machine.is_pyfix()
    assert machine.verified() == ""
    assert not machine.shell("find /usr -name '*.distrib'; ls -d /etc/systemd/system/postfix.service.d || true").replace(
        "ls: cannot access '/etc/systemd/system/postfix.service.d': No such file or directory\n", ""
    )
    assert machine.queued() == ["x@later.example"]
    machine.send("hans", "at the end")
    assert machine.delivered("hans", "at the end")
    machine.run("postsuper", "-d", "ALL")
    machine.run("systemctl", "stop", "postfix")
