"""Running ``make`` as a user, on a machine of which only one folder may be written to."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.kit import requirements
from tests.kit.programs import CHECKOUT

NOBODY = 65534

# $1 is the folder that stays writable; the rest is the command.  Mounts are the process's own and end with it.
_READ_ONLY = r"""
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
while read -r _ place type _; do
  case $type in ext*|xfs|btrfs|zfs|f2fs|overlay|tmpfs|9p|virtiofs) ;; *) continue ;; esac
  case $place in "$1"|/dev|/dev/*|/proc/*|/sys/*) continue ;; esac
  mount -o remount,bind,ro "$place"
done < /proc/self/mounts
shift
exec "$@"
"""
_OF_THE_INDEX = ("PIP_", "SSL_", "REQUESTS_", "CURL_", "http", "https", "no_proxy", "HTTP", "HTTPS", "NO_PROXY")
"""How this machine reaches the packages that pyfix depends on."""


@cache
def can_mount() -> bool:
    """Tell whether we may make mounts of our own: in some containers even root may not."""
    if os.getuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


def as_user(user: int) -> list[str]:
    """Return what stands before a command that *user* is to run; skip the test where that is not possible."""
    if user == os.getuid():
        return []
    requirements.need_root()
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]


def index_environment() -> dict[str, str]:
    """Return what pip and the Makefile need to know of this machine to find packages and interpreters."""
    found = {name: value for name, value in os.environ.items() if name.startswith(_OF_THE_INDEX)}
    return found | {"PYENV_ROOT": os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))}


def command(folder: Path, user: int, checkout: Path, *words: str) -> tuple[list[str], dict[str, str]]:
    """Return command line and environment of a make in *checkout* for which only *folder* can be written to.

    ``home`` and ``tmp`` below *folder* are its home and its folder for temporary files.
    """
    for name in ("home", "tmp"):
        place = folder / name
        if not place.exists():
            place.mkdir()
            if os.getuid() == 0:
                os.chown(place, user, user)
    environment = index_environment()
    environment |= {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    argv = [*as_user(user), "make", "-s", "-C", str(checkout), *words]
    if can_mount():
        argv = ["unshare", "-m", "sh", "-c", _READ_ONLY, "sh", str(folder), *argv]
    return argv, environment


def make(folder: Path, user: int, *words: str, timeout: float = 500) -> subprocess.CompletedProcess[str]:
    """Run make in this checkout, see ``command``, with the strictest umask."""
    argv, environment = command(folder, user, CHECKOUT, *words)
    return subprocess.run(
        argv,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        umask=0o077,
        check=False,
    )


def copy_checkout(target: Path, user: int) -> None:
    """Make a fresh clone of this checkout as it stands, for *user*."""
    left_out = shutil.ignore_patterns(".git", ".venv*", "var", "build", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis")
    shutil.copytree(CHECKOUT, target, symlinks=True, ignore=left_out)
    if os.getuid() == 0:
        for path in (target, *target.rglob("*")):
            os.chown(path, user, user, follow_symlinks=False)
