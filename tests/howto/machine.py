"""A Debian machine whose Postfix pyfix has replaced, for typing what well-known how-tos tell people to type."""

from __future__ import annotations

import os
import re
import select
import subprocess
import time

from tests.install.debian import DebianMachine
from tests.install.machine import index_environment
from tests.kit.processes import wait_until
from tests.kit.programs import CHECKOUT

__all__ = ["HowtoMachine", "Telnet"]

_PACKAGES = "postfix telnet bsd-mailx dovecot-core dovecot-pop3d dovecot-imapd sasl2-bin procmail"
# People read /var/log/maillog; Dovecot finds the mailboxes of the machine's users.
_SETUP = f"""
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
install='apt-get install -y -qq --no-install-recommends {_PACKAGES}'
$install || {{ apt-get update -qq; $install; }}
for user in hans grete inge; do useradd -m -s /bin/sh $user; echo $user:secret-of-$user; done | chpasswd
postconf maillog_file=/var/log/maillog inet_protocols=ipv4
postconf -M postlog/unix-dgram='postlog unix-dgram n - n - 1 postlogd'
cp -a /etc/postfix /var/backups/postfix-as-installed
"""
_DOVECOT = """
protocols = imap pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = mbox:~/mail:INBOX=/var/mail/%u
mail_privileged_group = mail
log_path = /var/log/dovecot
passdb {
  driver = shadow
}
userdb {
  driver = passwd
}
"""


class Telnet:
    """A telnet session: what is typed after each reply, and what comes back."""

    def __init__(self, machine: HowtoMachine, port: int, client: str = "127.0.0.1", first: str = r"\d{3} ") -> None:
        """Connect to *port* of the address that *client* is one of; *first*: as read() has it, for the greeting."""
        self._received = b""
        self._process = machine.popen("telnet", "-b", client, client, str(port))
        self.greeting = self.read(first)

    def read(self, last: str = r"\d{3} ") -> str:
        """Return the lines up to one that begins with *last*, a pattern, without what telnet itself says."""
        lines: list[str] = []
        end = time.monotonic() + 20
        while not lines or not re.match(last, lines[-1]):
            line = self._line(end)
            if line is None:
                break
            if not line.startswith(("Trying ", "Connected to ", "Escape character")):
                lines.append(line)
        return "\n".join(lines)

    def _line(self, end: float) -> str | None:
        """Return the next line, None at the end of the session.  Raises AssertionError when there is none at *end*."""
        assert self._process.stdout is not None
        while b"\n" not in self._received:
            ready, _, _ = select.select([self._process.stdout], [], [], max(end - time.monotonic(), 0))
            assert ready, f"nothing but {self._received!r} came"
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                return None
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return line.decode().rstrip("\r")

    def type(self, *lines: str, last: str = r"\d{3} ") -> str:
        """Type lines, and return the reply to them."""
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self._process.stdin.flush()
        return self.read(last)

    def close(self) -> None:
        """Close the window."""
        self._process.kill()
        self._process.communicate()


class HowtoMachine(DebianMachine):
    """The machine; each how-to begins with the configuration as Debian's installer leaves it."""

    def __init__(self) -> None:
        super().__init__()
        try:
            self.shell(_SETUP)
            self.run("make", "-s", "-C", str(CHECKOUT), "install", "PREFIX=/opt/pyfix", environment=index_environment())
            self.run("/opt/pyfix/lib/pyfix/bin/pyfix-install", "--replace")
            self.leave_network()
            (self.root / "etc/dovecot/dovecot.conf").write_text(_DOVECOT)
            self.run("dovecot")
            for network in ("192.168.0.7/32", "192.168.1.7/32", "203.0.113.7/32"):
                self.run("ip", "address", "add", network, "dev", "lo")
        except BaseException:
            self.close()
            raise

    def begin(self, *settings: str) -> None:
        """Start anew, with *settings* (``name=value``) added to main.cf; no mail is left of what was before."""
        self.run("/etc/init.d/postfix", "stop", check=False)
        self.shell(
            """
            rm -rf /etc/postfix /var/log/maillog; cp -a /var/backups/postfix-as-installed /etc/postfix
            rm -rf /var/mail/* /home/*/.forward /home/*/.procmailrc
            printf 'postmaster: root\\n' >/etc/aliases; newaliases
            """
        )
        self.run("postsuper", "-d", "ALL", check=False)  # the first time, there is no queue yet
        self.run("postconf", "myhostname=mail.example.org", "mydestination=mail.example.org,example.org,localhost", *settings)
        self.run("/etc/init.d/postfix", "start")

    def restart(self) -> None:
        """Restart the service, as people do."""
        self.run("/etc/init.d/postfix", "restart")

    def write(self, path: str, text: str) -> None:
        """Write a file as with an editor."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def log(self) -> str:
        """Return /var/log/maillog."""
        return (self.root / "var/log/maillog").read_text()

    def box(self, user: str) -> str:
        """Return the mailbox of a user of the machine."""
        path = self.root / "var/mail" / user
        return path.read_text() if path.exists() else ""

    def arrives(self, user: str, text: str) -> bool:
        """Wait until *text* is in the mailbox of *user*."""
        return wait_until(lambda: text in self.box(user), 20)

    def telnet(self, *lines: str, port: int = 25, client: str = "127.0.0.1") -> list[str]:
        """Type *lines* in a telnet session, the content after DATA up to its dot as one; return greeting and replies."""
        session = Telnet(self, port, client)
        heard = [session.greeting]
        try:
            for line in lines:
                heard.append(session.type(*line.split("\n")))
        finally:
            session.close()
        return heard

    def popen(self, *argv: str) -> subprocess.Popen[bytes]:
        """Start a program there that reads what is typed."""
        return subprocess.Popen(
            [*self.entering(), *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/"
        )
