"""What is done with mail on a machine of one's own: it is sent, it arrives, it waits in the queue."""

from __future__ import annotations

import re

from tests.install.debian import DebianMachine
from tests.kit.processes import wait_until

__all__ = ["INSTALL", "MailMachine"]

INSTALL = "/opt/pyfix/lib/pyfix/bin/pyfix-install"


class MailMachine(DebianMachine):
    """A machine with a mail system in the usual places, which logs to *log_file*."""

    log_file = "var/log/mail.log"

    def log(self) -> str:
        """Return the log of the mail system."""
        return (self.root / self.log_file).read_text()

    def mailbox(self, user: str) -> str:
        """Return the mailbox of a user of the machine; nothing where there is none."""
        try:
            return (self.root / "var/mail" / user).read_text()
        except FileNotFoundError:
            return ""

    def delivered(self, user: str, *subjects: str) -> bool:
        """Wait until mail of each subject has come to *user*, once."""

        def there() -> bool:
            box = self.mailbox(user)
            return all(box.count(f"Subject: {subject}\n") == 1 for subject in subjects)

        return wait_until(there, 30)

    def queued(self) -> list[str]:
        """Return the recipients of what is in the queue, in order."""
        found = self.run("postqueue", "-p")
        return sorted(re.findall(r"^ +(\S+@\S+)$", found, re.MULTILINE))

    def waits(self, *recipients: str) -> bool:
        """Wait until mail for *recipients*, and no other, is in the queue."""
        return wait_until(lambda: self.queued() == sorted(recipients), 30)

    def send(self, to: str, subject: str, user: str = "hans") -> None:
        """Let *user* send a message."""
        self.run("sendmail", to, user=user, text=f"Subject: {subject}\n\nbody\n")

    def is_pyfix(self) -> bool:
        """Tell whose master runs, by what it runs in."""
        pid = (self.root / "var/spool/postfix/pid/master.pid").read_text().strip()
        return "python" in self.run("readlink", f"/proc/{pid}/exe")
