"""sendmail(1): every option and form of it, and what recipients it finds in headers; the mail system is down.

Source: sendmail(1); RFC 5322 sections 3.4, 3.6.3, 3.6.6; postconf(5) sendmail_fix_line_endings, message_size_limit, line_length_limit.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence

import pytest

from tests.kit import programs, spool
from tests.kit.instance import Instance

pytestmark = [pytest.mark.reference, pytest.mark.root]

Case = tuple[tuple[str, ...], bytes]
X = b"Subject: x\n\nbody\n"


def _headers(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n\nbody\n").encode("utf-8", "surrogateescape")


OPTIONS: dict[str, list[Case]] = {
    "ignored options": [((*words, "u@x.example"), X) for words in (
        ("-Am",), ("-Ac",), ("-A", "x"), ("-c",), ("-e", "m"), ("-em",), ("-ee",), ("-h", "5"), ("-h5",), ("-L", "label"), ("-m",), ("-om",),
        ("-oo",), ("-oem",), ("-oee",), ("-odb",), ("-odi",), ("-odq",), ("-o7",), ("-o8",), ("-o", "em"), ("-p", "smtp"), ("-psmtp:host",),
        ("-U",), ("-x",), ("-X", "/dev/null"), ("-XV",), ("-XV+=",), ("-XVab",), ("-XV+",), ("-XV+=-",), ("-X", "V"), ("-X", "V-="), ("-ba",), ("-bm",), ("-b", "m"),
        ("-oi",), ("-i",), ("-oiem",), ("-iem",), ("-v",), ("-vi",), ("-t",), ("-ti",), ("-it", "-oi"),
    )],
    "bodies": [(("-B", value, "u@x.example"), X) for value in ("7BIT", "8BITMIME", "8bitmime", "7bit", "BINARYMIME", "8bit", "", "8BITMIME ")],
    "notify": [(("-N", value, "u@x.example"), X) for value in (
        "never", "success", "failure", "delay", "failure,delay", "success,failure,delay", "NEVER", "Failure", "never,failure", "failure never", "", ",", "failure,",
        "failure,failure", "failure delay", "x", "failure,x", " failure",
    )],
    "ret": [(("-R", value, "u@x.example"), X) for value in ("full", "hdrs", "FULL", "Hdrs", "", "x", "full,hdrs", " full")],
    "envelope ids": [(("-V", value, "u@x.example"), X) for value in (
        "id", "+=", "-=", "ab", "a+", "", "x", "y" * 100, "y" * 101, "a b", "a\tb", "a+2Bb", "a=b", "id\u00e9", "<id@x.example>", "==", "a" * 99,
    )],
    "names": [(("-F", value, "u@x.example"), X) for value in ("Full Name", "", "A, B", '"quoted"', "\u00c4", "a\nb", "x" * 3000, "(x)", "<x>", "a & b")],
    "senders": [((option, value, "u@x.example"), X) for option in ("-f", "-r") for value in (
        "a@b.example", "", "<>", "<a@b.example>", "Me <a@b.example>", "a@b.example (Me)", "a", "a b@c.example", '"a b"@c.example', "a@b.example, c@d.example",
        "grp: a@b.example;", "@b.example", "a@", "a@b@c.example", "<a@b.example", "a@b.example>", '"<>"', "\u00e4@b.example", " a@b.example ", "-a@b.example",
        "<@r.example:a@b.example>", "a.@b.example", ".a@b.example", "\\a@b.example", "a@[127.0.0.1]", "a%b@c.example", "b!a", "a\nb@c.example",
    )],
    "VERP without a sender": [((*words, "-XV", "-f", sender, *to), X) for sender in ("", "<>", "()") for words in ((), ("-t",), ("-G",)) for to in ((), ("u@x.example",), ("<>",))]
    + [(("-V-=", "-f", "", "u@x.example"), X), (("-bv", "-XV", "-f", "", "u@x.example"), b"")],
    "senders twice": [(("-f", "a@b.example", "-r", "c@d.example", "u@x.example"), X), (("-f", "a@b.example", "-f", "c@d.example", "-F", "x", "-F", "y", "u@x.example"), X)],
    "recipients": [((word,), X) for word in (
        "u@x.example", "u", "", "<>", "<u@x.example>", "A B <u@x.example>", "u@x.example, v@x.example", "u v", "u@x.example v@x.example", '"a b"@x.example',
        "grp:u@x.example,v@x.example;", "grp:;", "u@x.example (c)", "(c)", ",", "u@x.example,,v@x.example", "<u@x.example", "u@x.example>", "@x.example", "u@",
        "-u@x.example", "\\u@x.example", "|cmd", "/file", '"|cmd arg"', ":include:/x", "u@x.example;v@x.example", "\u00e4@x.example", "a\nb@x.example", "a@b@c.example",
        "<@r.example:u@x.example>", "u..v@x.example", "a:b@x.example", "u@[1.2.3.4]", "u%v@x.example", "h!u", '"a\\"b"@x.example', "u @ x.example", "u. v@x.example",
        "=?utf-8?q?x?= <u@x.example>", "x" * 1000 + "@x.example",
    )],
    "after two dashes": [(("--", "-u@x.example"), X), (("--", "-t"), X), (("-i", "--", "u@x.example", "-f"), X), (("u@x.example", "-f", "a@b.example"), X), (("-", "u@x.example"), X), (("u@x.example", "-t"), X)],
    "the new options": [(("-O", value, "u@x.example"), X) for value in (
        "smtputf8=yes", "smtputf8=no", "SMTPUTF8=Yes", "requiretls=yes", "requiretls=no", "RequireTLS=YES", "smtputf8=maybe", "smtputf8", "smtputf8 = yes", "smtputf8= yes",
        " smtputf8=yes", "requiretls=", "=yes", "", "DeliveryMode=b", "x=y", "smtputf8=yes,requiretls=yes", "smtputf8=yes ", "DialDelay",
    )] + [(("-O", "smtputf8=yes", "-O", "requiretls=yes", "u@x.example"), X), (("-O", "smtputf8=yes", "-O", "smtputf8=no", "u@x.example"), X),
          (("-Osmtputf8=yes", "-t"), _headers("To: a@x.example")), (("-O", "smtputf8=yes", "-bv", "u@x.example"), b"")],
    "modes": [(words, b"") for words in (
        ("-bv", "u@x.example"), ("-bv", "-f", "", "u@x.example"), ("-bv", "u@x.example", "v@x.example"), ("-bv",), ("-bv", "-t"), ("-bv", "-N", "never", "u@x.example"),
        ("-bv", "-R", "full", "u@x.example"), ("-bv", "-V", "id", "u@x.example"), ("-bv", "-v", "u@x.example"), ("-bv", '"a b"@x.example', "u"),
        ("-bv", "-XV", "u@x.example"), ("-bv", "-G", "-B", "8BITMIME", "u@x.example"), ("-bh",), ("-bH",), ("-bh", "x"), ("-bz",), ("-b",), ("-bt",), ("-bD", "x"), ("-bb",), ("-bvx", "u@x.example"),
        ("-bv", "-bm", "u@x.example"), ("-bm", "-bv", "u@x.example"), ("-bd", "x"), ("-bl", "x"), ("-bs", "x"), ("-bp", "x"), ("-bi", "x"), ("-bs", "-t"), ("-q5m",), ("-q1h", "x"),
        ("-qx",), ("-qS", "x"), ("-q!R", "x"), ("-q5m", "-t"), ("-qG",), ("-n", "u@x.example"), ("-C",), ("-Z",), ("-?",), ("-f",), ("-F",), ("-N",), ("-qf", "x"), ("-qRbad site",),
        ("-qI", ""), ("-qIx/y",), ("-I", "x"), ("-qR",), ("-qI",), ("-q", "x"), ("-q0",), ("-qR[1.2.3]",), ("-bi", "-oAnosuch:x"), ("-bi", "-oA"), ("-oA", "-bi"), ("-I", "-oAstatic:x"),
    )],
    "without recipients": [((), X), (("-t",), b""), (("-t",), b"\n"), (("-t",), b"\nTo: a@x.example\n"), (("-t",), _headers("Subject: x")), (("-t",), _headers("To:")), (("-t",), _headers("To: ,")), (("-t", "u@x.example"), b""), (("-t", "u@x.example"), _headers("To:")), (("-i",), b""), (("",), b"")],
}  # fmt: skip

HEADERS: list[bytes] = [
    *[_headers(f"{name}: a@x.example") for name in (
        "To", "Cc", "Bcc", "TO", "to", "Apparently-To", "Resent-To", "Resent-Cc", "Resent-Bcc", "Resent-Apparently-To", "From", "Sender", "Reply-To", "X-To", "Resent-From", "Return-Path",
        "Errors-To", "Return-Receipt-To", "Disposition-Notification-To", "To ", "To\t", " To",
    )],
    _headers("To: a@x.example", "Cc: b@x.example", "Bcc: c@x.example", "To: d@x.example"),
    _headers("To: a@x.example", "Resent-From: me"), _headers("Resent-Date: x", "To: a@x.example", "Resent-To: b@x.example"), _headers("To: a@x.example", "Resent-Bcc: b@x.example", "Cc: c@x.example"),
    _headers("Resent-Message-ID: <x>", "To: a@x.example"), _headers("Resent-Sender: x", "Bcc: a@x.example"), _headers("Resent-Reply-To: x", "To: a@x.example"), _headers("Resent-X: x", "To: a@x.example"),
    *[_headers(f"To: {value}") for value in (
        "a@x.example, b@x.example", "A <a@x.example>, B <b@x.example>", "undisclosed-recipients:;", "grp: a@x.example, b@x.example;, c@x.example", '"A, B" <a@x.example>', "a@x.example (c, d)",
        "a b c", "a@x.example b@x.example", "<>", "<a@x.example", "a@x.example>", '"a b"@x.example', '"a\\"b"@x.example', "a@[1.2.3.4]", "@x.example", "a@", "A. B <a@x.example>", "=?utf-8?q?=C3=A4?= <a@x.example>",
        "\u00e4@x.example", "a@x.example;", "a@x.example,", ",a@x.example", "(c)a@x.example", "a (c) @ (d) x.example", "a@x.example (unclosed", '"unclosed <a@x.example>', "<@r.example:a@x.example>", "a:b:c@x.example;",
        "a;b@x.example", "grp: a@x.example", "A <a@x.example> B", "A <a@x.example> <b@x.example>", "a@x.example <b@x.example>", "\\a@x.example", "a..b@x.example", "|cmd", '"|cmd a" ', "/file", ":include:/x", "x" * 3000,
        "a@x.example\udcff", "<a b@x.example>", "a@x. example", "[a]@x.example", "a@x.example\x07", "a\x00b@x.example",
    )],
    _headers("To: a@x.example,", "  b@x.example,", "\tc@x.example"), _headers("To:", " a@x.example"), _headers("To: a@x.example", "garbage", "Cc: b@x.example"), _headers("garbage", "To: b@x.example"),
    _headers("From me Mon", "To: a@x.example"), _headers(">From me Mon", "To: a@x.example"), _headers("To: a@x.example", "From x", "Cc: b@x.example"), b"To: a@x.example", b"To: a@x.example\n", b"To: a@x.example\r\nCc: b@x.example\r\n\r\nTo: c\r\n",
    b"To: a@x.example\n \nCc: b@x.example\n\nx\n", b"To: a@x.example\n.\nCc: b@x.example\n\nx\n", b"\n\nTo: a@x.example\n\nx\n", b" x\nTo: a@x.example\n\nx\n", b"To: a@x.example\rCc: b@x.example\n\nx\n",
    b"Subject: " + b"s" * 3000 + b"\nTo: a@x.example\n\nx\n", b"To: " + b"a@x.example, " * 400 + b"z@x.example\n\nx\n", b"To: a@x.example\nBcc: " + b"b" * 5000 + b"@x.example\n\nx\n", b": x\nTo: a@x.example\n\nx\n",
    _headers("Content-Type: multipart/mixed; boundary=b", "To: a@x.example", "Bcc: b@x.example", "MIME-Version: 1.0"),
    b"Subject: x\n" + b"X-A: y\n" * 3000 + b"To: a@x.example\n\nx\n",
]  # fmt: skip

BODIES: dict[str, list[Case]] = {
    "ends": [(words, text) for words in (("u@x.example",), ("-oi", "u@x.example")) for text in (
        b"a\n.\nb\n", b".\n", b"a\n..\nb\n", b"a\n.x\n", b"a\n. \nb\n", b"a\n.\r\nb\n", b"a\n.", b"", b"\n", b"a", b"a\n\n\n", b"From x\na\n", b"From x\nFrom y\n>From z\nq\n", b"a\nFrom x\n", b"\nFrom x\n", b"From", b"From:x\n", b">From x",
        b"a\0b\n", b"\xff\xfe\n", b"x" * 2047 + b"\n", b"x" * 2048 + b"\n", b"x" * 2049 + b"\n", b"x" * 5000, b"x" * 4096 + b"\n.\n", b"From " + b"x" * 5000 + b"\ny\n", b"a\r\n", b"a\r\r\nb\r\n", b"a\rb\n", b"a\r", b"a\r\nb\nc\r\n", b"a\nb\r\nc\n",
    )],
}  # fmt: skip


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Instance, Instance]]:
    with Instance("reference") as theirs, Instance("pyfix") as ours:
        yield theirs, ours


def _run(mta: Instance, words: Sequence[str], input: bytes, name: str = "sendmail", **environment: str) -> list[str]:
    """Return what was said and what is in maildrop."""
    program = mta.command_directory / name
    if not program.exists():
        program = mta.command_directory.parent / "bin" / name
    done = subprocess.run(
        [program, *words], input=input, capture_output=True, cwd="/", timeout=60, check=False,
        env=mta.environment | programs.hasty(mta.kind) | environment,
    )  # fmt: skip
    said = [text.decode("utf-8", "surrogateescape").replace(f"{mta.command_directory}/", "").replace(str(mta.directory), "DIR") for text in (done.stdout, done.stderr)]
    seen = [*said[0].splitlines(), *said[1].splitlines(), f"status {done.returncode}"]
    for path in sorted((mta.queue_directory / "maildrop").iterdir(), key=lambda path: path.stat().st_mtime_ns):
        if done.returncode == 0:
            seen += [f"{record.kind} {record.data!r}" for record in spool.records(path) if record.kind != "T"]
        else:
            seen.append("a file")
        path.unlink()
    return [re.sub(r"sendmail\[\d+\]|postdrop\[\d+\]", "", line) for line in seen]


def _compare(pair: tuple[Instance, Instance], cases: Sequence[Case], **environment: str) -> None:
    found = []
    for words, input in cases:
        theirs, ours = (_run(mta, words, input, **environment) for mta in pair)
        if theirs != ours:
            lines = [f"  {'-+'[side]} {line[:100]}" for side, (one, other) in enumerate(((theirs, ours), (ours, theirs))) for line in one if line not in other]
            found.append(f"{words!r} {input[:60]!r}\n" + "\n".join(lines or [f"  - {str(theirs)[:900]}", f"  + {str(ours)[:900]}"]))
    assert not found, "the two sides differ:\n" + "\n".join(found)


@pytest.mark.parametrize("name", OPTIONS)
def test_options(pair: tuple[Instance, Instance], name: str) -> None:
    _compare(pair, OPTIONS[name])


def test_recipients_of_headers(pair: tuple[Instance, Instance]) -> None:
    _compare(pair, [(("-t",), text) for text in HEADERS])
    _compare(pair, [(("-t", "u@x.example", "v@x.example"), text) for text in HEADERS[:30:3]])
    _compare(pair, [(("-t", "-N", "failure", "-V", "id"), text) for text in HEADERS[:30:5]])


@pytest.mark.parametrize("fix", ["always", "strict", "never"])
def test_bodies(pair: tuple[Instance, Instance], fix: str) -> None:
    for mta in pair:
        mta.write_main(sendmail_fix_line_endings=fix)
    _compare(pair, BODIES["ends"])


SETTINGS: list[tuple[dict[str, str], list[Case]]] = [
    ({"message_size_limit": "1000"}, [(("u@x.example",), b"x\n" * 100), (("u@x.example",), b"x\n" * 3000), (("u@x.example",), b"x\n" * 300000), (("-t",), b"To: a@x.example\n\n" + b"x\n" * 3000)]),
    ({"message_size_limit": "0"}, [(("u@x.example",), b"x\n" * 3000)]),
    ({"line_length_limit": "100"}, [(("u@x.example",), b"x" * 500 + b"\n" + b"y" * 100 + b"\n"), (("-t",), b"To: " + b"a@x.example, " * 20 + b"b@x.example\n\nx\n")]),
    ({"header_size_limit": "100"}, [(("-t",), b"To: " + b"a@x.example, " * 20 + b"b@x.example\n\nx\n")]),
    ({"default_verp_delimiters": "=+"}, [(("-XV", "u@x.example"), X), (("-XV-+", "u@x.example"), X)]),
    ({"verp_delimiter_filter": "+"}, [(("-XV", "u@x.example"), X), (("-XV-=", "u@x.example"), X), (("-V++", "u@x.example"), X), (("-V-=", "u@x.example"), X), (("u@x.example",), X)]),
    ({"default_verp_delimiters": "x"}, [(("-XV", "u@x.example"), X), (("u@x.example",), X)]),
    ({"enable_long_queue_ids": "yes"}, [(("u@x.example",), X)]),
    ({"remote_header_rewrite_domain": "r.example"}, [(("-G", "u@x.example"), X), (("-t", "-G"), _headers("To: a"))]),
    ({"sendmail_fix_line_endings": "x"}, [(("u@x.example",), X)]),
    ({"smtputf8_enable": "no"}, [(("-O", "smtputf8=yes", "u@x.example"), X), (("\u00e4@x.example",), X)]),
    ({"requiretls_enable": "no"}, [(("-O", "requiretls=yes", "u@x.example"), X)]),
    ({"fault_injection_code": "0", "command_directory": "/nonexistent"}, [(("u@x.example",), X), (("-bp",), b""), (("-q",), b""), (("-bi",), b""), (("-bv", "u@x.example"), b"")]),
    ({"daemon_directory": "/nonexistent"}, [(("-bs",), b"QUIT\r\n")]),
    ({"hopcount_limit": "5"}, [(("u@x.example",), b"Received: x\n" * 9 + X)]),
]  # fmt: skip


@pytest.mark.parametrize("changed", range(len(SETTINGS)), ids=lambda number: ", ".join(SETTINGS[number][0]))
def test_settings(pair: tuple[Instance, Instance], changed: int) -> None:
    main, cases = SETTINGS[changed]
    before = [dict(mta.main) for mta in pair]
    try:
        for mta in pair:
            mta.write_main(**main)
        _compare(pair, cases)
    finally:
        for mta, old in zip(pair, before, strict=True):
            mta.main = old
            mta.write_main()


def test_environment(pair: tuple[Instance, Instance]) -> None:
    """NAME gives the full name; a configuration by -C, as a folder and as the path of main.cf or sendmail.cf."""
    cases: list[Case] = [(("u@x.example",), X), (("-F", "x", "u@x.example"), X)]
    for name in ("A Name", "", "a\nb", "\u00c4"):
        _compare(pair, cases, NAME=name)
    _compare(pair, cases, LOGNAME="x", USER="y", HOME="/z")
    for form in ("{}", "{}/main.cf", "{}/", "{}/sendmail.cf", "{}/nosuch.cf", "{}/nosuch"):
        seen = [_run(mta, ("-C", form.format(mta.config_directory), "u@x.example"), X, MAIL_CONFIG="/nonexistent") for mta in pair]
        assert seen[0] == seen[1], form
