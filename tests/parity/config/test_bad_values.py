"""What a daemon says about bad values in main.cf: the reference's smtpd against our start-up checks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.config.startup import check_startup
from tests.kit import programs, requirements

pytestmark = [pytest.mark.reference, pytest.mark.root]

ACCEPTED = 'fatal: chdir("/nonexistent"): No such file or directory'
"""What the reference's daemon says when main.cf is good: it has no queue here."""

LABEL = "a" * 63


def reference_says(folder: Path) -> list[str]:
    program = programs.daemon_directory("reference") / "smtpd"
    environment = {**os.environ, "MAIL_CONFIG": str(folder), **programs.hasty("reference")}
    done = subprocess.run(
        [program, "-S", "-V"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=20
    )
    lines = done.stderr.decode("utf-8", "surrogateescape").splitlines()
    return [line.partition(": ")[2] for line in lines]


def we_say(folder: Path) -> list[str]:
    try:
        snapshot = Snapshot.read(str(folder), process_name="smtpd")
        check_startup(SmtpdSettings(snapshot))
    except ConfigError as error:
        return [*(f"warning: {warning}" for warning in error.warnings), f"fatal: {error}"]
    return [ACCEPTED]


@pytest.mark.parametrize(
    "line",
    [
        "smtpd_recipient_limit = abc",
        "smtpd_recipient_limit = 0",
        "smtpd_recipient_limit = -5",
        "smtpd_recipient_limit = 99999999999",
        "smtpd_recipient_limit = 10x",
        "smtpd_recipient_limit =",
        "smtpd_recipient_limit = 0x10",
        "smtpd_recipient_limit = + 10",
        "smtpd_recipient_limit = +10",
        "smtpd_recipient_limit = $b\nb = 7x",
        "smtpd_recipient_limit = $nosuch",
        "smtpd_recipient_limit = ${x",
        "smtpd_recipient_limit = ${smtpd_recipient_limit}",
        "smtpd_recipient_limit = ${{x} <level {3} ? 1}",
        "smtpd_recipient_limit = ${{1} < {9999999999999999999999}}",
        "smtpd_delay_reject = maybe",
        "smtpd_delay_reject =",
        "smtpd_delay_reject = YES",
        "smtpd_timeout = 10q",
        "smtpd_timeout = abc",
        "smtpd_timeout = 0",
        "smtpd_timeout = 10ss",
        "smtpd_timeout = 1h1m",
        "smtpd_timeout = 5m3",
        "smtpd_timeout = s",
        "smtpd_timeout = 1 h",
        "smtpd_timeout = 1H",
        "smtpd_timeout = 1.5h",
        "smtpd_timeout = -0",
        "smtpd_timeout =",
        "smtpd_timeout = 2147483647",
        "smtpd_timeout = 2147483648",
        "smtpd_timeout = 35791394m",
        "smtpd_timeout = 35791393m",
        "smtpd_timeout = 24855d",
        "smtpd_timeout = 24854d",
        "message_size_limit = 99999999999999999999",
        "message_size_limit = -1",
        "message_size_limit = 12x",
        "smtpd_junk_command_limit = abc",
        "smtpd_junk_command_limit = 0",
        "smtpd_hide_client_session = maybe",
        "address_verify_poll_count = 0",
        "mail_name =",
        "default_rbl_reply =",
        "smtpd_banner =",
        "queue_directory =",
        "daemon_timeout = -1s",
        "hash_queue_depth = 0",
        "compatibility_level = abc",
        "compatibility_level = 3.99",
        "compatibility_level =",
        "mail_owner = nosuch",
        "mail_owner = root",
        "mail_owner = 994",
        "setgid_group = nosuch",
        "setgid_group = root",
        "setgid_group = postfix",
        "default_privs = root",
        "default_privs = postfix",
        "default_privs = nosuch",
        "default_privs = nosuch\nmail_owner = nosuch",
        "mail_owner = nosuch\nsetgid_group = nosuch",
        "mail_owner = nosuch\nhash_queue_depth = 0",
        "syslog_facility = nosuch",
        "syslog_facility = MAIL",
        "syslog_facility = x\nmyhostname = a..b",
        "myhostname =",
        "myhostname = a..b",
        "myhostname = a..b\nmail_owner = nosuch",
        "myhostname = a b",
        "myhostname = a*b",
        "myhostname = a_b.c",
        "myhostname = 123",
        "myhostname = 1.2.3.4",
        "myhostname = -a.b",
        "myhostname = a-.b",
        "myhostname = a.b.",
        "myhostname = .a.b",
        f"myhostname = {LABEL}.x",
        f"myhostname = a{LABEL}.x",
        "myhostname = bücher.example",
        "mydomain = ..\nmyhostname = a.b",
        "mydomain = 123\nmyhostname = a.b",
        "myorigin =",
        "myorigin = a b",
        "myorigin = a,b",
        "myorigin = /nonexistent",
        "mynetworks_style = foo",
        "mynetworks_style = foo\nmynetworks = 192.0.2.1",
        "mynetworks_style = foo\nmail_owner = nosuch",
        "inet_protocols = foo",
        "process_name = x",
    ],
)
def test_bad_value(line: str, tmp_path: Path) -> None:
    """The same warning and the same fatal text, or none on both sides."""
    requirements.need_reference()
    start = "compatibility_level = 3.11\n" if not line.startswith("compatibility_level") else ""
    if not line.startswith("queue_directory"):
        start += "queue_directory = /nonexistent\n"
    start += "".join(f"{name} = {value}\n" for name, value in programs.settings("reference").items())
    (tmp_path / "main.cf").write_text(f"{start}{line}\n")
    os.utime(tmp_path / "main.cf", (1_000_000_000, 1_000_000_000))
    assert we_say(tmp_path) == reference_says(tmp_path)
