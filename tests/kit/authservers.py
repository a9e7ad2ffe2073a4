"""Real services that know passwords, run by tests in folders of their own: Dovecot's auth, saslauthd, files of sasldb."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import dovecot as dovecot_server
from . import processes
from .dovecot import need_program

DOVECOT_CONF = dovecot_server.BASE + """\
protocols =
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
auth_realms = mail.ours.example
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {base}/users
}}
service auth {{
  unix_listener {socket} {{
    mode = 0666
  }}
}}
"""


@contextmanager
def dovecot(base: Path, socket: Path, users: dict[str, str]) -> Iterator[None]:
    """Run Dovecot in *base*, with its authentication service at *socket*."""
    base.mkdir(exist_ok=True)
    (base / "users").write_text("".join(f"{user}:{password}\n" for user, password in users.items()))
    with dovecot_server.running(base, DOVECOT_CONF.format(base=base, socket=socket), socket.is_socket):
        yield


@contextmanager
def saslauthd(folder: Path, users: list[tuple[str, str, str]]) -> Iterator[Path]:
    """Run saslauthd in *folder* with *users*, each with a realm and a password; yield its socket.

    It looks into the machine's own file of users, in whose place it sees one of its folder: /etc is another there.
    """
    program = need_program("saslauthd", "sasl2-bin")
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    etc = folder / "etc"
    etc.mkdir(exist_ok=True)
    shutil.copyfile("/etc/passwd", etc / "passwd")
    write_sasldb(etc / "sasldb2", users)
    script = 'mount --bind "$0" /etc && exec "$@"'
    process = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script, str(etc), program, "-d", "-a", "sasldb", "-m", str(folder), "-n", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # it ends its whole process group
    )
    mux = folder / "mux"
    try:
        assert processes.wait_until(mux.is_socket, 20)
        yield mux
    finally:
        processes.end_child(process)


def write_sasldb(path: Path, users: list[tuple[str, str, str]]) -> None:
    """Write users, each with a realm and a password, into a file that all may read."""
    program = need_program("saslpasswd2", "sasl2-bin")
    for user, realm, password in users:
        command = [program, "-c", "-p", "-f", str(path), "-u", realm, user]
        subprocess.run(command, input=password.encode(), check=True, capture_output=True, timeout=30)
    path.chmod(0o644)
