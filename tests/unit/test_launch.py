from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyfix import launch
from pyfix.install.launchers import COMMANDS, DAEMONS, LaunchTarget, checkout_launcher, installed_launcher

ROOT = Path(launch.__file__).resolve().parents[1]


def test_module_names() -> None:
    assert launch.daemon_module("smtpd") == "pyfix.daemons.smtpd.daemon"
    assert launch.daemon_module("trivial-rewrite") == "pyfix.daemons.trivial_rewrite.daemon"
    assert launch.daemon_module("lmtp") == "pyfix.daemons.smtp.daemon"


@pytest.mark.parametrize(("kind", "folder", "names"), [("command", "bin", COMMANDS), ("daemon", "libexec", DAEMONS)])
def test_the_launchers_of_the_checkout_are_as_rendered(kind: str, folder: str, names: tuple[str, ...]) -> None:
    assert sorted(path.name for path in (ROOT / folder).iterdir()) == sorted(names)
    for name in names:
        program = ROOT / folder / name
        assert program.read_text() == checkout_launcher(kind, name)
        assert len(program.read_text().splitlines()) == 2
        assert os.access(program, os.X_OK)


def test_launched_daemon(tmp_path: Path) -> None:
    for name, text in (
        ("checkout", checkout_launcher("daemon", "trivial-rewrite")),
        ("installed", installed_launcher("daemon", "trivial-rewrite", LaunchTarget(Path("/usr/bin/python3"), (Path("/lib"),)))),
        ("command", checkout_launcher("command", "postqueue")),
        ("other", "#!/bin/sh\nexit 0\n"),
    ):
        (tmp_path / name).write_text(text)
    (tmp_path / "elf").write_bytes(b"\x7fELF" + bytes(2000))
    (tmp_path / "link").symlink_to("installed")
    assert launch.launched_daemon(str(tmp_path / "checkout")) == "trivial-rewrite"
    assert launch.launched_daemon(str(tmp_path / "installed")) == "trivial-rewrite"
    assert launch.launched_daemon(str(tmp_path / "link")) == "trivial-rewrite"
    for name in ("command", "other", "elf"):
        assert launch.launched_daemon(str(tmp_path / name)) is None
    with pytest.raises(OSError, match="No such file"):
        launch.launched_daemon(str(tmp_path / "missing"))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of what a launcher needs, with a command that shows where it runs."""
    target = tmp_path / "pyfix"
    (target / "commands").mkdir(parents=True)
    for name in ("__init__.py", "launch.py"):
        (target / name).write_text((ROOT / "pyfix" / name).read_text())
    (target / "commands/__init__.py").touch()
    (target / "commands/sendmail.py").write_text(
        "import sys, pyfix\n"
        "def main(argv):\n"
        "    print(sys.argv[0], argv, pyfix.CONFIG_DIRECTORY, pyfix.SITE_DEFAULTS, sys.flags.isolated, 'site' in sys.modules)\n"
        "    return 67\n"
    )
    return tmp_path


def test_an_installed_launcher_runs_the_command(package: Path) -> None:
    program = package / "mailq"
    target = LaunchTarget(Path(sys.executable), (package,), Path("/opt/etc"), {"daemon_directory": "/there"})
    program.write_text(installed_launcher("command", "mailq", target))
    program.chmod(0o755)
    done = subprocess.run([program, "a b", "-v"], capture_output=True, text=True, check=False, env={})
    assert done.stdout == "mailq ['a b', '-v'] /opt/etc {'daemon_directory': '/there'} 1 False\n", done.stderr
    assert done.returncode == 67


def test_a_launcher_of_the_checkout_works_through_a_link(package: Path) -> None:
    (package / "bin").mkdir()
    program = package / "bin/sendmail"
    program.write_text(checkout_launcher("command", "sendmail"))
    program.chmod(0o755)
    (package / "link").symlink_to(program)
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": "/nowhere"}
    done = subprocess.run([package / "link"], capture_output=True, text=True, check=False, env=environment, cwd="/")
    assert done.stdout == "sendmail [] /etc/postfix {} 1 False\n", done.stderr
    assert done.returncode == 67
    (package / "newaliases").symlink_to(program)
    done = subprocess.run([package / "newaliases"], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout == "newaliases [] /etc/postfix {} 1 False\n", done.stderr


_SLOW_TO_IMPORT = {"argparse", "asyncio", "dataclasses", "inspect", "json", "logging", "site", "subprocess", "twisted"}


@pytest.mark.parametrize("command", ["mailq", "postcat", "postqueue", "postsuper", "sendmail"])
def test_a_command_imports_nothing_slow(command: str) -> None:
    """A command has 60 ms to start in (the bench measures them); what is slow to import would take most of that."""
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); sys.argv[1:] = ['-Q']; import pyfix.launch; end = os._exit;"
        "os._exit = lambda status: (print('modules', *sys.modules, flush=True), end(status));"
        f"pyfix.launch.command({command!r})"
    )
    argv = [sys.executable, "-ISXutf8", "-c", code, str(ROOT)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    modules = set(done.stdout.rpartition("modules")[2].split())
    assert "pyfix.runtime.console" in modules
    assert not _SLOW_TO_IMPORT & modules
