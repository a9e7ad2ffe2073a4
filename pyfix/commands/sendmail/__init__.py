"""sendmail(1), mailq(1) and newaliases(1): the command-line interface that programs know from Sendmail."""

from __future__ import annotations

import os
import sys

from pyfix.commands.sendmail.options import (
    Request,
    check_verp_delimiters,
    find_configuration,
    read_options,
    take_options,
)
from pyfix.config.parameters.process import ProcessSettings
from pyfix.runtime.console import EX_TEMPFAIL, CommandError, enter_queue, read_settings, run_command
from pyfix.runtime.log import log
from pyfix.runtime.patientfork import fork_patiently
from pyfix.tables.localusers import check_user

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from pyfix.config.snapshot import Snapshot


def main(argv: Sequence[str]) -> int:
    """Run as sendmail, mailq or newaliases, by the name of this process; return the exit status.

    Source: sendmail(1).
    """
    called = os.path.basename(sys.argv[0])
    mode = {"mailq": "p", "newaliases": "i", "smtpd": "d"}.get(called, "m")
    return run_command("sendmail", lambda: _run(mode, argv), called=called)


def _run(mode: str, argv: Sequence[str]) -> int:
    # Options are looked through twice, for the configuration first: what is wrong with them is told of twice, too.
    folder = find_configuration(argv)
    if folder is not None:
        os.environ["MAIL_CONFIG"] = folder
    snapshot = read_settings("sendmail", folder, EX_TEMPFAIL)
    enter_queue(snapshot, EX_TEMPFAIL)
    check_verp_delimiters(snapshot)
    options, words = read_options(argv)
    request = Request(mode)
    take_options(request, options, snapshot)
    if request.from_headers and request.mode not in "mhH":
        raise CommandError("-t can be used only in delivery mode", EX_TEMPFAIL)
    match request.mode:
        case "p":
            _check_no_words(words, "display queue mode")
            _execute(snapshot, "postqueue", "-p")
        case "i":
            _check_no_words(words, "alias initialization mode")
            _newaliases(snapshot, request)
        case "d" | "l":
            _check_no_words(words, "daemon mode")
            return 0 if _start(snapshot) else 1
        case "s":
            _check_no_words(words, "stand-alone mode")
            _stand_alone(snapshot, request)
        case "q":
            _check_no_words(words, "flush queue mode")
            _flush(snapshot, request)
        case "h" | "H":
            return 0
    return _submit(snapshot, request, words)


def _check_no_words(words: Sequence[str], what: str) -> None:
    if words:
        raise CommandError(f"{what} requires no recipient", EX_TEMPFAIL)


def _check_submitter(snapshot: Snapshot) -> None:
    check_user(snapshot, "authorized_submit_users", "submit mail", EX_TEMPFAIL)


def _stand_alone(snapshot: Snapshot, request: Request) -> NoReturn:
    _check_submitter(snapshot)
    path = os.path.join(snapshot.value("daemon_directory"), "smtpd")
    try:
        os.execv(path, ["smtpd", "-S", *(["-v"] * max(request.verbose - 1, 0))])
    except OSError as error:
        raise CommandError(f"execv {path}: {error.strerror}", EX_TEMPFAIL) from error


def _execute(snapshot: Snapshot, name: str, *arguments: str) -> NoReturn:
    path = os.path.join(snapshot.value("command_directory"), name)
    try:
        os.execv(path, [name, *arguments])
    except OSError as error:
        raise CommandError(f"execv {path}: {error.strerror}", EX_TEMPFAIL) from error


def _start(snapshot: Snapshot) -> bool:
    """Start the mail system, unless there is no process to be had.

    Whether that succeeds is postfix(1)'s to say: callers look at its messages only.
    """
    path = os.path.join(snapshot.value("command_directory"), "postfix")
    settings = ProcessSettings(snapshot)
    sys.stdout.flush()
    pid = fork_patiently(path, settings.fork_attempts, settings.fork_delay)
    if pid == 0:
        try:
            os.execv(path, ["postfix", "-c", snapshot.config_directory, "start"])
        except OSError as error:
            log.fatal(f"execv {path}: {error.strerror}")
        finally:
            os._exit(1)
    if pid is not None:
        os.waitpid(pid, 0)
    return pid is not None


def _newaliases(snapshot: Snapshot, request: Request) -> NoReturn:
    databases = request.alias_maps if request.alias_maps is not None else snapshot.value("alias_database")
    tables = databases.replace(",", " ").split()
    if not tables:
        raise SystemExit(0)
    _execute(snapshot, "postalias", "--", *tables)


def _flush(snapshot: Snapshot, request: Request) -> NoReturn:
    if request.flush_id:
        _execute(snapshot, "postqueue", "-i", request.flush_id)
    if request.flush_site:
        _execute(snapshot, "postqueue", "-s", request.flush_site)
    _execute(snapshot, "postqueue", "-f")


def _submit(snapshot: Snapshot, request: Request, words: Sequence[str]) -> int:
    from pyfix.commands.sendmail.submission import Submission, submit

    verify = request.verify
    given_options = (
        (request.from_headers, "-t"), (request.notify, "-N"), (request.ret, "-R"), (request.verbose == 1, "-v"),
    )  # fmt: skip
    for given, option in given_options:
        if verify and given:
            raise CommandError(f"{option} option cannot be used with -bv", EX_TEMPFAIL)
    _check_submitter(snapshot)
    smtputf8, requiretls = request.smtputf8, request.requiretls
    if smtputf8 and not _is_on(snapshot, "smtputf8_enable"):
        log.warning("'-O smtputf8=yes' was requested, but the configuration is 'smtputf8_enable = no'")
        smtputf8 = False
    if requiretls and not _is_on(snapshot, "requiretls_enable"):
        log.warning("Ignoring option '-O requiretls=yes, because the configuration is 'requiretls_enable = no'")
        requiretls = False
    submission = Submission(
        sender=request.sender,
        full_name=request.full_name,
        recipients=words,
        from_headers=request.from_headers,
        encoding=request.encoding,
        notify=request.notify,
        ret=request.ret,
        envelope_id=request.envelope_id,
        verp=request.verp,
        dots=request.dots,
        context="remote" if request.gateway else "local",
        verify=verify,
        report=verify or request.verbose == 1,
        smtputf8=smtputf8,
        requiretls=requiretls,
    )
    return submit(snapshot, submission)


def _is_on(snapshot: Snapshot, parameter: str) -> bool:
    return snapshot.value(parameter).lower() == "yes"
