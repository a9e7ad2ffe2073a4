"""postconf(1) in a folder with both of its files, and what it reads of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.commands.postconf import main
from pyfix.commands.postconf.configuration import Configuration

MAIN_CF = "compatibility_level = 3.11\nmail_name =  x   $a\na = 1\nunused = 2\nsmtp_use_tls = no\n"
MASTER_CF = "foo unix - - n - - smtpd -o mail_name=$a -o lost=1\nfoo inet n - n - - smtpd -o a=2 -o mail_name=$a\n"
CONF = "--"


@pytest.fixture
def postconf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, list[str], list[str]]]:
    """Run the command in a folder with both files; returns status, lines, warnings."""
    monkeypatch.setattr(sys, "argv", ["postconf"])
    monkeypatch.setenv("MAIL_CONFIG", "/nonexistent")
    (tmp_path / "main.cf").write_text(MAIN_CF)
    (tmp_path / "master.cf").write_text(MASTER_CF)

    def run(*arguments: str) -> tuple[int, list[str], list[str]]:
        status = main(["-c", str(tmp_path), *arguments])
        out, err = capsys.readouterr()
        assert os.environ["MAIL_CONFIG"] == str(tmp_path)
        lines = [line.removeprefix("postconf: ").replace(f"{tmp_path}/", "") for line in err.splitlines()]
        return status, out.splitlines(), lines

    return run


Run = Callable[..., tuple[int, list[str], list[str]]]
UNUSED = [
    "warning: main.cf: unused parameter: unused=2",
    "warning: master.cf: unused parameter: lost=1",
    'warning: main.cf: support for parameter "smtp_use_tls" will be removed; '
    'instead, specify "smtp_tls_security_level"',
    "warning: See https://www.postfix.org/DEPRECATION_README.html for details",
]


@pytest.fixture
def read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[Configuration, list[str]]]:
    """Read both files and return what they mean and the warnings, file names without the folder."""
    monkeypatch.setattr(sys, "argv", ["postconf"])

    def run(main_cf: str, master_cf: str = "", overrides: tuple[str, ...] = ()) -> tuple[Configuration, list[str]]:
        (tmp_path / "main.cf").write_text(main_cf)
        (tmp_path / "master.cf").write_text(master_cf)
        configuration = Configuration(str(tmp_path))
        configuration.read_main(overrides)
        configuration.read_master(needed=True)
        configuration.declare()
        configuration.find_user_names()
        lines = capsys.readouterr().err.replace(f"{tmp_path}/", "").splitlines()
        return configuration, [line.removeprefix("postconf: warning: ") for line in lines]

    return run


Read = Callable[..., tuple[Configuration, list[str]]]
