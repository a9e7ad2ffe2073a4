"""The reference: Debian's Postfix of a given suite, unpacked into a folder of its own and made to run there.

Nothing is installed into the machine.  The packages and the libraries that they need come from the machine's own
Debian package source with another suite; each program is then pointed at the unpacked loader and libraries, so that
Postfix 3.11 runs on a machine whose own libraries are older.

``python -m tests.kit.reference [SUITE]`` installs (if needed) and prints the folder.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = (
    "postfix",
    *(f"postfix-{kind}" for kind in ("cdb", "ldap", "lmdb", "mysql", "pcre", "pgsql", "sqlite")),
)
_GENERATION = 2
"""Goes up when PACKAGES changes: a folder that another checkout uses stays as it is."""
_NOT_UNPACKED = re.compile(r"^(systemd|libmount|libblkid|debconf|init-system|libc-gconv|gcc-)")


class ReferenceMissing(Exception):
    """The reference can't be had on this machine; the text names what is missing."""


@dataclass(frozen=True)
class Release:
    """One release of the reference."""

    kind: str
    """The name that tests use: ``reference`` or ``reference37``."""
    suite: str
    """Debian's suite that has it."""
    variable: str
    """The environment variable that names a folder where it is (or shall be) unpacked."""
    compatibility_level: str
    """What main.cf says in an instance of this release."""


RELEASES = {
    "reference": Release("reference", "forky", "PYFIX_REFERENCE_DIR", "3.11"),
    "reference37": Release("reference37", "bookworm", "PYFIX_REFERENCE37_DIR", "3.7"),
}


@dataclass(frozen=True)
class Reference:
    """An unpacked reference."""

    release: Release
    root: Path

    @property
    def daemon_directory(self) -> Path:
        return self.root / "usr/lib/postfix/sbin"

    @property
    def command_directory(self) -> Path:
        return self.root / "usr/sbin"

    def settings(self) -> dict[str, str]:
        """The main.cf parameters that point an instance at these programs."""
        return {
            "daemon_directory": str(self.daemon_directory),
            "command_directory": str(self.command_directory),
            "shlib_directory": str(self.root / "usr/lib/postfix"),
            "meta_directory": str(self.root / "usr/share/postfix"),
            "sendmail_path": str(self.root / "usr/sbin/sendmail"),
            "mailq_path": str(self.root / "usr/bin/mailq"),
            "newaliases_path": str(self.root / "usr/bin/newaliases"),
        }


def reference(kind: str = "reference") -> Reference:
    """Return the reference of that kind, unpacking it first where it is not there yet.

    Raises ReferenceMissing with the reason where the machine can't run or fetch it.
    """
    release = RELEASES[kind]
    folder = _folder(release)
    root = folder / "root"
    done = folder / f"done-{release.suite}"
    if os.getuid() != 0:
        raise ReferenceMissing("the reference Postfix runs as root only, and this is not root")
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / "lock"):
            if not done.exists():
                _install(release, folder, root)
                done.touch()
    _accounts()
    _leave_machine_alone(root)
    return Reference(release, root)


def _folder(release: Release) -> Path:
    if chosen := os.environ.get(release.variable):
        return Path(chosen)
    # Not the home folder of root: the daemons' own user must be able to walk there.
    base = Path("/var/cache") if os.getuid() == 0 else Path.home() / ".cache"
    return base / "pyfix-tests" / f"postfix-{release.suite}-{_GENERATION}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(*argv: str | Path) -> str:
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        raise ReferenceMissing(f"{argv[0]} failed with status {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def _package_source() -> str:
    """Return the address of the machine's Debian package source."""
    texts = [path.read_text() for path in sorted(Path("/etc/apt/sources.list.d").glob("*.sources"))]
    for text in texts:
        if found := re.search(r"^URIs:\s*(\S+)", text, re.MULTILINE):
            return found[1]
    old = Path("/etc/apt/sources.list")
    lists = [old, *sorted(Path("/etc/apt/sources.list.d").glob("*.list"))]
    for path in lists:
        if path.exists() and (found := re.search(r"^deb\s+(?:\[.*?\]\s+)?(\S+://\S+)", path.read_text(), re.MULTILINE)):
            return found[1]
    raise ReferenceMissing("no Debian package source on this machine")


def _install(release: Release, folder: Path, root: Path) -> None:
    if shutil.which("apt-get") is None or not os.path.exists(KEYRING):
        raise ReferenceMissing("not a Debian machine (apt-get or Debian's archive keyring is missing)")
    source = _package_source()
    if shutil.which("patchelf") is None:
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "patchelf")
    apt = folder / "apt"
    for old in (apt, root):
        shutil.rmtree(old, ignore_errors=True)
    for sub in ("lists/partial", "cache/archives/partial", "etc"):
        (apt / sub).mkdir(parents=True)
    root.mkdir(mode=0o755)
    (apt / "etc/reference.sources").write_text(
        f"Types: deb\nURIs: {source}\nSuites: {release.suite}\nComponents: main\nSigned-By: {KEYRING}\n"
    )
    options = [
        f"Dir::State={apt}",
        f"Dir::State::Lists={apt}/lists",
        f"Dir::Cache={apt}/cache",
        "Dir::Etc::SourceList=/dev/null",
        f"Dir::Etc::SourceParts={apt}/etc",
        "Dir::State::status=/dev/null",
        "APT::Sandbox::User=root",
    ]
    get = ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]
    _run(*get, "update")
    _run(*get, "--no-install-recommends", "-y", "-d", "install", *PACKAGES)
    for package in sorted((apt / "cache/archives").glob("*.deb")):
        if not _NOT_UNPACKED.match(package.name):
            _run("dpkg-deb", "-x", package, root)
    shutil.rmtree(apt)
    _point_at_own_libraries(root)
    _accounts()
    for name in ("postdrop", "postqueue"):
        program = root / "usr/sbin" / name
        shutil.chown(program, group="postdrop")
        program.chmod(0o2755)


def _point_at_own_libraries(root: Path) -> None:
    loader = next(root.rglob("ld-linux*.so.*"))
    libraries = next(root.rglob("libc.so.6")).parent
    machine = libraries.name
    path = f"{root}/usr/lib/postfix:{libraries}:{root}/usr/lib/{machine}:{root}/lib/{machine}"
    folders = [root / "usr/sbin", root / "usr/lib/postfix/sbin", root / "usr/lib/postfix"]
    for program in (program for folder in folders for program in folder.iterdir()):
        if program.is_symlink() or not program.is_file():
            continue
        with program.open("rb") as stream:
            if stream.read(4) != b"\x7fELF":
                continue
        _run("patchelf", "--force-rpath", "--set-rpath", path, program)
        if ".so" not in program.name:
            _run("patchelf", "--set-interpreter", loader, program)


def _leave_machine_alone(root: Path) -> None:
    """Take the step out of Debian's post-install that is about the machine's own Postfix."""
    script = root / "usr/lib/postfix/sbin/post-install"
    text = script.read_text()
    adapted = re.sub(r"(?m)^ *\S*/configure-instance\.sh .*$", "    :", text)
    if adapted != text:
        new = script.with_name(f".post-install.{os.getpid()}")
        new.write_text(adapted)
        new.chmod(0o755)
        new.replace(script)


def _accounts() -> None:
    """Create group postdrop and user postfix where they are missing."""
    groups = Path("/etc/group").read_text()
    users = Path("/etc/passwd").read_text()
    if "\npostdrop:" not in groups:
        _run("groupadd", "--system", "postdrop")
    if "\npostfix:" not in users:
        shell = ("--no-create-home", "--home-dir", "/var/spool/postfix", "--shell", "/usr/sbin/nologin")
        _run("useradd", "--system", *shell, "postfix")


if __name__ == "__main__":
    suite = sys.argv[1] if len(sys.argv) > 1 else "forky"
    wanted = next((release for release in RELEASES.values() if release.suite == suite), None)
    if wanted is None:
        sys.exit(f"no reference in suite {suite}")
    try:
        print(reference(wanted.kind).root)
    except ReferenceMissing as missing:
        sys.exit(str(missing))
