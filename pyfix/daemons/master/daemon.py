"""master(8): from the command line to the running mail system."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Sequence

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.master import MasterSettings
from pyfix.config.snapshot import Snapshot
from pyfix.config.startup import check_startup
from pyfix.daemons.master.background import Waiter, go_to_background
from pyfix.daemons.master.endpoint import Interfaces
from pyfix.daemons.master.master import PROGRAM, Master
from pyfix.daemons.master.options import Options, UsageError
from pyfix.daemons.master.title import TitleArea, detach_environment
from pyfix.runtime.debugger import run_debugger
from pyfix.runtime.environment import chosen_environment
from pyfix.runtime.identity import mail_owner
from pyfix.runtime.log import log
from pyfix.runtime.logtarget import configure_log
from pyfix.runtime.masterlock import DATA_LOCK, PID_FILE, LockError, MasterLock, running_master
from pyfix.runtime.servicemanager import ServiceManager

_LAST_DESCRIPTOR = 1 << 20


def main(argv: Sequence[str]) -> int:
    """Run master with the arguments after its name; return the exit status.

    1: it can't run, or with -t: it runs already.  Source: master(8).
    """
    os.umask(0o077)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if os.getuid() == 0:
        os.setgroups([os.getgid()])  # not those of whoever started us
    log.tag = f"postfix/{PROGRAM}"
    log.to_stderr()
    try:
        options = Options.parse(argv, os.getpid())
    except UsageError as error:
        log.to_syslog("mail")
        log.fatal(str(error))
        return 1
    os.closerange(3, _LAST_DESCRIPTOR)
    log.to_syslog("mail")  # until main.cf says where to
    options.verbosity += _number(os.environ.get("MAIL_VERBOSE"))
    options.debugger |= "MAIL_DEBUG" in os.environ
    if options.config_directory is not None:
        os.environ["MAIL_CONFIG"] = options.config_directory
    waiter = Waiter(None)
    try:
        if options.test:
            return _test(Snapshot.read(options.config_directory, process_name=PROGRAM))
        waiter = go_to_background(options)
        return _serve(options, waiter)
    except ConfigError as error:
        # The socket of postlogd(8) may be ours already, and nobody will read it.
        log.close()
        os.closerange(3, max(waiter.fd, 3))
        os.closerange(max(waiter.fd + 1, 3), _LAST_DESCRIPTOR)
        for warning in error.warnings:
            log.warning(warning)
        log.fatal(str(error))
        log.finish()
        waiter.failed(str(error))
        return 1


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0


def _test(snapshot: Snapshot) -> int:
    """Return 0 when no master runs and one might; without a word, as the commands that ask have their own.

    Raises ConfigError for a main.cf with which none could run.
    """
    settings = MasterSettings(snapshot)
    check_startup(settings)
    Interfaces(snapshot)
    chosen_environment(settings.import_environment, os.environ)
    try:
        return int(running_master(snapshot.value("queue_directory")) is not None)
    except (OSError, LockError):
        return 1


def _serve(options: Options, waiter: Waiter) -> int:
    snapshot = Snapshot.read(options.config_directory, process_name=PROGRAM)
    settings = MasterSettings(snapshot)
    try:
        _check_logfile(settings)
        configure_log(snapshot, PROGRAM, to_stderr=not options.wait, to_file=True)
        return _run(options, waiter, settings)
    except ConfigError:
        for warning in snapshot.warnings:
            log.warning(warning)
        raise


def _run(options: Options, waiter: Waiter, settings: MasterSettings) -> int:
    snapshot = settings.snapshot
    check_startup(settings)
    interfaces = Interfaces(snapshot)
    log.verbosity = options.verbosity
    _raise_limits()
    try:
        os.chdir(settings.queue_directory)
    except OSError as error:
        raise ConfigError(f"chdir {settings.queue_directory}: {error.strerror}") from None
    manager = ServiceManager.take_from(os.environ)
    _take_environment(settings)
    _lock(settings)
    title = TitleArea()
    master = Master(options, settings, interfaces, title, manager)
    master.configure()
    for warning in snapshot.warnings:
        log.warning(warning)
    log.info(f"daemon started -- version {snapshot.value('mail_version')}, configuration {snapshot.config_directory}")
    if options.debugger:
        run_debugger(snapshot)
    waiter.ready()
    manager.ready()
    if not options.debug_in_foreground:
        log.to_stderr(False)
    return master.run()


def _check_logfile(settings: MasterSettings) -> None:
    path = settings.maillog_file
    prefixes = settings.snapshot.value("maillog_file_prefixes").replace(",", " ").split()
    if path and not path.startswith(tuple(prefixes)):
        raise ConfigError(f"maillog_file value '{path}' does not match any prefix in maillog_file_prefixes")


def _raise_limits() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _lock(settings: MasterSettings) -> None:
    """Lock master.pid, and master.lock as mail_owner; they stay ours until the process ends."""
    owner = mail_owner(settings.mail_owner)
    path = PID_FILE
    try:
        MasterLock(path).write_pid(os.getpid())
        path = os.path.join(settings.data_directory, DATA_LOCK)
        with owner.rights():
            lock = MasterLock(path)
        lock.write_pid(os.getpid())
    except LockError as error:
        raise ConfigError(f"open lock file {path}: {error}") from None


def _take_environment(settings: MasterSettings) -> None:
    """Keep of the environment what import_environment says, and add what children need before they read main.cf."""
    environment = chosen_environment(settings.import_environment, os.environ)
    ours = {
        "MAIL_CONFIG": settings.snapshot.config_directory,
        "MAIL_LOGTAG": settings.syslog_name,
        "POSTLOG_SERVICE": "",
        "POSTLOG_HOSTNAME": "",
    }
    if settings.maillog_file:
        service = os.path.join(settings.queue_directory, "public", settings.postlog_service_name)
        ours |= {"POSTLOG_SERVICE": service, "POSTLOG_HOSTNAME": settings.myhostname}
    for name, value in ours.items():
        if value:
            environment[name] = value
        else:
            environment.pop(name, None)
    detach_environment(environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
