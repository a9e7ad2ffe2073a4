"""A private instance in a folder of its own, for whoever calls, root or not."""

from __future__ import annotations

import os
import sys
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pyfix.install import setgid
from pyfix.install.accounts import accounts_for_private_instance
from pyfix.install.launchers import COMMANDS, DAEMONS, LaunchTarget, write_launchers
from pyfix.install.layout import lay_out
from pyfix.install.settings_file import with_parameters, with_smtp_on


@dataclass(frozen=True, slots=True)
class PrivateInstance:
    """Where the parts of a private instance are."""

    folder: Path

    @property
    def config_directory(self) -> Path:
        """main.cf and master.cf."""
        return self.folder / "etc"

    @property
    def queue_directory(self) -> Path:
        """The queue."""
        return self.folder / "spool"

    @property
    def mail_spool_directory(self) -> Path:
        """The mailboxes of local users."""
        return self.folder / "mail"

    @property
    def command_directory(self) -> Path:
        """postfix, sendmail, postqueue and the others."""
        return self.folder / "bin"

    @property
    def daemon_directory(self) -> Path:
        """The daemons."""
        return self.folder / "libexec"


def lay_out_private(source: Path, folder: Path, port: int) -> PrivateInstance:
    """Make or renew a private instance in *folder* that runs the package in the checkout *source*.

    main.cf and master.cf are written once and then belong to the user.  Raises LookupError when root finds no user
    to give the instance to, and ValueError for a privileged port without root.
    """
    if port < 1024 and os.getuid() != 0:
        raise ValueError(f"port {port} needs root; choose one from 1024 up")
    instance = PrivateInstance(folder)
    accounts = accounts_for_private_instance()
    ids = accounts.ids() if os.getuid() == 0 else None
    for directory in (instance.config_directory, instance.mail_spool_directory):
        directory.mkdir(parents=True, exist_ok=True)
    instance.mail_spool_directory.chmod(0o1777 if os.getuid() == 0 else 0o700)
    packages = (source, Path(sysconfig.get_paths()["purelib"]))
    target = LaunchTarget(Path(sys.executable), packages, instance.config_directory)
    write_launchers("daemon", instance.daemon_directory, DAEMONS, target)
    write_launchers("command", instance.command_directory, COMMANDS, target)
    if ids is not None:
        with suppress(setgid.SetGidUnavailable):  # then only root and mail_owner can queue mail by command
            scripts = folder / "set-gid"
            setgid.install_commands(instance.command_directory, scripts, ids.setgid_group, target)
    lay_out(instance.queue_directory, folder / "data", ids, set_gid=True)
    main, master = instance.config_directory / "main.cf", instance.config_directory / "master.cf"
    if not main.exists():
        text = (source / "etc/postfix/main.cf").read_text()
        main.write_text(with_parameters(text, _parameters(instance, accounts.mail_owner, accounts.setgid_group)))
    if not master.exists():
        master.write_text(with_smtp_on((source / "etc/postfix/master.cf").read_text(), f"127.0.0.1:{port}"))
    return instance


def _parameters(instance: PrivateInstance, mail_owner: str, setgid_group: str) -> dict[str, str]:
    return {
        "queue_directory": str(instance.queue_directory),
        "data_directory": str(instance.folder / "data"),
        "daemon_directory": str(instance.daemon_directory),
        "command_directory": str(instance.command_directory),
        "sendmail_path": str(instance.command_directory / "sendmail"),
        "mailq_path": str(instance.command_directory / "mailq"),
        "newaliases_path": str(instance.command_directory / "newaliases"),
        "mail_owner": mail_owner,
        "setgid_group": setgid_group,
        "inet_interfaces": "loopback-only",
        "mynetworks": "127.0.0.0/8 [::1]/128",
        "mydestination": "$myhostname, localhost.$mydomain, localhost",
        "mail_spool_directory": str(instance.mail_spool_directory),
        "alias_maps": "",
        "alias_database": "",
        "maillog_file": "/dev/stdout",
    }
