"""``-o name=value`` of a daemon: forms, order and evaluation.  A bad number shows what a value has come to."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.kit import programs, requirements

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIN = "smtpd_recipient_limit = $x$y\nx = main\ny =\n"
OPTIONS: tuple[tuple[str, ...], ...] = (
    ("-o", "x=one"),
    ("-o", "x=one", "-o", "x=two"),
    ("-ox=one",),
    ("-o", "{ x = one two }"),
    ("-o", "{x=one}"),
    ("-o{x = one}",),
    ("-o", "x = one"),
    ("-o", "x="),
    ("-o", "x=$z", "-o", "z=later"),
    ("-o", "x=$y", "-o", "y=1x"),
    ("-o", "smtpd_recipient_limit=$x-own"),
    ("-o", "smtpd_recipient_limit=$myhostname", "-o", "myhostname=a.b"),
    ("-o", "smtpd_recipient_limit=${service_name}.$process_name"),
    ("-n", "here", "-o", "smtpd_recipient_limit=${service_name}.$process_name"),
    ("-o", "service_name=own", "-o", "smtpd_recipient_limit=$service_name"),
    ("-n", "here", "-o", "service_name=own", "-o", "smtpd_recipient_limit=$service_name"),
    ("-o", "process_name=own", "-o", "smtpd_recipient_limit=$process_name"),
    ("-o", "stress=yes", "-o", "smtpd_recipient_limit=${stress?stressed}"),
    ("-o", "stress=", "-o", "smtpd_recipient_limit=${stress?{stressed}:{calm}}"),
    ("-o", "smtpd_recipient_limit=x#y"),
    ("-o", "x"),
    ("-o", "=x"),
    ("-o", "x y=z"),
    ("-o", "{x=one"),
    ("-o", "{x=one}two"),
    ("-o", "{x}"),
    ("-o", "{}"),
    ("-o", "x={one}"),
    ("-o", "{ x = {one} }"),
    ("-o", "compatibility_level=abc"),
    ("-o", "mail_owner=nosuch"),
    ("-o", "config_directory=/elsewhere", "-o", "smtpd_recipient_limit=$config_directory"),
    ("-o", "smtpd_recipient_limit=$smtpd_recipient_limit"),
    ("-o", "smtpd_recipient_limit=${x"),
    ("-vo", "x=one"),
)


def said(kind: str, folder: Path, options: tuple[str, ...]) -> list[str]:
    """Return what smtpd of one side says, started by hand."""
    program = programs.daemon_directory(kind) / "smtpd"
    environment = {"PATH": "/usr/bin:/bin", "MAIL_CONFIG": str(folder), **programs.hasty(kind)}
    done = subprocess.run(
        [program, "-S", "-V", *options], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
    )
    lines = done.stderr.decode().replace(str(folder), "PLACE").splitlines()
    return [text for line in lines if (text := line.partition(": ")[2]).startswith(("fatal", "warning", "error"))]


def test_overrides(tmp_path: Path) -> None:
    requirements.need_reference()
    folders = {}
    for kind in ("reference", "pyfix"):
        folder = folders[kind] = tmp_path / kind
        folder.mkdir()
        settings = "".join(f"{name} = {value}\n" for name, value in programs.settings(kind).items())
        start = f"compatibility_level = 3.11\nqueue_directory = {folder}\nmynetworks = 127.0.0.1\n"
        (folder / "main.cf").write_text(settings + start + MAIN)
        (folder / "master.cf").write_text("")
        os.utime(folder / "main.cf", (1_000_000_000, 1_000_000_000))
    with ThreadPoolExecutor(2) as pool:
        found = {kind: list(pool.map(lambda options: said(kind, folders[kind], options), OPTIONS)) for kind in folders}
    different = [
        (options, theirs, ours)
        for options, theirs, ours in zip(OPTIONS, found["reference"], found["pyfix"], strict=True)
        if theirs != ours
    ]
    assert not different
    assert sum("bad numerical" in "".join(lines) for lines in found["reference"]) > 15
