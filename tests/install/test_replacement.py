"""``pyfix-install --replace`` and ``--restore`` on Debian's own Postfix package, with mail in the queue all the time."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.install.machine import index_environment
from tests.install.mailmachine import INSTALL, MailMachine
from tests.kit.processes import wait_until
from tests.kit.programs import CHECKOUT

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("a Debian machine")]

# Everything but what a running mail system, or the mere use of the machine, changes.
_FILES = r"""
find /etc {more} /usr/bin /usr/sbin /usr/lib/postfix /var/lib/dpkg/diversions /var/spool/postfix /lib/systemd \
  \( -path '/usr/share/man' -o -path /var/spool/postfix/active -o -path /var/spool/postfix/incoming -o -path /var/spool/postfix/deferred \
     -o -path /var/spool/postfix/defer -o -path /var/spool/postfix/hold -o -path /var/spool/postfix/pid -o -name __pycache__ \) -prune \
  -o -printf '%y %m %u:%g %p %l\n' | sort
find /etc/postfix /usr/sbin /usr/lib/postfix /var/lib/dpkg/diversions -type f -print0 | sort -z | xargs -0 sha256sum
"""


class Machine(MailMachine):
    """One with Debian's Postfix, as its installer leaves it but for a few settings, and pyfix below /opt."""

    def __init__(self, *, boots: bool = False) -> None:
        super().__init__(boots=boots)
        try:
            self.shell(
                """
                printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
                install='apt-get install -y -qq --no-install-recommends postfix maildrop courier-authlib-userdb'
                $install || { apt-get update -qq; $install; }
                useradd -m hans; useradd -m grete; echo 'both: hans, grete' >>/etc/aliases; newaliases
                postconf myhostname=mail.example mydestination=mail.example,localhost mailbox_command= maillog_file=/var/log/mail.log \
                  inet_protocols=ipv4 'transport_maps=inline:{ later.example=discard held.example=discard }' defer_transports=discard
                postconf -MX postlog/unix-dgram 2>/dev/null || true
                postconf -M postlog/unix-dgram='postlog unix-dgram n - n - 1 postlogd'
                """
            )
            self.run("make", "-s", "-C", str(CHECKOUT), "install", "PREFIX=/opt/pyfix", environment=index_environment())
            self.leave_network()
            if boots:
                return
            self.run("/etc/init.d/postfix", "start")
            self.run("/etc/init.d/postfix", "stop")  # the copies of files for chroot are there now
        except BaseException:
            self.close()
            raise

    def files(self, more: str = "/usr/local/sbin") -> list[str]:
        """Return all files that can be of interest, and those below *more*, with owners, modes and checksums."""
        return self.shell(_FILES.replace("{more}", more)).splitlines()


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    found = Machine()
    yield found
    found.close()


def test_there_and_back(machine: Machine) -> None:
    """Mail before, between and after; what is queued stays queued; at the end no file is another than before."""
    before = machine.files("/usr")
    machine.run("/etc/init.d/postfix", "start")
    assert not machine.is_pyfix()
    machine.send("both", "before")
    machine.send("x@later.example", "waits")
    machine.send("y@later.example", "is held")
    assert machine.delivered("hans", "before") and machine.delivered("grete", "before")
    assert wait_until(lambda: len(machine.queued()) == 2, 20)
    held = re.findall(r"^(\w+)\*? .*(?:\n.*)?\n +y@", machine.run("postqueue", "-p"), re.MULTILINE)
    machine.run("postsuper", "-h", *held)
    machine.run("postfix", "stop")
    machine.send("grete", "in maildrop")
    machine.run("/etc/init.d/postfix", "start")

    said = machine.run(INSTALL, "--replace")
    assert "the mail system runs again" in said, said
    assert machine.is_pyfix()
    assert machine.run(INSTALL, "--status").strip() == "pyfix-install: pyfix has Postfix's place"
    assert machine.delivered("grete", "in maildrop")
    assert machine.queued() == ["x@later.example", "y@later.example"]
    assert machine.run("postconf", "-h", "mail_version").startswith("3.11")
    assert machine.run("postconf", "-d", "daemon_directory") == "daemon_directory = /usr/lib/postfix/sbin\n"
    machine.send("both", "between", user="grete")
    machine.run("swaks", "--server", "127.0.0.1", "--from", "a@elsewhere.example", "--to", "hans@mail.example", "--header", "Subject: by SMTP")
    assert machine.delivered("hans", "between", "by SMTP") and machine.delivered("grete", "between")
    machine.run("mailq")
    machine.run("newaliases")
    machine.run("/etc/init.d/postfix", "restart")
    machine.run("postqueue", "-i", held[0])
    assert machine.is_pyfix()
    assert wait_until(lambda: machine.queued() == ["x@later.example", "y@later.example"], 20)

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
    assert wait_until(lambda: not machine.queued(), 20)
    assert len(re.findall(r"to=<[xy]@later.example>.*status=sent", machine.log())) == 2
    machine.run("postconf", "defer_transports=discard")
    machine.run("/etc/init.d/postfix", "stop")
    assert machine.files("/usr") == before
    assert not re.search(r"fatal|panic|error:", machine.log()), machine.log()


@pytest.mark.parametrize("again", [False, True])
def test_a_package_that_is_upgraded_meanwhile(machine: Machine, again: bool) -> None:
    """dpkg brings new files of Postfix, which wait under their kept names, all but one."""
    machine.run(INSTALL, "--replace")
    kept = machine.root / "usr/sbin/postqueue.distrib"
    kept.unlink()
    machine.shell("dpkg --force-confold -i /var/cache/apt/archives/postfix_*.deb")
    assert kept.read_bytes().startswith(b"\x7fELF")
    assert b"pyfix" in (machine.root / "usr/sbin/postqueue").read_bytes()
    # The one that Debian's scripts themselves divert, and no longer want to be diverted.
    assert "but for /usr/sbin/postconf: pyfix-install --replace takes these too" in machine.run(INSTALL, "--status", check=False)
    if again:
        machine.run(INSTALL, "--replace")
        assert machine.run(INSTALL, "--status").strip() == "pyfix-install: pyfix has Postfix's place"
    machine.run(INSTALL, "--restore")
    for name in ("postconf", "postqueue"):
        assert (machine.root / f"usr/sbin/{name}").read_bytes().startswith(b"\x7fELF")
    assert not list((machine.root / "usr/sbin").glob("*.distrib"))


@pytest.mark.parametrize(("calls", "again"), [(1, True), (30, False)])
def test_a_replacement_that_is_interrupted(machine: Machine, calls: int, again: bool) -> None:
    """A power cut within it, here after some calls of dpkg-divert: what was done is undone, and it can be done again."""
    before = machine.files()
    script = machine.root / "usr/local/sbin/dpkg-divert"
    script.write_text(
        f"#!/bin/sh\necho . >>/tmp/calls\n[ $(wc -l </tmp/calls) -lt {calls} ] || kill -9 $PPID\nexec /usr/bin/dpkg-divert \"$@\"\n"
    )
    script.chmod(0o755)
    killed = machine.ran(INSTALL, "--replace")
    assert killed.returncode != 0
    script.unlink()
    machine.run("rm", "/tmp/calls")
    assert "but for" in machine.run(INSTALL, "--status", check=False)
    if again:
        machine.run(INSTALL, "--replace")
        assert machine.run(INSTALL, "--status").strip() == "pyfix-install: pyfix has Postfix's place"
    machine.run(INSTALL, "--restore")
    assert machine.files() == before


def test_nothing_is_changed_where_it_can_not_be_done(machine: Machine) -> None:
    """Without a compiler for the set-gid commands, without Postfix, without the rights, and with words it does not know."""
    before = machine.files()
    hidden = "for name in cc gcc; do mv /usr/bin/$name /usr/bin/$name.hidden; done"
    machine.shell(hidden)
    said = machine.ran(INSTALL, "--replace")
    machine.shell("for name in cc gcc; do mv /usr/bin/$name.hidden /usr/bin/$name; done")
    assert said.returncode == 1
    assert said.stdout.strip() == (
        "pyfix-install: fatal: postdrop has to be set-gid: no C compiler (cc or gcc) on this machine; nothing was changed"
    )
    machine.shell("mv /usr/sbin/postconf /usr/sbin/postconf.hidden")
    said = machine.ran(INSTALL, "--replace")
    machine.shell("mv /usr/sbin/postconf.hidden /usr/sbin/postconf")
    assert (said.returncode, said.stdout.strip()) == (
        1,
        "pyfix-install: fatal: there is no /usr/sbin/postconf: is Postfix installed?; nothing was changed",
    )
    assert "pyfix has not taken Postfix's place" in machine.run(INSTALL, "--restore", check=False)
    assert "needs root" in machine.run(INSTALL, "--replace", user="hans", check=False)
    assert machine.ran(INSTALL, "--all").returncode == 2
    assert machine.files() == before


def test_a_machine_with_alternatives_and_no_dpkg(machine: Machine) -> None:
    """As Red Hat's have it: sendmail is a link to a link to the program that is replaced."""
    machine.shell(
        """
        mv /usr/bin/dpkg-divert /usr/bin/dpkg-divert.hidden
        mv /usr/sbin/sendmail /usr/sbin/sendmail.postfix
        ln -s /usr/sbin/sendmail.postfix /etc/alternatives/mta
        ln -s /etc/alternatives/mta /usr/sbin/sendmail
        """
    )
    before = machine.files()
    machine.run(INSTALL, "--replace")
    assert (machine.root / "usr/sbin/sendmail.postfix").read_text().startswith("#!/opt/pyfix")
    assert (machine.root / "usr/sbin/sendmail").is_symlink()
    machine.run("/etc/init.d/postfix", "start")
    machine.send("grete", "by a link to a link")
    assert machine.delivered("grete", "by a link to a link")
    machine.run("/etc/init.d/postfix", "stop")
    machine.run(INSTALL, "--restore")
    assert machine.files() == before
    machine.shell(
        """
        rm /usr/sbin/sendmail /etc/alternatives/mta
        mv /usr/sbin/sendmail.postfix /usr/sbin/sendmail
        mv /usr/bin/dpkg-divert.hidden /usr/bin/dpkg-divert
        """
    )


# Accounts that are no users of the machine, as the courier-authlib packages have them: authdaemond's userdb.
_ACCOUNTS = r"""
groupadd -r vmail; useradd -r -g vmail -d /var/vmail vmail
install -d -o vmail -g vmail -m 700 /var/vmail /var/vmail/inge
setpriv --reuid vmail --regid vmail --clear-groups maildirmake /var/vmail/inge/Maildir
mkdir -p /etc/courier /run/courier/authdaemon
printf 'authmodulelist="authuserdb"\nauthmodulelistorig="authuserdb"\ndaemons=1\n' >/etc/courier/authdaemonrc
printf 'inge@box.example\tuid=%s|gid=%s|home=/var/vmail/inge|mail=/var/vmail/inge/Maildir\n' $(id -u vmail) $(id -g vmail) >/etc/courier/userdb
chmod 600 /etc/courier/userdb
makeuserdb
/usr/lib/courier/courier-authlib/authdaemond >/dev/null 2>&1 </dev/null &
"""


def test_maildrop_with_the_accounts_of_authdaemond(machine: Machine) -> None:
    """Debian's entry for maildrop, by Postfix and by pyfix: an account of courier's, and nobody's."""
    machine.shell(_ACCOUNTS)
    assert wait_until(lambda: machine.ran("test", "-S", "/run/courier/authdaemon/socket").returncode == 0, 20)
    assert "argv=/usr/bin/maildrop -d ${recipient}" in machine.run("postconf", "-M", "maildrop/unix")
    settings = ("virtual_mailbox_domains=box.example", "virtual_transport=maildrop", "maildrop_destination_recipient_limit=1")
    machine.run("postconf", *settings)
    box = machine.root / "var/vmail/inge/Maildir/new"
    seen = []
    for ours in (False, True):
        if ours:
            machine.run(INSTALL, "--replace")
        machine.run("/etc/init.d/postfix", "start")
        assert machine.is_pyfix() == ours
        machine.shell(": >/var/log/mail.log; rm -f /var/vmail/inge/Maildir/new/*")
        machine.run("sendmail", "inge@box.example", "nobody@box.example", user="grete", text="Subject: by maildrop\n\nbody\n")
        # The notice for grete is the second to be removed.
        assert wait_until(lambda: len(re.findall(r": removed\n", machine.log())) == 2, 60), machine.log()
        outcomes = sorted(re.findall(r"/pipe\[\d+\]: \w+: (to=<\S+, relay=maildrop).*(dsn=.*)", machine.log()))
        (message,) = box.iterdir()
        kept = [line for line in message.read_text().splitlines() if not re.match(r"Received:|\t|Message-Id:|Date:", line)]
        seen.append((outcomes, kept, message.stat().st_mode, message.stat().st_uid))
        machine.run("/etc/init.d/postfix", "stop")
    machine.run(INSTALL, "--restore")
    machine.run("postconf", "-X", *(setting.partition("=")[0] for setting in settings))
    assert seen[0] == seen[1]
    assert [status for _, status in seen[0][0]] == [
        "dsn=2.0.0, status=sent (delivered via maildrop service)",
        "dsn=5.1.1, status=bounced (user unknown. Command output: Invalid user specified. )",
    ]
    assert "Delivered-To: inge@box.example" in seen[0][1] and "Subject: by maildrop" in seen[0][1]
