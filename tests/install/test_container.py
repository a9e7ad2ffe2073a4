"""A container's way of life: process 1, an ordinary user without any right, files that can't be changed, a volume."""

from __future__ import annotations

import re
import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.install.machine import as_user, can_mount, make
from tests.kit import requirements
from tests.kit.ports import ReservedPort
from tests.kit.processes import only_child, wait_until

pytestmark = [pytest.mark.root, pytest.mark.timeout(600), pytest.mark.xdist_group("a container")]

USER = 4242
# $1 is the volume, $2 the prefix, $3 the user; the rest of the machine is read-only, and there is no way to more rights.
_CONTAINER = r"""
set -e
mount --make-rprivate /
mount -t proc proc /proc
while read -r _ place type _; do
  case $type in ext*|xfs|btrfs|zfs|f2fs|overlay|tmpfs|9p|virtiofs) ;; *) continue ;; esac
  case $place in /dev|/dev/*|/proc/*|/sys/*) continue ;; esac
  mount -o remount,bind,ro "$place"
done < /proc/self/mounts
mount --bind "$1" "$1"
mount -o remount,bind,rw "$1"
exec setpriv --reuid "$3" --regid "$3" --clear-groups --no-new-privs --bounding-set -all sh -c \
  'mkdir -p "$1/queue" "$1/data" "$1/mail" && exec "$2/sbin/postfix" start-fg' sh "$1" "$2"
"""


class Container:
    """One run; the volume stays when it ends."""

    def __init__(self, image: Path, volume: Path) -> None:
        self.output = open(volume.parent / "stdout", "wb+")  # noqa: SIM115 - it is the process's, as long as that runs
        self.process = subprocess.Popen(
            ["unshare", "-m", "-p", "-f", "--kill-child", "sh", "-c", _CONTAINER, "sh", str(volume), str(image), str(USER)],
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
        )
        self._image = image

    @property
    def inside(self) -> int:
        found = only_child(self.process.pid)
        assert found is not None, self.said()
        return found

    def is_healthy(self) -> bool:
        """Ask the probe."""
        return only_child(self.process.pid) is not None and self.run("postfix", "health").returncode == 0

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the mail system in the container, as a probe does."""
        words = ["nsenter", "-t", str(self.inside), "-m", "-p", *as_user(USER), str(self._image / "sbin" / argv[0]), *argv[1:]]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)

    def said(self) -> str:
        self.output.flush()
        return Path(self.output.name).read_text()

    def end(self) -> int:
        """Send SIGTERM as a container engine does; return the exit status."""
        subprocess.run(["kill", "-TERM", str(self.inside)], check=True)
        return self.process.wait(15)


@pytest.fixture(scope="module")
def image() -> Iterator[tuple[Path, int]]:
    """What an image is made of: the system, installed by its user, who can't change it at run time."""
    if not can_mount():
        requirements.missing("a container needs the right to make mounts")
    folder = Path(tempfile.mkdtemp(prefix="pyfix-container-"))
    folder.chmod(0o755)
    (folder / "volume").mkdir()
    subprocess.run(["chown", f"{USER}:{USER}", folder, folder / "volume"], check=True)
    done = make(folder, USER, "install", f"PREFIX={folder}/image")
    assert done.returncode == 0, done.stdout
    port = ReservedPort()
    settings = {
        "queue_directory": f"{folder}/volume/queue",
        "data_directory": f"{folder}/volume/data",
        "mail_spool_directory": f"{folder}/volume/mail/",
        "home_mailbox": "",
        "maillog_file": "/dev/stdout",
        "mydestination": "localhost",
        "local_recipient_maps": "",
        "luser_relay": "",
        "virtual_mailbox_domains": "ours.example",
        "virtual_mailbox_maps": "static:box/",
        "virtual_mailbox_base": f"{folder}/volume",
        "virtual_uid_maps": f"static:{USER}",
        "virtual_gid_maps": f"static:{USER}",
        "transport_maps": "inline:{ later.example=discard }",
        "defer_transports": "discard",
    }
    postconf = [*as_user(USER), str(folder / "image/sbin/postconf")]
    subprocess.run([*postconf, *(f"{name}={value}" for name, value in settings.items())], check=True)
    entry = "127.0.0.1:" + str(port.number)
    subprocess.run([*postconf, "-MX", "2525/inet"], check=True)
    subprocess.run([*postconf, "-M", f"{entry}/inet={entry} inet n - n - - smtpd"], check=True)
    yield folder, port.number
    port.release()
    shutil.rmtree(folder)


def _send(port: int, to: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=20) as client:
        client.sendmail("a@client.example", [to], "Subject: hello\n\nbody\n")


def test_a_container(image: tuple[Path, int]) -> None:
    """Ready when the probe says so; log on standard output; SIGTERM ends it; the queue is there in the next one."""
    folder, port = image
    container = Container(folder / "image", folder / "volume")
    try:
        assert wait_until(container.is_healthy, 20), container.said()
        assert container.run("postfix", "health").stdout == "healthy\n"
        _send(port, "user@ours.example")
        _send(port, "x@later.example")
        assert wait_until(lambda: len(list((folder / "volume/box/new").glob("*"))) == 1, 20), container.said()
        assert wait_until(lambda: "status=deferred" in container.said(), 20)
        status = Path(f"/proc/{container.inside}/status").read_text()
        assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE) and re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
        assert re.search(rf"^Uid:\t{USER}\t", status, re.MULTILINE)
        began = time.monotonic()
        assert container.end() in (0, 143), container.said()
        assert time.monotonic() - began < 10
        assert "terminating on signal 15" in container.said()
        assert not re.search(r"fatal|panic|error: ", container.said()), container.said()
    finally:
        container.process.kill()
    container = Container(folder / "image", folder / "volume")
    try:
        assert wait_until(container.is_healthy, 20), container.said()
        assert "x@later.example" in container.run("postqueue", "-p").stdout
        assert container.end() in (0, 143)
    finally:
        container.process.kill()
