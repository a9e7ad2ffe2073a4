"""sendmail and postdrop leave the same records in maildrop as the reference's."""

from __future__ import annotations

import pytest

from tests.kit import spool
from tests.kit.instance import Instance
from tests.kit.parity import Parity

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
