"""``postfix explain`` and ``postfix check --doctor`` of an ordinary user's system, whose user may not read a table or a key."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.instance import Instance

pytestmark = [pytest.mark.root]

USER = 61_000
QUESTION = ("explain", "--client", "192.0.2.1", "--sender", "a@b.example", "--recipient", "user@ours.example")
DENIED = "{dir}/etc/secret: Permission denied"
UNAVAILABLE = f"is unavailable. open database {DENIED}"
READ = "{dir}/etc/secret can't be read by the user of this mail system"
CASES: dict[str, tuple[dict[str, str], str, str]] = {
    "the keys of rewritten senders": (
        {"pyfix_srs_domain": "ours.example", "pyfix_srs_key_file": "{dir}/etc/secret"},
        f"fatal: explain: smtpd would not start: pyfix_srs_key_file: cannot read {DENIED}",
        f"error: pyfix_srs_key_file: cannot read {DENIED}",
    ),
    "an access table": (
        {"smtpd_recipient_restrictions": "check_recipient_access texthash:{dir}/etc/secret"},
        f"log: warning: texthash:{{dir}}/etc/secret {UNAVAILABLE}",
        f"error: smtpd_recipient_restrictions: texthash:{{dir}}/etc/secret: {READ}",
    ),
    "an indexed table": (
        {"smtpd_sender_restrictions": "check_sender_access hash:{dir}/etc/secret"},
        "open database {dir}/etc/secret.db: Permission denied",
        "error: smtpd_sender_restrictions: hash:{dir}/etc/secret: {dir}/etc/secret.db can't be read by the user of this mail system",
    ),
    "patterns": (
        {"transport_maps": "regexp:{dir}/etc/secret"},
        f"regexp:{{dir}}/etc/secret is unavailable. open {DENIED}",
        f"error: transport_maps: regexp:{{dir}}/etc/secret: {READ}",
    ),
    "the settings of a database": (
        {"virtual_mailbox_maps": "sqlite:{dir}/etc/secret"},
        f"sqlite:{{dir}}/etc/secret is unavailable. open {DENIED}",
        f"error: virtual_mailbox_maps: sqlite:{{dir}}/etc/secret: {READ}",
    ),
}


@pytest.fixture
def mta(new_instance: Callable[..., Instance]) -> Instance:
    found = new_instance(files={"secret": "user@ours.example OK\n"}, user=USER)
    found.run("postmap", f"hash:{found.config_directory}/secret")
    for name in ("secret", "secret.db"):
        path: Path = found.config_directory / name
        os.chown(path, 0, 0)
        path.chmod(0o600)
    return found


def _said(mta: Instance, *words: str) -> tuple[int, str]:
    done: subprocess.CompletedProcess[bytes] = mta.run("postfix", *words)
    text = (done.stdout + done.stderr).decode()
    assert "Traceback" not in text, text
    return done.returncode, text.replace(str(mta.directory), "{dir}")


def test_unreadable(mta: Instance) -> None:
    """Both say which file it is, and what keeps them from reading it."""
    before = dict(mta.main)
    for name, (settings, explained, found) in CASES.items():
        mta.main = {**before, **settings}
        mta.write_main()
        status, text = _said(mta, *QUESTION)
        assert status == (1 if "fatal" in explained else 2) and explained in text, (name, status, text)
        status, text = _said(mta, "check", "--doctor")
        assert status == 3 and found in " ".join(text.split()) and text.endswith("1 error.\n"), (name, status, text)


def test_no_configuration(mta: Instance) -> None:
    """main.cf itself."""
    path = mta.config_directory / "main.cf"
    os.chown(path, 0, 0)
    path.chmod(0o600)
    for words in (QUESTION, ("check", "--doctor")):
        status, text = _said(mta, *words)
        assert status == 1 and "fatal: " in text, text
