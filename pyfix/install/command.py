"""pyfix-install(8): take the place of the Postfix of this machine, give it back, or be the first mail system.

    pyfix-install --replace     stop Postfix, let pyfix have its programs' places, start again
    pyfix-install --restore     the reverse
    pyfix-install --status      tell which of the two is in place
    pyfix-install --retake      take again what an upgrade of Postfix's package brought back; what its unit calls
    pyfix-install --system      install programs, manual and a first configuration below the parent of this environment

Configuration, aliases, spool and users stay as they are.  All but --system need root.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from pyfix.install import system
from pyfix.install.launchers import LaunchTarget
from pyfix.install.replacement.existing import Existing, NoPostfix, is_ours
from pyfix.install.replacement.keeping import DpkgDiversions, PlainFiles, keeping_of_this_machine
from pyfix.install.replacement.record import PLACE, Record
from pyfix.install.replacement.replace import Impossible, planned, replace, retake
from pyfix.install.replacement.restore import restore
from pyfix.install.replacement.service import MailService, ServiceFailed

__all__ = ["main"]

_POSTCONF = Path("/usr/sbin/postconf")
_SENDMAIL = Path("/usr/sbin/sendmail")
"""What other programs call, be it Postfix's or, by alternatives, of another mail system."""
_KEEPINGS = {kind.name: kind for kind in (DpkgDiversions, PlainFiles)}


def main(argv: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, 1 where something failed or ``--status`` finds Postfix itself, 2 for a wrong usage."""
    words = sys.argv[1:] if argv is None else list(argv)
    actions = {"--replace": _replace, "--restore": _restore, "--retake": _retake, "--status": _status}
    if words == ["--system"]:
        return _install_system(Path(sys.prefix))
    if len(words) != 1 or words[0] not in actions:
        print(__doc__, file=sys.stdout if words == ["--help"] else sys.stderr)
        return 0 if words == ["--help"] else 2
    if os.getuid() != 0:
        return _fail("needs root")
    try:
        return actions[words[0]](Record.read(PLACE))
    except (NoPostfix, Impossible) as reason:
        return _fail(f"{reason}; nothing was changed")
    except (OSError, ValueError, ServiceFailed) as error:
        undo = "; pyfix-install --restore gives Postfix back" if PLACE.exists() else ""
        return _fail(f"{error}{undo}")


def _install_system(environment: Path) -> int:
    """Install from what came with the package into its virtual *environment*, PREFIX/lib/pyfix."""
    source, prefix = environment / "share/pyfix", environment.parent.parent
    if environment != prefix / "lib/pyfix":
        return _fail(f"{environment} is not PREFIX/lib/pyfix: python3 -m venv PREFIX/lib/pyfix, and install there")
    if not source.is_dir():
        return _fail(f"there is no {source}: pyfix was not installed from a wheel")
    return system.main(source, prefix)


def _fail(text: str) -> int:
    print(f"pyfix-install: fatal: {text}", file=sys.stderr)
    return 1


def _tell(text: str) -> None:
    print(f"pyfix-install: {text}", flush=True)


def _replace(record: Record | None) -> int:
    if record is None:
        record = planned(Existing.find(_POSTCONF), keeping_of_this_machine())
    replace(record, _target(record), _KEEPINGS[record.keeping](), _service(record), PLACE, _tell)
    if _SENDMAIL.exists() and not is_ours(_SENDMAIL):
        other = f"{_SENDMAIL} is {_SENDMAIL.resolve()}, which is no program of Postfix"
        _tell(f"{other}: what is sent by it does not come to pyfix")
    _tell("pyfix-install --restore gives Postfix back")
    return 0


def _retake(record: Record | None) -> int:
    if record is not None and record.complete:
        retake(record, _target(record), _KEEPINGS[record.keeping](), PLACE, _tell)
    return 0


def _target(record: Record) -> LaunchTarget:
    packages = (Path(sysconfig.get_paths()["purelib"]),)
    return LaunchTarget(Path(sys.executable), packages, defaults=record.existing.defaults)


def _restore(record: Record | None) -> int:
    if record is None:
        return _fail("pyfix has not taken Postfix's place")
    restore(record, _KEEPINGS[record.keeping](), _service(record), PLACE, _tell)
    return 0


def _status(record: Record | None) -> int:
    if record is None:
        _tell("Postfix is itself")
        return 1
    others = [str(program.path) for program in record.programs if not program.taken]
    if others:
        _tell(f"pyfix has Postfix's place but for {' '.join(others)}: pyfix-install --replace takes these too")
        return 1
    _tell("pyfix has Postfix's place")
    return 0


def _service(record: Record) -> MailService:
    values = record.existing.values
    return MailService(Path(values["command_directory"]), Path(values["daemon_directory"]))


if __name__ == "__main__":
    sys.exit(main())
