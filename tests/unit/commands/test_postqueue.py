"""postqueue(1); that it prints what Postfix's does is in tests/parity/commands."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfix.commands import postqueue
from pyfix.formats.attributes import encode_pairs
from tests.unit.commands.running import Done, call
from tests.unit.daemons.requests import Recorder
from tests.unit.daemons.running import Pair, System
from tests.unit.daemons.services import Triggered

GREETING = encode_pairs([("protocol", "mail_queue_list_protocol")])


def run(*argv: str) -> Done:
    return call(postqueue.main, *argv, name="postqueue")


def message(queue: str = "deferred", queue_id: str = "ABC123", *recipients: tuple[str, str, str, str], size: int = 1500,
            expire: int = 0, sender: str = "s@x.example") -> list[Pair]:  # fmt: skip
    pairs = [
        ("queue_name", queue), ("queue_id", queue_id), ("time", "1000000000"), ("size", str(size)),
        ("forced_expire", str(expire)), ("sender", sender),
    ]  # fmt: skip
    for recipient in recipients:
        pairs += zip(("original_recipient", "recipient", "log_class", "reason"), recipient, strict=True)
    return pairs


def plain(address: str) -> tuple[str, str, str, str]:
    return (address, address, "", "")


@pytest.fixture
def showq(mail: System) -> Callable[..., None]:
    """Let showq(8) say something, byte by byte or at once."""

    def serve(*messages: list[Pair], data: bytes | None = None, step: int = 65536) -> None:
        said = data if data is not None else GREETING + b"".join(map(encode_pairs, messages)) + b"\0"

        def answer(connection: socket.socket) -> None:
            for at in range(0, len(said), step):
                connection.sendall(said[at : at + step])

        mail.serve("public/showq", answer)

    return serve


Showq = Callable[..., None]


def test_an_empty_queue(showq: Showq) -> None:
    showq()
    assert run("-p") == Done(0, b"Mail queue is empty\n", [])
    assert run("-j") == Done(0, b"", [])


@pytest.mark.parametrize("step", [65536, 1, 7])
def test_listing(showq: Showq, step: int) -> None:
    showq(
        message("deferred", "ABC123", ("a@x", "a@x", "defer", "busy"), ("b@x", "b@x", "defer", "busy"), plain("c@x")),
        message("active", "ABC124", plain("d@x"), size=600),
        message("hold", "ABC125", plain("e@x"), expire=1),
        message("hold", "ABC126", plain("f@x")),
        step=step,
    )
    assert run("-p").lines == [
        "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------",
        "ABC123         1500 Sun Sep  9 01:46:40  s@x.example",
        " " * 72 + "(busy)",
        f"{'':<40} a@x", f"{'':<40} b@x", f"{'':<40} c@x", "",
        "ABC124*         600 Sun Sep  9 01:46:40  s@x.example", f"{'':<40} d@x", "",
        "ABC125!#       1500 Sun Sep  9 01:46:40  s@x.example", f"{'':<40} e@x", "",
        "ABC126!        1500 Sun Sep  9 01:46:40  s@x.example", f"{'':<40} f@x", "",
        "-- 4 Kbytes in 4 Requests.",
    ]  # fmt: skip


def test_one_request(showq: Showq) -> None:
    showq(message("active", "ABC124", plain("d@x"), size=1024))
    assert run("-p").lines[-1] == "-- 1 Kbytes in 1 Request."


def test_long_queue_ids(showq: Showq, mail: System) -> None:
    mail.write_main(enable_long_queue_ids="yes")
    showq(message("active", "3Pt2mN2VXxznjll", plain("d@x")))
    assert run("-p").lines[:3] == [
        "----Queue ID-----  --Size-- ----Arrival Time---- -Sender/Recipient-------".replace("-  --S", "- --S"),
        "3Pt2mN2VXxznjll*      1500 Sun Sep  9 01:46:40 s@x.example",
        f"{'':<46} d@x",
    ]  # fmt: skip


def test_json(showq: Showq) -> None:
    showq(
        message("deferred", "ABC123", ("o@x", "a@x", "defer", 'say "no"\n\\'), ("", "b@x", "bounce", "gone"), plain("c@x")),
        message("hold", "ABC124", ("", "d@x", "other", "why"), expire=1, sender="MAILER-DAEMON"),
    )
    first, second = map(json.loads, run("-j").lines)
    assert first == {
        "queue_name": "deferred", "queue_id": "ABC123", "arrival_time": 1000000000, "message_size": 1500,
        "forced_expire": False, "sender": "s@x.example", "recipients": [
            {"orig_address": "o@x", "address": "a@x", "delay_reason": 'say "no"\n\\'},
            {"orig_address": "", "address": "b@x", "bounce_reason": "gone"},
            {"orig_address": "c@x", "address": "c@x"},
        ],
    }  # fmt: skip
    assert second["forced_expire"] is True and second["recipients"][0]["other_reason"] == "why"


def test_bytes_that_are_no_text(showq: Showq) -> None:
    showq(message("active", "ABC123", plain("\udcff\x01@x"), sender="é@x"))
    assert json.loads(run("-j").lines[0])["recipients"][0]["address"] == "?\x01@x"
    assert b"\xff\x01@x" in run("-p").out and "é@x".encode() in run("-p").out


def test_the_form_of_postfix_3_7(showq: Showq) -> None:
    showq([*message("deferred", "ABC123"), ("recipient", "a@x"), ("reason", "busy"), ("recipient", "b@x"), ("reason", "")])
    assert json.loads(run("-j").lines[0])["recipients"] == [
        {"orig_address": "", "address": "a@x", "delay_reason": "busy"}, {"orig_address": "", "address": "b@x"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        b"", GREETING, GREETING[:5], encode_pairs([("protocol", "other")]) + b"\0", b"x\0\0",
        GREETING + encode_pairs([("queue_name", "x")]) + b"\0", GREETING + encode_pairs(message())[:-1],
    ],
)  # fmt: skip
def test_nonsense(showq: Showq, data: bytes) -> None:
    showq(data=data)
    done = run("-p")
    assert (done.status, done.err) == (70, ["postqueue: fatal: malformed showq server response"])


def test_the_mail_system_is_down(mail: System) -> None:
    """Who may read the queue runs showq(8) itself."""
    programs = mail.folder / "programs"
    programs.mkdir()
    (programs / "showq").write_text(
        '#!/bin/sh\n[ "$*" = "-u -S" ] && [ "$MAIL_CONFIG" ] && printf "protocol\\0mail_queue_list_protocol\\0\\0\\0"\n'
    )
    (programs / "showq").chmod(0o755)
    mail.write_main(daemon_directory=programs)
    done = run("-p")
    assert (done.status, done.out) == (0, b"Mail queue is empty\n")
    assert done.err == [
        "postqueue: warning: Mail system is down -- accessing queue directly "
        "(Connect to the Postfix showq service: No such file or directory)"
    ]


def test_flushing_all(mail: System) -> None:
    qmgr, pickup = Triggered(mail, "public/qmgr"), Triggered(mail, "public/pickup")
    assert run("-f") == Done(0, b"", [])
    assert (qmgr.next(), pickup.next()) == (b"FADI", b"W")


@pytest.mark.parametrize("argv", [["-f"], ["-i", "ABC123"], ["-s", "x.example"]])
def test_nobody_to_flush(mail: System, argv: list[str]) -> None:
    mail.write_main(fast_flush_domains="x.example")
    done = run(*argv)
    assert (done.status, done.out) == (69, b"")
    assert done.err[-1] == "postqueue: fatal: Cannot flush mail queue - mail system is down"


@pytest.mark.parametrize(
    ("argv", "request_"),
    [
        (["-i", "ABC123"], {"request": "send_file", "queue_id": "ABC123"}),
        (["-s", "x.example"], {"request": "send_site", "site": "x.example"}),
        (["-s", "[192.0.2.1]"], {"request": "send_site", "site": "[192.0.2.1]"}),
    ],
)
def test_flushing_some(mail: System, argv: list[str], request_: dict[str, str]) -> None:
    mail.write_main(fast_flush_domains="x.example, [192.0.2.1]")
    flush = Recorder(mail, "public/flush", "queue_flush_protocol")
    assert run(*argv) == Done(0, b"", [])
    assert flush.next() == request_


@pytest.mark.parametrize(
    ("status", "argv", "text"),
    [
        (4, ["-s", "x.example"], 'Flush service is not configured for destination "x.example"'),
        (3, ["-s", "x.example"], 'Invalid request: "x.example"'),
        (-1, ["-s", "x.example"], "Cannot flush mail queue - internal error"),
        (-1, ["-i", "ABC123"], "Cannot flush mail queue - internal error"),
    ],
)
def test_what_flush_refuses(mail: System, status: int, argv: list[str], text: str) -> None:
    mail.write_main(fast_flush_domains="x.example")
    Recorder(mail, "public/flush", "queue_flush_protocol", status)
    assert run(*argv) == Done(69, b"", [f"postqueue: fatal: {text}"])


@pytest.mark.parametrize(("domains", "text"), [("other.example", "Flush service is not configured for destination \"x.example\""), ("fail:x", "Cannot flush mail queue - internal error")])
def test_sites_that_flush_is_not_asked_for(mail: System, domains: str, text: str) -> None:
    mail.write_main(fast_flush_domains=domains)
    done = run("-s", "x.example")
    assert (done.status, done.err[-1]) == (69, f"postqueue: fatal: {text}")


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["-i", "../x"], 'Cannot flush queue ID - invalid name: "../x"'),
        (["-s", "a b"], 'Cannot flush mail queue - invalid destination: "a b"'),
        (["-s", ""], 'Cannot flush mail queue - invalid destination: ""'),
    ],
)
def test_bad_names(mail: System, argv: list[str], text: str) -> None:
    done = run(*argv)
    assert (done.status, done.err[-1]) == (69, f"postqueue: fatal: {text}")


@pytest.mark.parametrize("argv", [[], ["-x"], ["-p", "-j"], ["-p", "word"], ["-i"], ["-f", "-f"]])
def test_usage(mail: System, argv: list[str]) -> None:
    done = run(*argv)
    usage = "usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p | postqueue -s site"
    assert (done.status, done.err[-1]) == (69, f"postqueue: fatal: {usage}")


@pytest.mark.root
@pytest.mark.parametrize(
    ("option", "main", "what"),
    [("-p", "authorized_mailq_users", "view the mail queue"), ("-f", "authorized_flush_users", "flush the mail queue")],
)
def test_users_who_may_not(mail: System, showq: Showq, option: str, main: str, what: str) -> None:
    mail.write_main(**{main: "root, postfix"})
    showq()

    def as_nobody(argv: object) -> int:
        os.setresuid(65534, 65534, 65534)
        return postqueue.main(argv)  # type: ignore[arg-type]  # a list of words

    done = call(as_nobody, option, name="postqueue")
    assert done == Done(69, b"", [f"postqueue: fatal: User nobody(65534) is not allowed to {what}"])
    mail.write_main(**{main: "!root, static:all"})
    assert call(as_nobody, option, name="postqueue").err[-1:] != done.err


PLOTTED = (message("deferred", "ABC123", plain("a@x.example"), plain("b@x.example"), plain("c@y.example")), message("active", "ABC124", plain("d@x.example")))  # fmt: skip


@pytest.mark.parametrize(("name", "mark"), [("C.UTF-8", "█"), ("C", "@"), ("no_SUCH.UTF-8", "@")])
@pytest.mark.parametrize("columns", ["80", "120"])
def test_picture(showq: Showq, name: str, mark: str, columns: str) -> None:
    showq(*PLOTTED)
    done = call(postqueue.main, "--plot", name="postqueue", environment={"LC_ALL": name, "COLUMNS": columns})
    assert done.status == 0 and not done.err, done
    assert done.lines[0] == "Mail queue by age and destination: 2 messages, 4 recipients, 2 destinations"
    assert [line.split()[:2] for line in done.lines[4:6]] == [["x.example", "3"], ["y.example", "1"]]
    assert done.lines[4].endswith(mark) and len(done.lines[4]) == len(done.lines[2])
    assert int(columns) - 10 < len(done.lines[2]) <= int(columns)


def test_picture_of_an_empty_queue(showq: Showq) -> None:
    showq()
    assert run("--plot") == Done(0, b"Mail queue is empty\n", [])


@pytest.mark.parametrize(("file", "start"), [("queue.png", b"\x89PNG"), ("queue.SVG", b"<?xml")])
def test_image(showq: Showq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, start: bytes) -> None:
    """A name without a folder is one of the folder that the caller is in."""
    showq(*PLOTTED)
    monkeypatch.chdir(tmp_path)
    done = run("-o", file, "--plot")
    assert done.status == 0 and not done.out, done
    assert (tmp_path / file).read_bytes().startswith(start)


def test_image_without_the_library(showq: Showq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    showq(*PLOTTED)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "pyfix.queue.ageimage", raising=False)
    done = run("--plot", "-o", str(tmp_path / "q.png"))
    assert done.status == 69 and "images need a library that is not installed: pip install 'pyfix[plot]'" in done.err[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--plot", "-o", "queue.pdf"), "queue.pdf: the name of an image ends in .png or .svg"),
        (("--plot", "-o", "/nonexistent/q.svg"), "write /nonexistent/q.svg: No such file or directory"),
        (("--plot", "-p"), "usage: postqueue --plot"), (("--plot", "x"), "usage: postqueue --plot"),
        (("--plot", "--plot"), "usage: postqueue --plot"), (("-o", "q.png", "-p"), "usage: postqueue -f"),
        (("--plo",), "usage: postqueue -f"), (("-o", "--plot"), "usage: postqueue --plot"),
    ],
)  # fmt: skip
def test_pictures_that_are_none(showq: Showq, words: tuple[str, ...], text: str) -> None:
    showq(*PLOTTED)
    done = run(*words)
    assert done.status == 69 and text in done.err[-1] and not done.out
