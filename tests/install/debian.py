"""A Debian machine of one's own: this one's files with a layer over them, own processes and an own network.

Everything that is done there is gone when it ends.  It needs root, and a kernel with overlay file systems and name
spaces.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

import pytest

from tests.kit import requirements
from tests.kit.processes import only_child, wait_until
from tests.kit.programs import CHECKOUT

__all__ = ["DebianMachine"]

# $1 is an empty folder, $2 the checkout.  The layer is in memory: over files of the same file system it could not be.
_INIT = r"""
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 layer "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" machine "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755 run run
[ -d ."$2" ] || mkdir -p ."$2"
mount --bind "$2" ."$2"
: >"$1/ready"
eval "$3"
"""
_SLEEP = "exec sleep 1000"
# systemd as process 1, with nothing started yet but what it needs itself.  It sets the kernel's switches, makes devices and
# control groups where it can: here it finds its own devices and group, and of the rest nothing that it could write to.
_BOOT = """
umount -R sys dev; mount -t tmpfs -o mode=755 dev dev; mkdir dev/pts dev/shm
mknod -m 666 dev/null c 1 3; mknod -m 666 dev/zero c 1 5; mknod -m 666 dev/full c 1 7; mknod -m 666 dev/tty c 5 0
mknod -m 666 dev/random c 1 8; mknod -m 666 dev/urandom c 1 9
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts; ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
mount --bind proc/sys proc/sys; mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys; mount -t cgroup2 cgroup2 sys/fs/cgroup
ip link set lo up
exec chroot . env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=basic.target --log-target=null
"""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@cache
def _possible() -> str:
    """Return what keeps this system from having such a machine; nothing if it can."""
    if os.getuid() != 0:
        return "root"
    for program in ("unshare", "nsenter", "apt-get", "dpkg-divert"):
        if shutil.which(program) is None:
            return program
    return ""


def _own_group(name: str) -> Path:
    """Make a control group for the processes of one machine."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            group = Path(place) / name
            with suppress(OSError):
                group.mkdir()
                return group
    # No package brings it: it is for whoever runs the machine to grant.
    pytest.skip("not run: systemd needs a tree of control groups (version 2) that root may write to")


def _removed(group: Path) -> bool:
    """Remove a control group, and those in it; tell whether it is gone, which takes until the last process of it is."""
    for folder, _, _ in os.walk(group, topdown=False):
        with suppress(OSError):
            os.rmdir(folder)
    return not group.exists()


def _within(group: Path | None) -> list[str]:
    """Return what stands before a command that is to run in a control group."""
    return [] if group is None else ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(group)]


class DebianMachine:
    """A machine that runs until close()."""

    def __init__(self, *, boots: bool = False) -> None:
        """*boots*: its process 1 is systemd, which starts nothing by itself, and its network is its own for what that starts."""
        if missing := _possible():
            requirements.missing(f"a Debian machine needs {missing}")
        if "overlay" not in Path("/proc/filesystems").read_text():
            pytest.skip("not run: the kernel has no overlay file systems, which no package brings")
        self._boots = boots
        self._folder = Path(tempfile.mkdtemp(prefix="pyfix-debian-"))
        self._group = _own_group(self._folder.name) if boots else None
        own = ["-C", "-i", "-u", "-n"] if boots else []
        self._init = subprocess.Popen(
            [*_within(self._group), "unshare", "-m", "-p", *own, "-f", "--kill-child", "sh", "-c", _INIT, "sh",
             str(self._folder), str(CHECKOUT), _BOOT if boots else _SLEEP],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self._network: subprocess.Popen[bytes] | None = None
        self._left = False
        try:
            self._inside = self._wait_for_init()
            for path in ("etc/mailname", "etc/aliases", "etc/aliases.db"):
                self.run("rm", "-f", f"/{path}")
        except BaseException:
            self.close()
            raise

    @property
    def root(self) -> Path:
        """Its files, for reading and writing from outside."""
        root = Path(f"/proc/{self._inside}/root")
        return root if self._boots else Path(f"{root}{self._folder}/root")

    def run(
        self,
        *argv: str,
        user: str = "root",
        text: str | bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout: float = 300,
        check: bool = True,
    ) -> str:
        """Run a command there as *user*; return what it printed, errors too.

        Raises AssertionError for a bad status, with *check*.
        """
        done = self.ran(*argv, user=user, text=text, environment=environment, timeout=timeout)
        assert not check or done.returncode == 0, (argv, done.returncode, done.stdout)
        return done.stdout

    def ran(
        self,
        *argv: str,
        user: str = "root",
        text: str | bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there as *user*; return its status and what it printed, errors too."""
        words = self.entering()
        words += [*(["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user != "root" else []), *argv]
        with tempfile.TemporaryFile() as said:  # not a pipe: daemons that are started keep it open
            done = subprocess.run(
                words,
                input=text if isinstance(text, bytes) else text.encode(),
                stdout=said,
                stderr=subprocess.STDOUT,
                env={"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
                | dict(environment or {}),
                cwd="/",
                timeout=timeout,
                check=False,
            )
            said.seek(0)
            return subprocess.CompletedProcess(argv, done.returncode, said.read().decode(errors="replace"))

    def shell(self, script: str, *, user: str = "root", timeout: float = 300) -> str:
        """Run a shell script there; return what it printed."""
        return self.run("sh", "-ec", script, user=user, timeout=timeout)

    def leave_network(self) -> None:
        """Give it a network of its own, which only has a loopback: what was to be fetched has been."""
        if self._boots:
            self._left = True
            return
        command = [*self._entering(), "unshare", "-n", "sh", "-c", "ip link set lo up && exec sleep 1000"]
        self._network = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while self._network_process() is None and time.monotonic() < end:
            time.sleep(0.02)

    def close(self) -> None:
        """End all that runs there; its files are gone with it."""
        for process in (self._network, self._init):
            if process is not None:
                process.kill()
                process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._group is not None:
            wait_until(partial(_removed, self._group), 10)

    def _wait_for_init(self) -> int:
        end = time.monotonic() + 20
        while time.monotonic() < end and self._init.poll() is None:
            inside = only_child(self._init.pid)
            if inside is not None and Path(f"/proc/{inside}/root{self._folder}/ready").exists():
                return inside
            time.sleep(0.02)
        if self._boots:
            # As above: a container may lack them, and the test changes nothing of that.
            pytest.skip("not run: systemd can't be process 1 here, for want of a right to name spaces, mounts or control groups")
        return requirements.missing("a Debian machine needs the right to make overlay mounts")

    def _network_process(self) -> int | None:
        """Return the process whose network is the machine's: the one that sleeps there."""
        assert self._network is not None
        found = only_child(self._network.pid)
        name = None if found is None else Path(f"/proc/{found}/comm").read_text().strip()
        return found if name == "sleep" else None

    def entering(self) -> list[str]:
        """Return what stands before a command that is to run there as root."""
        return [*self._entering(), "chroot", str(self._folder / "root")]

    def _entering(self) -> list[str]:
        words = ["nsenter", "-t", str(self._inside), "-m", "-p"]
        if self._boots:
            return [*words, "-C", "-i", "-u", *(["-n"] if self._left else [])]
        if self._network is None:
            return words
        return [*words, f"--net=/proc/{self._network_process()}/ns/net"]
