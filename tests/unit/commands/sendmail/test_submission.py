"""A message from sendmail(1) to postdrop(1); records as Postfix writes them are in tests/parity/commands."""

from __future__ import annotations

import pytest

from tests.unit.commands.sendmail.conftest import USER, WHO, Programs

SENDER = USER.pw_name.encode()


def test_a_message(programs: Programs) -> None:
    done = programs.run("a@x", "b@x, c@x", input=b"Subject: x\n\nhello\nFrom me\n.\nlost\n", NAME="Full Name")
    assert (done.status, done.out, done.err) == (0, b"", [])
    assert programs.records() == [
        ("A", b"rewrite_context=local"), ("F", b"Full Name"), ("S", SENDER), ("R", b"a@x"), ("R", b"b@x"), ("R", b"c@x"),
        ("M", b""), ("N", b"Subject: x"), ("N", b""), ("N", b"hello"), ("N", b"From me"), ("X", b""), ("E", b""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "records"),
    [
        (["-f", "s@x"], [("S", b"s@x")]), (["-r", "s@x"], [("S", b"s@x")]), (["-f", "<>"], [("S", b"")]),
        (["-f", ""], [("S", b"")]), (["-f", "Full <s@x>"], [("S", b"s@x")]), (["-f", '"a b"@x'], [("S", b"a b@x")]),
        (["-F", "Other"], [("F", b"Other")]), (["-G"], [("A", b"rewrite_context=remote")]),
        (["-B", "8BITMIME"], [("A", b"encoding=8bit")]), (["-B7BIT"], [("A", b"encoding=7bit")]),
        (["-N", "success,delay"], [("A", b"notify_flags=10")]), (["-Nnever"], [("A", b"notify_flags=1")]),
        (["-R", "hdrs"], [("A", b"ret_flags=2")]), (["-Rfull"], [("A", b"ret_flags=1")]),
        (["-V", "id123"], [("A", b"envelope_id=id123")]), (["-XV"], [("V", b"+=")]), (["-XV-+"], [("V", b"-+")]),
        (["-v"], [("A", b"trace_flags=1024")]),
        (["-O", "SMTPUTF8=yes"], [("C", b"%15d %15d %15d %15d %15d %15d" % (-1, -1, -1, -1, -1, 1))]),
        (["-O", "requiretls=YES"], [("C", b"%15d %15d %15d %15d %15d %15d" % (-1, -1, -1, -1, -1, 32))]),
        (["-om", "-oi", "-x", "-U", "-hx", "-px", "-Ax"], []),
    ],
)  # fmt: skip
def test_options(programs: Programs, argv: list[str], records: list[tuple[str, bytes]]) -> None:
    assert programs.run(*argv, "r@x").status == 0
    found = programs.records()
    assert [one for one in records if one not in found] == []
    assert found[-1] == ("E", b"")


def test_a_report_is_promised(programs: Programs) -> None:
    done = programs.run("-v", "-f", "s@x", "r@x")
    assert done.lines == ["Mail Delivery Status Report will be mailed to <s@x>."]


def test_verifying(programs: Programs) -> None:
    done = programs.run("-bv", "-f", "s@x", "a@x", "b@x", input=b"not read")
    assert done.lines == ["Mail Delivery Status Report will be mailed to <s@x>."]
    found = programs.records()
    assert ("A", b"trace_flags=512") in found
    assert found[-8:] == [
        ("M", b""), ("N", b"From: s@x"), ("N", b"Subject: probe"), ("L", b"To:"), ("N", b"\ta@x,"), ("N", b"\tb@x"),
        ("X", b""), ("E", b""),
    ]  # fmt: skip


def lines(programs: Programs) -> list[bytes]:
    found = programs.records()
    kinds = [kind for kind, _data in found]
    return [data for kind, data in found[kinds.index("M") + 1 : kinds.index("X")]]


@pytest.mark.parametrize(
    ("argv", "given", "written"),
    [
        ([], b"a\n.\nb\n", [b"a"]), (["-i"], b"a\n.\nb\n", [b"a", b".", b"b"]), (["-oi"], b"a\n.\nb\n", [b"a", b".", b"b"]),
        ([], b"a\n..\n", [b"a", b".."]), ([], b"a\n.", [b"a"]), ([], b"", []),
        ([], b"From me Mon\n>From x\nSubject: y\nFrom z\n", [b"Subject: y", b"From z"]),
        ([], b"a\r\nb\r\n", [b"a", b"b"]), ([], b"a\r\n.\r\nb\r\n", [b"a"]), ([], b"a\rb\n", [b"a\rb"]),
        ([], b"a\0b\xff\n", [b"a\0b\xff"]),
    ],
)  # fmt: skip
def test_content(programs: Programs, argv: list[str], given: bytes, written: list[bytes]) -> None:
    assert programs.run(*argv, "r@x", input=given).status == 0
    assert lines(programs) == written


@pytest.mark.parametrize(
    ("fix", "given", "written"),
    [
        ("never", b"a\r\n", [b"a\r"]), ("strict", b"a\nb\r\n", [b"a", b"b\r"]), ("strict", b"a\r\nb\n", [b"a", b"b"]),
        ("always", b"a\nb\r\n", [b"a", b"b"]),
    ],
)  # fmt: skip
def test_line_endings(programs: Programs, fix: str, given: bytes, written: list[bytes]) -> None:
    programs.mail.write_main(command_directory=programs.folder, sendmail_fix_line_endings=fix)
    programs.run("r@x", input=given)
    assert lines(programs) == written


def test_long_and_unterminated_lines(programs: Programs) -> None:
    programs.run("r@x", input=b"x" * 5000 + b"\n" + b"y" * 3000)
    kinds = [(kind, len(data)) for kind, data in programs.records() if data[:1] in (b"x", b"y")]
    assert kinds == [("L", 2048), ("L", 2048), ("N", 904), ("L", 2048), ("L", 952)]


@pytest.mark.parametrize(
    ("header", "recipients"),
    [
        (b"To: a@x, B <b@x>\nCc: c@x\nBcc: d@x\nFrom: f@x\n", ["a@x", "b@x", "c@x", "d@x"]),
        (b"To: a@x,\n\tb@x\nSubject: y\n", ["a@x", "b@x"]),
        (b"To: a@x\nResent-To: r@x\nResent-Cc: s@x\n", ["r@x", "s@x"]),
        (b"TO : a@x\n", ["a@x"]),
        (b"To: a@x\nResent-From: r@x\n", ["a@x"]),
        (b"To: a@x\nno header\nCc: b@x\n", ["a@x"]),
        (b"To: g: a@x, b@x;\n", ["a@x", "b@x"]),
        (b"To: a@x\n\nTo: no@x\n", ["a@x"]),
    ],
)
def test_recipients_of_the_header(programs: Programs, header: bytes, recipients: list[str]) -> None:
    assert programs.run("-t", input=header + b"\nbody\n").status == 0
    found = programs.records()
    after = found[[kind for kind, _data in found].index("X") :]
    assert [data.decode() for kind, data in after if kind == "R"] == recipients


def test_recipients_of_header_and_command_line(programs: Programs) -> None:
    assert programs.run("-t", "-Nnever", "c@x", input=b"To: a@x\n\n").status == 0
    assert [one for one in programs.records() if one[0] in "RA"][-4:] == [
        ("A", b"notify_flags=1"), ("R", b"c@x"), ("A", b"notify_flags=1"), ("R", b"a@x"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "given", "text"),
    [
        ([], b"x\n", "Recipient addresses must be specified on the command line or via the -t option"),
        (["-t"], b"Subject: x\n\nTo: a@x\n", "No recipient addresses found in message header"),
    ],
)
def test_nobody(programs: Programs, argv: list[str], given: bytes, text: str) -> None:
    done = programs.run(*argv, input=given)
    assert (done.status, done.err) == (75, [f"sendmail: fatal: {WHO}: {text}"])
    assert not programs.got.exists() or "E" not in [kind for kind, _ in programs.records()]


@pytest.mark.parametrize(
    ("answer", "exit_", "status", "text"),
    [
        (r"printf 'status\0004\0reason\0\0\0'", 4, 75, "message file too big"),
        (r"printf 'status\0001\0reason\0x\0\0'", 1, 75, "x"),
        (r"printf 'status\0002\0reason\0No space left on device\0\0'", 75, 75, "No space left on device"),
        ("true", 69, 75, "queue file write error"),
        ("true", 0, 75, "queue file write error"),
    ],
)
def test_what_postdrop_says(programs: Programs, answer: str, exit_: int, status: int, text: str) -> None:
    programs.postdrop(answer, status=exit_)
    done = programs.run("r@x")
    warning = "sendmail: warning: mail_stream_cleanup: close error"
    assert (done.status, done.err) == (status, [warning, f"sendmail: fatal: {WHO}: {text}"])


def test_a_postdrop_that_reads_nothing(programs: Programs) -> None:
    programs.write("postdrop", "exec <&-", "exit 77")
    done = programs.run("r@x", input=b"x\n" * 200000)
    command = f"{programs.folder}/postdrop -r"
    assert (done.status, done.err) == (75, [
        f'sendmail: warning: command "{command}" exited with status 77',
        f"sendmail: fatal: {WHO}: unable to execute {command}: Application error",
    ])  # fmt: skip


def test_no_postdrop(programs: Programs) -> None:
    (programs.folder / "postdrop").unlink()
    done = programs.run("r@x")
    assert done.status == 75
    assert done.err[0] == f"sendmail: fatal: execvp {programs.folder}/postdrop: No such file or directory"
    assert done.err[-1] == f"sendmail: fatal: {WHO}: unable to execute {programs.folder}/postdrop -r: Application error"


def test_the_full_name(programs: Programs) -> None:
    """NAME decides also when it is empty; without it the user's entry does."""
    programs.run("r@x", NAME="")
    assert ("F", b"") in programs.records()
