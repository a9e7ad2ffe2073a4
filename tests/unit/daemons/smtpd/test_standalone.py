"""sendmail -bs: a session on pipes, and a message by way of postdrop(1)."""

from __future__ import annotations

import os
import sys

import pytest

from pyfix.daemons.smtpd import daemon as smtpd
from pyfix.daemons.smtpd.standalone import StandardStream
from pyfix.formats.records import read_records
from pyfix.runtime.stream import StreamClosed, StreamTimeout
from pyfix.runtime.task import run_now
from tests.unit.commands.running import Done, call
from tests.unit.daemons.running import System

POSTDROP = """\
#!{python} -IS
import os
os.write(1, b"protocol\\0postdrop_protocol\\0queue_id\\0ABC123\\0\\0")
data = b""
while not data.endswith(b"E\\0") and (more := os.read(0, 65536)):
    data += more
open({got!r}, "wb").write(data)
os.write(1, b"status\\0000\\0reason\\0\\0\\0")
"""


@pytest.fixture
def mail(system: System) -> System:
    postdrop = system.folder / "postdrop"
    postdrop.write_text(POSTDROP.format(python=sys.executable, got=f"{system.folder}/got"))
    postdrop.chmod(0o755)
    system.write_main(command_directory=system.folder, virtual_mailbox_domains="ours.example")
    return system


def run(mail: System, *lines: str) -> Done:
    def main(_argv: object) -> int:
        return smtpd.main(["-S"])

    data = "".join(f"{line}\r\n" for line in lines).encode()
    return call(main, input=data, environment={"MAIL_CONFIG": str(mail.folder)})


def test_a_session(mail: System) -> None:
    done = run(mail, "EHLO x", "NOOP", "VRFY any@where.example", "QUIT")
    assert done.status == 0
    lines = done.lines
    assert lines[0] == "220 mail.ours.example ESMTP Postfix"
    assert lines[-3:] == ["250 2.0.0 Ok", "252 2.0.0 any@where.example", "221 2.0.0 Bye"]


def test_no_restriction_counts(mail: System) -> None:
    """The caller may send where it likes: it could use sendmail as well."""
    done = run(mail, "MAIL FROM:<a@b>", "RCPT TO:<x@elsewhere.example>", "RSET", "QUIT")
    assert done.lines[1:] == ["250 2.1.0 Ok", "250 2.1.5 Ok", "250 2.0.0 Ok", "221 2.0.0 Bye"]
    assert not (mail.folder / "got").read_bytes().endswith(b"E\0"), "RSET took it back"


def test_a_message(mail: System) -> None:
    done = run(mail, "HELO x", "MAIL FROM:<a@x> BODY=8BITMIME", "RCPT TO:<r@y>", "DATA", "Subject: hi", "", "body", ".", "QUIT")
    assert done.lines[-2:] == ["250 2.0.0 Ok: queued as ABC123", "221 2.0.0 Bye"]
    records = [(chr(one.kind), one.data) for one in read_records((mail.folder / "got").read_bytes())]
    assert records[:5] == [
        ("S", b"a@x"), ("A", b"encoding=8bit"), ("A", b"dsn_orig_rcpt=rfc822;r@y"), ("R", b"r@y"), ("M", b""),
    ]  # fmt: skip
    assert records[-5:] == [("N", b"Subject: hi"), ("N", b""), ("N", b"body"), ("X", b""), ("E", b"")]


def test_etrn_is_for_others(mail: System) -> None:
    assert run(mail, "ETRN x.example").lines[-1] == "458 Unable to queue messages"


def test_the_end_of_input_ends_the_session(mail: System) -> None:
    assert run(mail, "NOOP").status == 0


def test_stream() -> None:
    (source, writer), (reader, sink) = os.pipe(), os.pipe()
    stream = StandardStream(0.01, source, sink)
    stream.write(b"220 hello\r\n")
    os.write(writer, b"QUIT\r\n")
    assert run_now(stream.read()) == b"QUIT\r\n"
    assert os.read(reader, 100) == b"220 hello\r\n", "what was written leaves before the next read"
    with pytest.raises(StreamTimeout):
        run_now(stream.read())
    os.close(writer)
    assert run_now(stream.read()) == b""
    os.close(reader)
    stream.write(b"x")
    with pytest.raises(StreamClosed, match="Broken pipe"):
        stream.flush()
    stream.write(b"x")
    run_now(stream.close_when_sent())
    os.close(source)
    os.close(sink)
