"""The mail system as ``postfix`` sees it: its settings, its programs, and whether it runs."""

from __future__ import annotations

import os
import sys
import time

import pyfix
from pyfix.config.errors import ConfigError
from pyfix.config.master_cf import read_master_cf
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Snapshot
from pyfix.config.startup import check_startup
from pyfix.runtime.console import CommandError
from pyfix.runtime.environment import chosen_environment
from pyfix.runtime.log import log
from pyfix.runtime.logtarget import configure_log
from pyfix.runtime.masterlock import PID_FILE, LockError, running_master

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOKS, _PAUSE = 20, 0.1
"""How often, and after how many seconds each, a starting master's process id is looked for."""
_MIGRATION_LEVELS = ("disable", "enable-redirect", "enable-reindex")
_PATH = "/bin:/usr/bin:/sbin:/usr/sbin"
_EXPORTED = (
    "command_directory", "daemon_directory", "data_directory", "meta_directory", "queue_directory", "config_directory",
    "shlib_directory", "mail_owner", "setgid_group", "sendmail_path", "mailq_path", "newaliases_path",
    "manpage_directory", "sample_directory", "readme_directory", "html_directory",
)  # fmt: skip
"""Parameters that programs find in their environment.  Source: postfix(1)."""


class Failure(Exception):
    """The command has failed, and has said so already."""


def instances_of_the_primary() -> Sequence[str]:
    """Return multi_instance_directories of the built-in configuration directory, none if that cannot be read."""
    try:
        return MailSettings(Snapshot.read(pyfix.CONFIG_DIRECTORY)).multi_instance_directories
    except ConfigError:
        return ()


class System:
    """One instance of the mail system."""

    def __init__(self, snapshot: Snapshot, settings: MailSettings) -> None:
        self.snapshot = snapshot
        self.settings = settings
        self.config_directory = snapshot.config_directory
        self.environment: dict[str, str] = {}
        """What programs get that run from here."""

    @classmethod
    def read(cls) -> System:
        """Read main.cf and check what it says.  Raises ConfigError."""
        snapshot = Snapshot.read(process_name="postfix")
        configure_log(snapshot, "postfix", to_stderr=True, to_file=True)
        log.tag = "postfix"
        for warning in snapshot.warnings:
            log.warning(warning)
        settings = MailSettings(snapshot)
        check_startup(settings)
        system = cls(snapshot, settings)
        system._check()
        return system

    def _check(self) -> None:
        level = self.settings.non_bdb_migration_level
        if level not in _MIGRATION_LEVELS:
            raise ConfigError(f"invalid non-Berkeley-DB migration level: '{level}'")
        logfile = self.settings.maillog_file
        if logfile and not logfile.startswith(
            tuple(self.snapshot.value("maillog_file_prefixes").replace(",", " ").split())
        ):
            raise ConfigError(f"maillog_file value '{logfile}' does not match any prefix in maillog_file_prefixes")

    def enter(self) -> None:
        """Check the folders, make queue_directory the working directory, and prepare the environment of programs.

        From here on the log shows the part of ``postfix`` that acts.  Raises CommandError.
        """
        settings = self.settings
        for folder in (settings.command_directory, settings.daemon_directory, settings.queue_directory):
            try:
                os.chdir(folder)
            except OSError as error:
                raise CommandError(f"chdir({folder}): {error.strerror}") from None
        os.umask(0o022)
        environment = chosen_environment(settings.import_environment, os.environ)
        if "MAIL_VERBOSE" in os.environ:
            environment["MAIL_VERBOSE"] = os.environ["MAIL_VERBOSE"]
        environment |= {"MAIL_CONFIG": self.config_directory, "MAIL_LOGTAG": settings.syslog_name, "PATH": _PATH}
        if settings.maillog_file:
            service = os.path.join(settings.queue_directory, "public", settings.postlog_service_name)
            environment |= {"POSTLOG_SERVICE": service, "POSTLOG_HOSTNAME": settings.myhostname}
        environment |= {name: self.snapshot.value(name) for name in _EXPORTED}
        self.environment = environment
        log.tag = f"{settings.syslog_name}/postfix-script"
        log.to_stderr(False)

    def check_files(self) -> None:
        """Let postconf(1) tell of what is wrong with master.cf.  Raises Failure where it cannot go on.

        It is run only where something is wrong, which reading the file finds out sooner.
        """
        if not os.path.isfile(self.daemon("master")):
            raise self.failure(f"no Postfix master program {self.daemon('master')}!")
        wrong: list[str] = []
        try:
            read_master_cf(f"{self.config_directory}/master.cf", warn=wrong.append)
        except ConfigError as error:
            wrong.append(str(error))
        postconf = self.command("postconf")
        if wrong and self.run_silently(postconf, "-dh", "config_directory") != 0:
            raise self.failure(f"cannot execute {postconf}!")

    def tell_unused(self) -> None:
        """Let postconf(1) warn of parameters that nothing reads, or that will not be there for long."""
        postconf = self.command("postconf")
        if os.path.exists(postconf):
            self.run_silently(postconf)

    def is_secondary(self) -> bool:
        """Tell whether this is an instance that the built-in configuration directory's main.cf names."""
        return self.config_directory != pyfix.CONFIG_DIRECTORY and self.config_directory in instances_of_the_primary()

    # Lines

    def info(self, text: str) -> None:
        """Log a line, and show it to the caller."""
        log.info(text)
        self._show(text)

    def warning(self, text: str) -> None:
        """Log a warning, and show it to the caller."""
        log.warning(text)
        self._show(f"warning: {text}")

    def error(self, text: str) -> None:
        """Log an error, and show it to the caller."""
        log.error(text)
        self._show(f"error: {text}")

    def failure(self, text: str) -> Failure:
        """Log a fatal line and show it; return what to raise."""
        log.fatal(text)
        self._show(f"fatal: {text}")
        return Failure(text)

    def _show(self, text: str) -> None:
        print(f"{self.settings.syslog_name}/postlog: {text}", file=sys.stderr, flush=True)

    # Programs

    def running(self) -> int | None:
        """Return the process id of the master that runs, None without one, 0 for one whose id is not known."""
        try:
            return running_master(self.settings.queue_directory)
        except LockError:
            return 0

    def need_running(self) -> int:
        """Return the process id of the master that runs.  Raises Failure without one."""
        for _ in range(_LOOKS):
            pid = self.running()
            if pid is None:
                raise self.failure("the Postfix mail system is not running")
            if pid > 0:
                return pid
            time.sleep(_PAUSE)  # it has the lock already, and writes its id in a moment
        raise self.failure(f"{PID_FILE} does not tell the process id of the Postfix mail system")

    def daemon(self, name: str) -> str:
        """Return the path of a program of daemon_directory."""
        return os.path.join(self.settings.daemon_directory, name)

    def command(self, name: str) -> str:
        """Return the path of a program of command_directory."""
        return os.path.join(self.settings.command_directory, name)

    def run(self, *argv: str) -> int:
        """Run a program and return its exit status."""
        sys.stdout.flush()
        status = os.spawnve(os.P_WAIT, argv[0], argv, self.environment)
        return status if status >= 0 else 128 - status

    def run_silently(self, *argv: str) -> int:
        """Run a program without its standard output and return its exit status."""
        sys.stderr.flush()
        away = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
        try:
            pid = os.posix_spawn(argv[0], argv, self.environment, file_actions=[away])
        except OSError:
            return 127
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def execute(self, argv: Sequence[str]) -> int:
        """Become another program.  Raises Failure."""
        sys.stdout.flush()
        try:
            os.execvpe(argv[0], list(argv), self.environment or dict(os.environ))
        except OSError as error:
            raise self.failure(f"{argv[0]}: {error.strerror}") from None
