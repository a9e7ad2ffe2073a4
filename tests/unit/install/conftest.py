from __future__ import annotations

import json
from pathlib import Path

import pytest

from pyfix.install.replacement.existing import Existing


@pytest.fixture
def existing(tmp_path: Path) -> Existing:
    """A Postfix below tmp_path, whose postconf answers from a table; its mailq is a link to sendmail."""
    commands, daemons = tmp_path / "sbin", tmp_path / "daemons"
    for folder in (commands, daemons):
        folder.mkdir()
    for name in ("sendmail", "postqueue", "postdrop", "postmap"):
        (commands / name).write_bytes(b"\x7fELF" + name.encode())
    for name in ("smtpd", "qmgr", "nqmgr", "master"):
        (daemons / name).write_bytes(b"\x7fELF" + name.encode())
    (tmp_path / "mailq").symlink_to(commands / "sendmail")
    values = {
        "command_directory": commands, "config_directory": "/etc/postfix", "daemon_directory": daemons,
        "data_directory": "/var/lib/postfix", "default_database_type": "lmdb", "html_directory": "no", "mail_owner": "postfix",
        "mailq_path": tmp_path / "mailq", "manpage_directory": "/usr/share/man", "meta_directory": "/etc/postfix",
        "newaliases_path": tmp_path / "newaliases", "openssl_path": "openssl", "queue_directory": "/var/spool/postfix",
        "readme_directory": "no", "sample_directory": "/etc/postfix", "sendmail_path": commands / "sendmail",
        "setgid_group": "postdrop", "shlib_directory": "no",
    }  # fmt: skip
    table = json.dumps({name: str(value) for name, value in values.items()})
    postconf = commands / "postconf"
    postconf.write_text(
        "#!/usr/bin/env python3\nimport json, sys\n"
        f"table = json.loads('''{table}''')\n"
        "for name in sys.argv[2:]:\n    print(name, '=', table[name])\n"
    )
    postconf.chmod(0o755)
    return Existing.find(postconf)
