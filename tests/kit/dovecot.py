"""Dovecot, run by tests in folders of their own: whatever it is configured for, or a whole store of mail.

A store takes mail by LMTP on a socket where Postfix's clients look for it, and by dovecot-lda, and gives it back over IMAP
and POP3.  Source: Dovecot's own pages about LMTP, the LDA and Postfix.
"""

from __future__ import annotations

import imaplib
import poplib
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from grp import getgrnam
from pathlib import Path

from . import processes, requirements
from .instance import MAILBOX_OWNER, Instance

LDA = "/usr/lib/dovecot/dovecot-lda"

BASE = """\
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
default_internal_user = postfix
default_internal_group = postfix
default_login_user = nobody
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""
"""What lets Dovecot run in a folder of its own; ``{base}`` is that folder."""

_STORE = BASE + """\
protocols = imap pop3 lmtp
auth_username_format = %Ln
hostname = mail.ours.example
postmaster_address = postmaster@ours.example
mail_location = maildir:~/Maildir
mail_plugins = quota
recipient_delimiter = +
sendmail_path = /usr/bin/env MAIL_CONFIG={configuration} /usr/sbin/sendmail
lda_mailbox_autocreate = yes
lmtp_save_to_detail_mailbox = yes
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {base}/users
}}
userdb {{
  driver = passwd-file
  args = {base}/users
}}
plugin {{
  quota = maildir:User quota
  quota_rule = *:storage=1M
}}
service lmtp {{
  unix_listener {queue}/private/dovecot-lmtp {{
    mode = 0600
    user = postfix
    group = postfix
  }}
}}
service auth {{
  unix_listener auth-userdb {{
    mode = 0666
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    address = 127.0.0.1
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""


def need_program(name: str, package: str) -> str:
    """Return the path of a program; skip the running test (in CI: fail it) where it is not installed."""
    found = shutil.which(name)
    if found is None:
        requirements.missing(f"needs {name} (package {package})")
    return found


@contextmanager
def running(base: Path, configuration: str, is_ready: Callable[[], bool]) -> Iterator[None]:
    """Run Dovecot in *base* until the end of the block; it *is_ready* when the block begins."""
    program = need_program("dovecot", "dovecot-core")
    for folder in (base, base / "run", base / "state"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    (base / "dovecot.conf").write_text(configuration)
    process = subprocess.Popen([program, "-F", "-c", str(base / "dovecot.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        log = base / "dovecot.log"
        assert processes.wait_until(is_ready, 30), log.read_text() if log.exists() else "Dovecot says nothing"
        yield
    finally:
        processes.end_child(process)


@dataclass(frozen=True)
class Store:
    """A store that runs."""

    imap_port: int
    pop3_port: int

    def by_imap(self, user: str) -> dict[str, list[str]]:
        """Return the texts of the messages of *user*, by folder."""
        found = {}
        with imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=30) as client:
            client.login(user, "pw")
            folders = sorted(line.rpartition(b" ")[2].decode().strip('"') for line in client.list()[1] if isinstance(line, bytes))
            for folder in folders:
                number = client.select(f'"{folder}"', readonly=True)[1][0]
                answers = client.fetch("1:*", "(BODY.PEEK[])")[1] if number != b"0" else []
                found[folder] = [_text(part[1]) for part in answers if isinstance(part, tuple)]
        return found

    def by_pop3(self, user: str) -> list[str]:
        """Return the texts of the messages of *user*."""
        client = poplib.POP3("127.0.0.1", self.pop3_port, timeout=30)
        try:
            client.user(user)
            client.pass_("pw")
            return [_text(b"\n".join([*client.retr(number + 1)[1], b""])) for number in range(client.stat()[0])]
        finally:
            client.quit()


def _text(content: bytes) -> str:
    return content.replace(b"\r\n", b"\n").decode("utf-8", "backslashreplace")


@contextmanager
def store(mta: Instance, users: Mapping[str, str], base: Path) -> Iterator[Store]:
    """Run a store in *base* for *mta*: LMTP at ``private/dovecot-lmtp`` of its queue.

    *users* are names, each with what follows its home in Dovecot's file (``quota_rule`` and the like), or nothing.  All
    belong to nobody unless they are accounts of the instance, in the group that ``let_users_submit`` gives these.
    """
    need_program(LDA, "dovecot-core")
    for service, package in (("imap", "dovecot-imapd"), ("pop3", "dovecot-pop3d"), ("lmtp", "dovecot-lmtpd")):
        need_program(f"/usr/lib/dovecot/{service}", package)
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir()
    base.chmod(0o755)
    lines = []
    for name, more in users.items():
        home = mta.directory / "home" / name
        if home.exists():
            owner, group = home.stat().st_uid, getgrnam("postdrop").gr_gid
            shutil.rmtree(home / "Maildir", ignore_errors=True)
        else:
            owner, group, home = MAILBOX_OWNER, MAILBOX_OWNER, base / "mail" / name
            home.mkdir(parents=True)
            shutil.chown(home, owner, group)
        lines.append(f"{name}:pw:{owner}:{group}::{home}::{more}\n")
    (base / "users").write_text("".join(lines))
    # dovecot-lda writes it, too, as whoever it runs as.
    (base / "dovecot.log").touch()
    (base / "dovecot.log").chmod(0o666)
    socket = mta.queue_directory / "private/dovecot-lmtp"
    socket.unlink(missing_ok=True)
    imap, pop3 = mta.another_port(), mta.another_port()
    text = _STORE.format(base=base, queue=mta.queue_directory, configuration=mta.config_directory, imap=imap, pop3=pop3)
    with running(base, text, lambda: socket.is_socket()):
        yield Store(imap, pop3)
