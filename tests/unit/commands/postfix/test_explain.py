"""The command line, and what a person reads; the answers: tests/unit/daemons/smtpd/test_explanation.py."""

from __future__ import annotations

import json

import pytest

from pyfix.commands.postfix import explain as module
from tests.unit.commands.postfix.conftest import Run, System

ANSWER = {
    "sessions": [
        {
            "client": {"address": "192.0.2.1", "name": "c.example", "reverse_name": "c.example"},
            "steps": [
                {"command": "", "reply": "220 hello", "decisions": [], "lookups": [], "log": ["connect from c.example"]},
                {"command": "EHLO c", "reply": "250-x\n250-SIZE\n250 DSN", "decisions": [], "lookups": [], "log": []},
                {
                    "command": "RCPT TO:<a@b>", "reply": "250 Ok", "log": [],
                    "lookups": [{"table": "hash:/x", "key": "k", "value": None}],
                    "decisions": [
                        {
                            "place": "list", "position": 2, "restriction": "check_sender_access", "argument": "hash:/x",
                            "verdict": "permit", "final": True, "lookups": [{"table": "hash:/x", "key": "b", "value": "OK"}],
                        }
                    ],
                },
            ],
            "lookups": [],
            "routes": [
                {"recipient": "a@b", "becomes": "c@d", "transport": "smtp", "nexthop": "d", "servers": ["m.d[192.0.2.9]"]},
                {"recipient": "e@b", "problem": "a loop"},
            ],
        }
    ]
}  # fmt: skip
SHOWN = """\
client c.example[192.0.2.1]
    log: connect from c.example
< 220 hello
> EHLO c
< 250-x SIZE DSN
> RCPT TO:<a@b>
      hash:/x <b>: <OK>
    list #2 check_sender_access hash:/x: permit
    hash:/x <k>: not found
< 250 Ok
a@b -> c@d: transport smtp, next hop d
    m.d[192.0.2.9]
e@b: a loop
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    questions: list[dict[str, object]] = []

    def answer(_system: object, question: dict[str, object]) -> dict[str, object]:
        questions.append(question)
        return ANSWER

    monkeypatch.setattr(module, "_answer", answer)
    return questions


def test_options(run: Run, asked: list[dict[str, object]]) -> None:
    words = ("--client=192.0.2.1", "--helo", "c", "--sender", "s@t", "--recipient", "a@b", "--recipient=e@b", "--login=joe")
    assert run("explain", *words)[0] == 0
    assert asked == [
        {
            "service": "",
            "sessions": [
                {
                    "client": {"address": "192.0.2.1", "name": ""}, "login": "joe", "tls": "",
                    "commands": ["EHLO c", "MAIL FROM:<s@t>", "RCPT TO:<a@b>", "RCPT TO:<e@b>", "DATA"],
                }
            ],
        }
    ]  # fmt: skip


def test_what_is_shown() -> None:
    assert "\n".join(module._shown(ANSWER["sessions"][0])) + "\n" == SHOWN


def test_sessions_in_a_file(run: Run, system: System, asked: list[dict[str, object]]) -> None:
    path = system.folder / "sessions"
    path.write_text("# two\nclient 192.0.2.1 c.example\nlogin joe\ntls TLSv1.2\nEHLO c\n\nclient 2001:db8::1\nHELO d\nQUIT\n")
    assert run("explain", "--service", "submission", "--json", "--session", str(path))[0] == 0
    (question,) = asked
    assert question["service"] == "submission"
    assert question["sessions"] == [
        {"client": {"address": "192.0.2.1", "name": "c.example"}, "login": "joe", "tls": "TLSv1.2", "commands": ["EHLO c"]},
        {"client": {"address": "2001:db8::1", "name": ""}, "login": "", "tls": "", "commands": ["HELO d", "QUIT"]},
    ]
    assert json.dumps(ANSWER)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--client", "192.0.2.1"), "a client and a recipient, or a session, are needed"),
        (("--nonsense",), "unknown option: --nonsense"),
        (("--client",), "option --client needs a value"),
        (("--session", "/nonexistent"), "open /nonexistent: No such file or directory"),
    ],
)
def test_bad_words(run: Run, words: tuple[str, ...], complaint: str) -> None:
    status, lines = run("explain", *words)
    assert status == 1
    assert lines[0].startswith(f"postfix/postlog: fatal: explain: {complaint}")


def test_a_session_without_a_client(run: Run, system: System) -> None:
    path = system.folder / "sessions"
    path.write_text("EHLO c\n")
    assert run("explain", "--session", str(path))[0] == 1
