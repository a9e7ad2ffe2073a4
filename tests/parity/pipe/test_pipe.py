"""pipe(8): what commands are given, as whom they run, and what is made of their end.

Source: pipe(8); sysexits(3); the log lines, notices and arguments of the reference.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Observation
from tests.parity.pipe.services import ARGUMENT_FLAGS, CONTENT_FLAGS, EXITS, REFUSED

pytestmark = [pytest.mark.reference, pytest.mark.root]

Piped = Callable[..., Observation]

_CONTENT = (
    "Subject: x\nReturn-Path: <there@x.example>\n\nFrom me\n>From you\n.\n..two\n.one\nFrom\n From\n" + 210 * "0123456789" + "\nend"
)


def _deliver(mta: Instance, *recipients: str, content: str = _CONTENT, sender: str = "user@ours.example") -> None:
    queue_id = mta.send_message(recipients, content, sender)
    mta.wait_for_log(rf"{queue_id}: to=<", count=len(recipients))
    mta.settle()


@pytest.mark.parametrize("service", CONTENT_FLAGS)
def test_content(piped: Piped, service: str) -> None:
    """flags= B D F O R X . >: what is added before the message, and in it."""

    def case(mta: Instance) -> None:
        _deliver(mta, f"User+Ext@{service.upper()}.example", sender='"odd sender"@client.example')

    seen = piped(case)
    assert "shown" in seen.delivered


@pytest.mark.parametrize("service", ARGUMENT_FLAGS)
def test_arguments(piped: Piped, service: str) -> None:
    """flags= h q u, and the value of each macro."""

    def case(mta: Instance) -> None:
        _deliver(mta, f'"User x+Ext"@{service.upper()}.example', sender='"Odd sender"@Client.example')

    piped(case)


@pytest.mark.parametrize("service", ["words", "pairs", "choice", "badmacro", "badsyntax", "noname", "emptyname", "upper", "order", "numbers"])
def test_macros(piped: Piped, service: str) -> None:
    """argv=: forms of macros, braces, and what cannot be expanded."""
    piped(lambda mta: _deliver(mta, f"user+ext@{service}.example"))


@pytest.mark.parametrize("service", ["many", "pairs", "several", "severalO", "plain"])
def test_several_recipients(piped: Piped, service: str) -> None:
    """An argument with a recipient's macro is there once for each; flags D and O need a limit of one."""
    names = ("one+x", "two", "Three+y+z")
    piped(lambda mta: _deliver(mta, *[f"{name}@{service}.example" for name in names]))


def test_one_recipient_at_a_time(piped: Piped) -> None:
    """<transport>_destination_recipient_limit = 1"""
    piped(lambda mta: _deliver(mta, "one@single.example", "two@single.example"))


@pytest.mark.parametrize("service", ["crlf", "octal"])
def test_end_of_line(piped: Piped, service: str) -> None:
    """eol="""
    piped(lambda mta: _deliver(mta, f"user@{service}.example"))


@pytest.mark.parametrize("service", ["nul", "nul2", "nul3", "noflag", "flagq", "flagf", "flagr"])
def test_the_null_sender(piped: Piped, service: str) -> None:
    """null_sender="""
    piped(lambda mta: _deliver(mta, f"user@{service}.example", sender=""))


@pytest.mark.parametrize("size", [700, 1500])
def test_size_limit(piped: Piped, size: int) -> None:
    """size="""
    lines = "0123456789abcdefghijklmno\n" * (size // 26)

    def case(mta: Instance) -> None:
        _deliver(mta, "user@small.example", content=f"Subject: x\n\n{lines}")

    piped(case)


@pytest.mark.parametrize("content", ["Subject: x\n\n", "\n", "Subject: x\n\nDelivered-To: user@flagd.example\n"])
def test_small_messages(piped: Piped, content: str) -> None:
    """A message without a body, and without a header."""
    piped(lambda mta: _deliver(mta, "user@flagd.example", content=content))


@pytest.mark.parametrize("before", ["user@flagd.example", "USER@FLAGD.example", "other@flagd.example"])
def test_loops(piped: Piped, before: str) -> None:
    """Flag D: a message that has been delivered to the recipient before is returned."""
    content = f"Delivered-To: {before}\nSubject: x\n\nx\n"
    piped(lambda mta: _deliver(mta, "user@flagd.example", content=content))


@pytest.mark.parametrize("service", EXITS)
def test_the_end_of_a_command(piped: Piped, service: str) -> None:
    """Exit statuses, signals, output with an enhanced status code, programs that cannot be run, time limits."""

    def case(mta: Instance) -> None:
        private = mta.config_directory / "private"
        private.write_text("#!/bin/sh\n")
        private.chmod(0o700)
        _deliver(mta, f"user@{service}.example", content="Subject: x\n\nx\n")

    piped(case)


@pytest.mark.parametrize("service", REFUSED)
def test_refused_attributes(piped: Piped, service: str) -> None:
    """No command runs as root or as the mail system; each attribute is known and has its value."""

    def case(mta: Instance) -> None:
        mta.send_message(f"user@{service}.example")
        mta.wait_for_log(r"pipe\[\d+\]: fatal: ")

    piped(case)


@pytest.mark.parametrize("service", ["where", "group", "there", "nowhere", "closed", "nochroot"])
def test_where_and_as_whom(piped: Piped, service: str) -> None:
    """user=, directory=, chroot=, environment, groups, signals, descriptors."""
    piped(lambda mta: _deliver(mta, f"user@{service}.example"))


def test_chroot(piped: Piped) -> None:
    """chroot=: the root directory is changed before the user, and directory= is inside."""

    def case(mta: Instance) -> str:
        # A root directory with nothing in it: the program cannot be found there, but the folder was entered.
        _deliver(mta, "user@chroot.example")
        return "".join(line.partition("]: ")[2] for line in mta.log_lines() if "execvp" in line)

    piped(case)


def test_the_time_limit_of_all(piped: Piped) -> None:
    """postconf(5) command_time_limit: for services that have none of their own."""
    piped(lambda mta: _deliver(mta, "user@lengthy.example"), command_time_limit="1s")


def test_a_program_in_a_jail(piped: Piped) -> None:
    """chroot=, directory=: the program is that of the jail, and sees nothing else."""

    def case(mta: Instance) -> str:
        jail = mta.directory / "jail"
        (jail / "inside/folder").mkdir(parents=True, exist_ok=True)
        said = subprocess.run(["ldd", "/bin/ls"], capture_output=True, text=True, check=True, timeout=60).stdout
        for name in ("/bin/ls", *re.findall(r"(/\S+) \(0x", said)):
            (jail / name[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, jail / name[1:])
        _deliver(mta, "user@jail.example")
        found = mta.wait_for_log(r"status=sent \(delivered via jail service \((.*)\)\)")[1]
        assert "folder" in found and "passwd" not in found
        return found

    piped(case)


@pytest.mark.parametrize("service", ["unread", "unread1"])
def test_much_content_that_nobody_reads(piped: Piped, service: str) -> None:
    """A command that closes its input gets no more, and its exit status counts."""
    content = "Subject: x\n\n" + 4000 * (60 * "x" + "\n")
    piped(lambda mta: _deliver(mta, f"user@{service}.example", content=content))


def test_much_content(piped: Piped) -> None:
    """Blocks of the content are put together without a seam."""
    lines = "".join(f"From line {number} {'.x' * (number % 1500)}\n.{number}\n" for number in range(1200))

    def case(mta: Instance) -> str:
        _deliver(mta, "user@flagall.example", content=f"Subject: x\n\n{lines}")
        return f"{(mta.mail_directory / 'shown').stat().st_size > 1_000_000}"

    piped(case)


@pytest.mark.parametrize("service", ["plain", "exit75", "badmacro"])
def test_probes(piped: Piped, service: str) -> None:
    """sendmail -bv asks what would happen; the command does not run."""

    def case(mta: Instance) -> bool:
        mta.run("sendmail", "-f", "user@ours.example", "-bv", f"user@{service}.example", input=b"Subject: x\n\nx\n")
        mta.wait_for_log(r"pipe\[\d+\]: \w+: to=<")
        mta.wait_until_empty()
        return (mta.mail_directory / "shown").exists()

    piped(case)


@pytest.mark.parametrize("service", ["plain", "flagx"])
def test_reports_of_success(piped: Piped, service: str) -> None:
    """Flag X: the command is the end of the way, and not a relay."""

    def case(mta: Instance) -> None:
        mta.dialogue(
            "EHLO client.example",
            "MAIL FROM:<user@ours.example> ENVID=abc RET=HDRS",
            f"RCPT TO:<user@{service}.example> NOTIFY=SUCCESS ORCPT=rfc822;other@client.example",
            "DATA",
            b"Subject: x\r\n\r\nx\r\n.\r\n",
            "QUIT",
            client="127.0.0.2",
        )
        mta.wait_for_log(r"status=sent \(delivered to maildir\)")
        mta.wait_until_empty()

    piped(case)


def test_export_environment(piped: Piped) -> None:
    """postconf(5) export_environment: names, and names with values."""
    piped(lambda mta: _deliver(mta, "user@where.example"), export_environment="TZ { GREETING = hello there }")


@pytest.mark.parametrize("table", ["regexp:{dir}/etc/outcomes", "fail:now"])
def test_a_status_filter(piped: Piped, table: str) -> None:
    """postconf(5) pipe_delivery_status_filter: other words, a failure that is no more final, codes that do not fit; no answer."""

    def case(mta: Instance) -> None:
        for service in ("code4", "exit67", "okay", "exit75"):
            _deliver(mta, f"user@{service}.example", content="Subject: x\n\nx\n")

    piped(case, pipe_delivery_status_filter=table)
