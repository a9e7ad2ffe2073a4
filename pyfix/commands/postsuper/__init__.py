"""postsuper(1): delete, hold, release, requeue and expire messages, and put the queue in order; for the superuser."""

from __future__ import annotations

import os
import signal
import sys

from pyfix.commands.postsuper.messages import Keeper
from pyfix.commands.postsuper.progress import Progress
from pyfix.commands.postsuper.sweep import Sweep
from pyfix.config.snapshot import default_config_directory
from pyfix.formats.queueid import is_valid
from pyfix.queue.spool import ACTIVE, BOUNCE, DEFER, DEFERRED, FLUSH, HOLD, INCOMING, MAILDROP, TRACE, Spool
from pyfix.runtime.console import CommandError, enter_queue, parse_options, read_settings, run_command
from pyfix.runtime.log import log

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from pyfix.config.snapshot import Snapshot

_USAGE = (
    "usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] "
    "[-f queue_id (expire and/or un-hold)] [-h queue_id (hold)] [-H queue_id (un-hold)] "
    "[-p (purge temporary files)] [-r queue_id (requeue)] "
    "[-s (structure fix)] [-S (redundant structure fix)][-v (verbose)] [queue...]"
)
_KNOWN = (DEFER, BOUNCE, MAILDROP, INCOMING, ACTIVE, DEFERRED, HOLD, FLUSH, TRACE)
_ORDER = (DEFER, BOUNCE, MAILDROP, INCOMING, ACTIVE, DEFERRED, HOLD, FLUSH)
"""What is gone through when no queue is named; trace(8)'s logs are not among it."""
_RESERVED = "use of this command is reserved for the superuser"
_STEPS = {"d": "d", "e": "e", "f": "eH", "h": "h", "H": "H", "r": "r"}
"""The actions that each option consists of."""
_INCOMPLETE = "OPERATION INCOMPLETE -- RERUN COMMAND TO FIX THE QUEUE FIRST"
_INTERRUPTIONS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


def main(argv: Sequence[str]) -> int:
    """Run postsuper with the arguments after its name; return the exit status.

    0: done; 1: not done, or not all of it; the number of the signal that ended it.  Source: postsuper(1).
    """
    return run_command("postsuper", lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    complaints: list[str] = []
    options, queues = parse_options(argv, "c:d:e:f:h:H:pr:sSv", complaints=complaints)
    folder = dict(options).get("c")
    try:
        snapshot = _enter(folder, complaints)
    except CommandError:
        if os.getuid() != 0 and not _is_own(folder or default_config_directory()):
            raise CommandError(_RESERVED) from None
        raise
    # A system that an ordinary user laid out for himself is his own.
    if os.getuid() != 0 and not _is_own("."):
        raise CommandError(_RESERVED)
    for queue in queues:
        if queue not in _KNOWN:
            raise CommandError(f"invalid directory name: {queue}")
    os.umask(0o077)
    hashed = snapshot.value("hash_queue_names").replace(",", " ").split()
    spool = Spool(hashed, int(snapshot.value("hash_queue_depth")))
    letters = {letter for letter, _value in options}
    progress = Progress(sys.stderr, wanted="v" not in letters)
    sweep = Sweep(
        spool, queues or _ORDER, progress,
        long_ids=snapshot.value("enable_long_queue_ids").lower() == "yes", verbose="v" in letters,
    )  # fmt: skip
    _become_owner(snapshot.value("mail_owner"))
    _heed_signals(sweep, progress)
    requests = [(letter, value) for letter, value in options if letter in _STEPS]
    try:
        _put_in_order(sweep, letters, acts=bool(requests))
        if sweep.names_changed and any(value != "ALL" for _letter, value in requests):
            log.error("QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS")
            raise CommandError("CHECK YOUR QUEUE IDS AND RE-ISSUE THE COMMAND")
        keeper = Keeper(spool, queues, progress, sweep.counts)
        for letter, value in requests:
            _act(sweep, keeper, letter, value)
    except CommandError as error:
        if not sweep.names_changed:
            raise
        log.fatal(str(error))
        log.warning(_INCOMPLETE)
        return error.status
    finally:
        progress.clear()
    sweep.counts.report()
    if sweep.names_changed:
        log.warning("QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS")
    return 0


def _enter(folder: str | None, complaints: Sequence[str]) -> Snapshot:
    """Read main.cf and go to the queue.  Raises CommandError, also for *complaints* about the command line."""
    if complaints:
        if os.getuid() == 0:
            print(f"postsuper: {complaints[0]}", file=sys.stderr)
        raise CommandError(_USAGE)
    if folder is not None and not folder.startswith("/"):
        raise CommandError("-c requires absolute pathname")
    snapshot = read_settings("postsuper", folder)
    enter_queue(snapshot)
    return snapshot


def _is_own(folder: str) -> bool:
    try:
        return os.stat(folder).st_uid == os.getuid()
    except OSError:
        return False


def _put_in_order(sweep: Sweep, letters: set[str], *, acts: bool) -> None:
    """Do what -p, -s and -S ask for, which is done before anything else; without any option -p and -s."""
    neither = not acts and not letters & set("psS")
    purge, structure = neither or "p" in letters, neither or bool(letters & set("sS"))
    if not purge and not structure:
        return
    sweep.put_in_order(purge=purge, structure=structure, with_long_ids="S" in letters)


def _act(sweep: Sweep, keeper: Keeper, letter: str, value: str) -> None:
    """Do what an option asks for a queue id, for those on standard input (-), or for all (ALL)."""
    steps = _STEPS[letter]
    if value == "ALL":
        sweep.act(steps)
        return
    for step in steps:
        keeper.counts.expect(step)
    for queue_id in _lines() if value == "-" else (value,):
        for step in steps:
            if is_valid(queue_id):
                keeper.act(step, queue_id)
            else:
                log.warning(f"invalid mail queue id: {queue_id}")


def _lines() -> Iterator[str]:
    """Yield the queue ids on standard input as they come: who writes them may wait for what becomes of each."""
    for line in sys.stdin.buffer:
        yield line.removesuffix(b"\n").decode("utf-8", "surrogateescape")


def _become_owner(mail_owner: str) -> None:
    """Work with the rights of the files' owner, as the daemons do."""
    if os.getuid() == 0:
        import pwd

        try:
            owner = pwd.getpwnam(mail_owner)
        except KeyError:
            raise CommandError(f"unknown user name: {mail_owner}") from None
        os.setgroups([owner.pw_gid])
        os.setegid(owner.pw_gid)
        os.seteuid(owner.pw_uid)


def _heed_signals(sweep: Sweep, progress: Progress) -> None:
    """When interrupted, say so where file names are half changed, and end with the number of the signal."""

    def interrupted(number: int, _frame: FrameType | None) -> None:
        progress.clear()
        if sweep.names_changed:
            log.warning(_INCOMPLETE)
        os._exit(number)

    for number in _INTERRUPTIONS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupted)
