"""sendmail and postdrop leave the same records in maildrop as the reference's."""

from __future__ import annotations

import subprocess

import pytest

from tests.kit import spool
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]

CASES = {
    "verify": (("-bv", "user@ours.example", "b@c.example"), b"body?\n"),
    "recipients in lists and a From_ line": (
        ("a@b.example, c@d.example", "user", "Foo Bar <x@y.example>"),
        b"From x Mon\nFrom y\nSubject: x\n\nFrom me\r\nbody\nnoeol",
    ),
    "recipients of headers": (
        ("-t",),
        b'From: me\nTo: x@hold.example,\n  "A B" <q@z.example>, grp: m1@x.example, m2@x.example;\n'
        b"Cc: cc\nBcc: y@hold.example\n\nhello\nTo: q\n",
    ),
    "resent": (("-t", "argv@x.example"), b"To: x@hold.example\nBcc: y@hold.example\nResent-To: r@x.example\n\nhello\n"),
    "no recipients in headers": (("-t",), b"Subject: x\n\nhello\nTo: q\n"),
    "null sender, dots, a long line": (("-f", "", "-i", "u@x.example"), b"Subject: x\n\n.\nTo: q\n" + b"y" * 2100 + b"\n"),
    "empty": (("-f", "<>", "u@x.example"), b""),
    "options": (
        ("-f", "Me <me@here.example>", "-XV", "-G", "-O", "smtputf8=yes", "-O", "requiretls=no", "u@x.example"),
        b"x: y\n",
    ),
    "old VERP option": (("-V+=", "u@x.example"), b"x: y\n"),
    "DSN": (
        ("-F", "Full Name", "-R", "hdrs", "-V", "envid1", "-N", "failure,delay", "-B", "8BITMIME", "-v", "x@y.example"),
        b"From: me\n\nhello\n.\nlost",
    ),
    "quoted": (("-f", '"a b"@here.example', '"c d"@x.example'), b"x: y\n"),
    "no recipient": ((), b"hello\n"),
    "bad notify": (("-N", "foo", "user@ours.example"), b"x\n"),
    "cron": (("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"), b"From: root (Cron Daemon)\nTo: root\n\nhi\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_records_in_maildrop(parity: Parity, name: str) -> None:
    arguments, content = CASES[name]

    def case(mta: Instance) -> list[str]:
        if mta.is_running:
            mta.stop()
        done = mta.run("sendmail", *arguments, input=content)
        seen = [done.stdout.decode(), done.stderr.decode(), str(done.returncode)]
        folder = mta.queue_directory / "maildrop"
        for path in folder.iterdir():
            seen.append(oct(path.stat().st_mode))
            seen += [f"{record.kind} {record.data!r}" for record in spool.records(path) if record.kind != "T"]
            path.unlink()
        return seen

    parity(case, main={"compatibility_level": "3.6"})


@pytest.mark.parametrize("option", ["-bd", "-bl", "-bd -q1h", "-bl x"])
@pytest.mark.parametrize("runs", [True, False])
def test_starting_the_mail_system(parity: Parity, option: str, runs: bool) -> None:
    """The exit status does not say what became of it."""

    def case(mta: Instance) -> tuple[int, bool, bool]:
        if not runs:
            mta.stop()
        done = mta.run("sendmail", *option.split())
        started = wait_until(mta.is_running, 1.0) if runs or " x" not in option else mta.is_running()
        already = b"fatal: the Postfix mail system is already running" in done.stderr
        if started:
            wait_until(lambda: len(mta.pids_of("master")) == 1, 2.0)  # the real one forks before it hears signals
            mta.stop()
        return done.returncode, started, already

    parity(case, fresh=True)


@pytest.mark.parametrize("option", ["-bd", "-bp", "-q", "-bi"])
def test_programs_that_are_not_there(parity: Parity, option: str) -> None:
    def case(mta: Instance) -> tuple[int, str]:
        program = mta.command_directory / "sendmail"
        config = mta.directory / "elsewhere"
        config.mkdir(exist_ok=True)
        main = mta.main | {"command_directory": "/nonexistent", "alias_database": "texthash:/nonexistent"}
        text = "".join(f"{name} = {value}\n" for name, value in main.items())
        (config / "main.cf").write_text(text.replace("{dir}", str(mta.directory)))
        environment = mta.environment | {"MAIL_CONFIG": str(config)}
        done = subprocess.run([program, option], env=environment, capture_output=True, check=False, cwd="/", timeout=60)
        return done.returncode, done.stderr.decode()

    parity(case)
