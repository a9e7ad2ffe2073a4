"""Every typed parameter, with a bad value, in every daemon that reads it: the reference's fatal line is ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameter import Parameter
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Settings, Snapshot
from pyfix.config.startup import check_startup
from tests.kit import programs, requirements

pytestmark = [pytest.mark.reference, pytest.mark.root]

GOOD = 'fatal: chdir("/nonexistent"): No such file or directory'
"""What the reference's daemon says when main.cf is good: it has no queue here."""

DAEMONS = {
    "anvil": "anvil.AnvilSettings",
    "bounce": "bounce.BounceSettings",
    "cleanup": "cleanup.CleanupSettings",
    "discard": "mail.MailSettings",
    "dnsblog": "dnsblog.DnsblogSettings",
    "error": "mail.MailSettings",
    "flush": "flush.FlushSettings",
    "lmtp": "lmtp_client.LmtpClientSettings",
    "local": "local.LocalSettings",
    "nbdb_reindexd": "nbdb_reindexd.ReindexSettings",
    "oqmgr": "qmgr.QmgrSettings",
    "pickup": "mail.MailSettings",
    "pipe": "command_delivery.CommandServiceSettings",
    "postscreen": "postscreen.PostscreenSettings",
    "proxymap": "proxymap.ProxymapSettings",
    "qmgr": "qmgr.QmgrSettings",
    "qmqpd": "qmqpd.QmqpdSettings",
    "scache": "scache.ScacheSettings",
    "showq": "showq.ShowqSettings",
    "smtp": "smtp_client.SmtpClientSettings",
    "smtpd": "smtpd.SmtpdSettings",
    "spawn": "command_delivery.CommandServiceSettings",
    "tlsmgr": "tlsmgr.TlsmgrSettings",
    "tlsproxy": "tlsproxy.TlsproxySettings",
    "trivial-rewrite": "rewrite.RewriteSettings",
    "verify": "verify.VerifySettings",
    "virtual": "virtual.VirtualSettings",
}
"""Program to what it reads."""

START = {
    "compatibility_level": "3.11",
    "queue_directory": "/nonexistent",
    "myhostname": "a.example",
    "mynetworks": "127.0.0.1",
    "virtual_mailbox_base": "/nonexistent",
}
ASKED_FIRST = {"queue_directory", "compatibility_level", "myorigin", "virtual_mailbox_base"}
"""Parameters that test_bad_values.py is about, or without which no program goes so far."""


def views(program: str) -> type[Settings]:
    module, name = DAEMONS[program].split(".")
    found: type[Settings] = getattr(import_module(f"pyfix.config.parameters.{module}"), name)
    return found


def bad_values(parameter: Parameter[object]) -> list[str]:
    """Return values that are of another type or just out of range, and some that are just inside."""
    least, most = parameter.minimum, parameter.maximum
    match parameter.kind:
        case "int" | "long":
            beyond = [str(least - 1), str(least)] if least is not None else ["-1"]
            return ["abc", "", "99999999999999999999", *beyond, *([str(most + 1), str(most)] if most else [])]
        case "time":
            beyond = [f"{least - 1}s"] if least is not None else ["-1"]
            return ["10q", "", *beyond, *([f"{most + 1}s"] if most else [])]
        case "bool":
            return ["maybe", ""]
        case _:
            return [""] if parameter.minimum else []


def cases(program: str) -> Iterator[tuple[str, str]]:
    """Yield name and value, one value of each parameter and all of every fourth; what all programs read, in smtpd and a part in those that read no more."""
    shared = MailSettings.parameters()
    read = views(program).parameters()
    few = program == "smtpd" or read.keys() <= shared.keys()
    number = 0
    for attribute, parameter in read.items():
        values = bad_values(parameter)
        if not values or parameter.name in ASKED_FIRST or parameter.legacy or parameter.own:
            continue
        if attribute in shared and not few and not parameter.readers:
            continue
        number += 1
        if few and program != "smtpd" and number % 16:
            continue
        for value in values if number % 4 == 0 else [values[number % len(values)]]:
            yield parameter.name, value


def write(folder: Path, name: str, value: str) -> None:
    folder.mkdir()
    main = {**START, **programs.settings("reference"), name: value}
    (folder / "main.cf").write_text("".join(f"{key} = {text}\n" for key, text in main.items()))
    (folder / "master.cf").write_text("")
    os.utime(folder / "main.cf", (1_000_000_000, 1_000_000_000))


def reference_says(program: str, folder: Path) -> list[str]:
    path = programs.daemon_directory("reference") / program
    environment = {**os.environ, "MAIL_CONFIG": str(folder), **programs.hasty("reference")}
    words = [str(path), "-S", "-V"]
    done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=20)
    lines = done.stderr.decode("utf-8", "surrogateescape").splitlines()
    return [line.partition(": ")[2] for line in lines]


def we_say(program: str, folder: Path) -> list[str]:
    try:
        snapshot = Snapshot.read(str(folder), process_name=program)
        check_startup(MailSettings(snapshot))
        views(program)(snapshot).check()
    except ConfigError as error:
        return [*(f"warning: {warning}" for warning in error.warnings), f"fatal: {error}"]
    return [GOOD]


@pytest.mark.parametrize("program", DAEMONS)
def test_bad_values(program: str, tmp_path: Path) -> None:
    """The same line, or none on both sides where the program does not read the parameter."""
    requirements.need_reference()
    chosen = list(cases(program))
    folders = [tmp_path / str(number) for number in range(len(chosen))]
    for folder, (name, value) in zip(folders, chosen, strict=True):
        write(folder, name, value)
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda folder: reference_says(program, folder), folders))
    ours = [we_say(program, folder) for folder in folders]
    assert len(chosen) >= 1
    different = [
        (name, value, theirs, mine)
        for (name, value), theirs, mine in zip(chosen, said, ours, strict=True)
        if theirs != mine
    ]
    assert not different


OWN = {
    "anvil": "anvil_rate_time_unit = 0",
    "bounce": "bounce_size_limit = abc",
    "cleanup": "header_size_limit = 0",
    "flush": "fast_flush_purge_time = x",
    "local": "expand_owner_alias = maybe",
    "qmgr": "default_destination_concurrency_limit = x",
    "scache": "connection_cache_status_update_time = 0",
    "showq": "duplicate_filter_limit = x",
    "smtpd": "smtpd_junk_command_limit = 0",
    "spawn": "command_delivery.CommandServiceSettings",
    "tlsmgr": "tls_random_bytes = 0",
    "trivial-rewrite": "default_transport =",
    "verify": "address_verify_cache_cleanup_interval = x",
    "virtual": "virtual_minimum_uid = 0",
}
"""A program of ours to a bad value of something that it reads."""


@pytest.mark.parametrize("program", OWN)
def test_a_daemon_does_not_start(program: str, tmp_path: Path) -> None:
    """The programs themselves, with an existing queue."""
    requirements.need_reference()
    said = []
    for kind in ("reference", "pyfix"):
        folder = tmp_path / kind
        folder.mkdir()
        main = {**START, **programs.settings(kind), "queue_directory": str(folder)}
        text = "".join(f"{key} = {value}\n" for key, value in main.items())
        (folder / "main.cf").write_text(f"{text}{OWN[program]}\n")
        (folder / "master.cf").write_text("")
        os.utime(folder / "main.cf", (1_000_000_000, 1_000_000_000))
        environment = {**os.environ, "MAIL_CONFIG": str(folder), **programs.hasty(kind)}
        path = programs.daemon_directory(kind) / program
        done = subprocess.run(
            [path, "-S", "-V"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=20
        )
        lines = done.stderr.decode("utf-8", "surrogateescape").splitlines()
        fatal = [line.partition("fatal: ")[2] for line in lines if "fatal: " in line]
        said.append((done.returncode, fatal))
    assert said[0] == said[1]
    assert said[0][0] == 1
