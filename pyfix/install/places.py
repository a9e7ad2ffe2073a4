"""Where the parts of an installed mail system are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Places"]

_WHOLE_MACHINE = Path("/usr")


@dataclass(frozen=True, slots=True)
class Places:
    """Folders and files of one installation."""

    prefix: Path
    """What its virtual environment, ``lib/pyfix``, is below."""
    commands: Path
    daemons: Path
    configuration: Path
    queue: Path
    data: Path
    manual: Path
    mailq: Path
    newaliases: Path
    aliases: Path
    units: Path | None
    """Where units of systemd go; None: nowhere."""

    @classmethod
    def below(cls, prefix: Path) -> Places:
        """Return those of ``make install PREFIX=...``: all below *prefix*; for ``/usr`` where Postfix has them."""
        root = Path("/") if prefix == _WHOLE_MACHINE else prefix
        binaries = prefix / ("bin" if prefix == _WHOLE_MACHINE else "sbin")
        configuration = root / "etc/postfix"
        return cls(
            prefix=prefix,
            commands=prefix / "sbin",
            daemons=prefix / "libexec/postfix",
            configuration=configuration,
            queue=root / "var/spool/postfix",
            data=root / "var/lib/postfix",
            manual=prefix / "share/man",
            mailq=binaries / "mailq",
            newaliases=binaries / "newaliases",
            aliases=Path("/etc/aliases") if prefix == _WHOLE_MACHINE else configuration / "aliases",
            units=prefix / "lib/systemd/system" if prefix == _WHOLE_MACHINE else None,
        )

    def parameters(self) -> dict[str, str]:
        """Return what main.cf has to say of them."""
        aliases = f"hash:{self.aliases}"
        return {
            "queue_directory": str(self.queue),
            "data_directory": str(self.data),
            "daemon_directory": str(self.daemons),
            "command_directory": str(self.commands),
            "sendmail_path": str(self.commands / "sendmail"),
            "mailq_path": str(self.mailq),
            "newaliases_path": str(self.newaliases),
            "manpage_directory": str(self.manual),
            "meta_directory": str(self.configuration),
            "alias_maps": aliases,
            "alias_database": aliases,
        }
