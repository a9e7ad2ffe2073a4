"""A machine of a test's own, with several instances: programs run in a name space whose /etc is the test's.

    with Site("reference") as site:
        site.run("postmulti", "-e", "init")

postmulti(1) looks after the default instance and those that it names, and the default instance is the one in
/etc/postfix.  So that two tests have one each, and the machine's own stays out of it, /etc is a copy.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

from . import processes, programs, services
from .instance import Instance, NotStarted
from .reference import reference

_OWN_FOLDERS = 'mount --bind "$0" /etc && mount --bind "$1" /usr/sbin || exit 99; shift; exec "$@"'
"""A shell script: run a command in a name space of its own whose /etc is $0 and whose /usr/sbin is $1.

The reference's scripts look for its commands in /usr/sbin.
"""

_META = {
    "main.cf.proto": """\
# A new instance begins with this.
compatibility_level = 3.11

# Where mail comes from.
#myorigin = $mydomain
myhostname = new.ours.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
default_database_type = texthash
alias_maps =
alias_database =
queue_directory = /nowhere
""",
    "master.cf.proto": "# The services of a new instance.\n" + services.STANDARD,
}
"""What meta_directory has for new instances; the same on both sides."""

SETPRIV = ("/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
"""What stands before a command that nobody is to run."""

_COPIED = ("alternatives", "ssl/openssl.cnf")
"""What programs need of /etc beside the files in it."""


class Site(Instance):
    """The default instance of such a machine; ``etc`` is where others have their configuration."""

    def _lay_out(self) -> None:
        self.etc = self.directory / "etc"
        _copy_etc(self.etc)
        self.config_directory = self.etc / "postfix"
        self.queue_directory = self.directory / "spool/postfix"
        self.data_directory = self.directory / "lib/postfix"
        for folder in (self.queue_directory, self.data_directory):
            folder.parent.mkdir()
        super()._lay_out()
        self.meta_directory = self.directory / "meta"
        self.meta_directory.mkdir()
        for name, text in _META.items():
            (self.meta_directory / name).write_text(text)
        if self.kind != "pyfix":
            for name in ("postfix-files", "dynamicmaps.cf"):
                shutil.copy(reference(self.kind).root / "usr/share/postfix" / name, self.meta_directory)

    def _standard_main(self) -> dict[str, str]:
        return super()._standard_main() | {"meta_directory": str(self.meta_directory)}

    @property
    def environment(self) -> dict[str, str]:
        """What commands get: nothing that names an instance."""
        return {name: value for name, value in super().environment.items() if name != "MAIL_CONFIG"}

    def run(
        self,
        command: str | Path,
        *arguments: str | Path,
        environment: dict[str, str] | None = None,
        **more: Any,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command of the mail system by its name, or any program by its path; *more* goes to subprocess.run.

        *environment* is added to that of the instance.
        """
        program = Path(command) if str(command).startswith("/") else self.command_directory / command
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", _OWN_FOLDERS, self.etc, self.command_directory, program, *arguments],
            env=self.environment | programs.hasty(self.kind) | (environment or {}),
            **{"cwd": "/", "capture_output": True, "check": False, "timeout": 60.0, "input": b"", **more},
        )

    def start(self, *, command: bool = True, seconds: float = 20.0) -> Self:
        """Start all instances with ``postfix start``.  Raises NotStarted."""
        done = self.run("postfix", "start", timeout=seconds)
        if done.returncode != 0 or not processes.wait_until(self.is_running, seconds):
            raise NotStarted(f"postfix start returned {done.returncode}\n{done!r}\n{self._log_tail()}")
        return self

    def main_cf(self, name: str) -> str:
        """Return main.cf of the instance in /etc/*name*."""
        return (self.etc / name / "main.cf").read_text()

    def set_port(self, name: str) -> int:
        """Give smtpd of the new instance in /etc/*name* a port of its own, and let it serve; return the port."""
        port = self.another_port()
        path = self.etc / name / "master.cf"
        path.write_text(path.read_text().replace("{port}", str(port)))
        return port

    def tree(self, name: str) -> dict[str, tuple[str, int, int]]:
        """Return mode, owner and group of all that an instance called *name* has, by path, but of sockets.

        Where postdrop is a script, all users may write into maildrop: that is left out, because it is no difference.
        """
        found = {}
        for top in (self.etc / name, self.queue_directory.with_name(name), self.data_directory.with_name(name)):
            for path in (top, *top.rglob("*")) if top.exists() else ():
                status = path.lstat()
                open_to_all = 0o1003 if path.name == "maildrop" else 0o001 if path.name == "public" else 0
                if not path.is_socket():
                    mode = oct(status.st_mode & ~open_to_all)
                    found[str(path.relative_to(self.directory))] = (mode, status.st_uid, status.st_gid)
        return found

    def stop(self, seconds: float = 10.0) -> None:
        """Stop all instances."""
        self.run("postfix", "stop", timeout=seconds * processes.PATIENCE)
        if not processes.wait_until(lambda: not self.pids(), seconds):
            self.kill()
            raise AssertionError(f"processes left after stop\n{self._log_tail()}")


def _copy_etc(target: Path) -> None:
    target.mkdir()
    for path in Path("/etc").iterdir():
        if path.is_file():
            shutil.copy2(path, target / path.name, follow_symlinks=True)
    for name in _COPIED:
        source = Path("/etc") / name
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target / name, symlinks=True)
        elif source.exists():
            shutil.copy2(source, target / name)

