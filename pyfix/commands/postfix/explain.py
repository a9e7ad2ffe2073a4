"""``postfix explain``: what smtpd(8) would reply to a client, and which restriction, table and entry decide it.

An addition to postfix(1).  The questions are answered by smtpd's own code in a process of its own
(pyfix.daemons.smtpd.explanation), so that it cannot say anything else than smtpd does.
"""

from __future__ import annotations

import json
import os
import sys

from pyfix.commands.postfix.system import System

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

_USAGE = (
    "postfix explain [--json] [--service name] [--name client-name] [--helo name] [--sender address] [--login user] "
    "[--tls protocol] --client address --recipient address ... | --session file"
)
_OPTIONS = ("--service", "--client", "--name", "--helo", "--sender", "--recipient", "--login", "--tls", "--session")
_PROGRAM = "import sys; sys.path[:] = {path!r}; from pyfix.daemons.smtpd.explanation import main; sys.exit(main())"
_REFUSALS = ("4", "5")


def explain(system: System, words: Sequence[str]) -> int:
    """Answer what *words* ask; return the exit status: 0, 2 when a command would be refused.

    Raises Failure for bad words, files that can't be read, and a configuration with which smtpd would not start.
    """
    values: dict[str, list[str]] = {name: [] for name in _OPTIONS}
    as_json = False
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if word == "--json":
            as_json = True
        elif name in values:
            given = value if equals else next(rest, None)
            if given is None:
                raise system.failure(f"explain: option {name} needs a value. Usage: {_USAGE}")
            values[name].append(given)
        else:
            raise system.failure(f"explain: unknown option: {word}. Usage: {_USAGE}")
    if values["--session"]:
        sessions = _written(system, values["--session"][-1])
    elif values["--client"] and values["--recipient"]:
        sessions = [_asked(values)]
    else:
        raise system.failure(f"explain: a client and a recipient, or a session, are needed. Usage: {_USAGE}")
    answer = _answer(system, {"service": _last(values, "--service"), "sessions": sessions})
    if as_json:
        print(json.dumps(answer, indent=2))
    else:
        for session in answer["sessions"]:
            print("\n".join(_shown(session)))
    steps = [step for session in answer["sessions"] for step in session["steps"]]
    return 2 if any(step["reply"].startswith(_REFUSALS) for step in steps) else 0


def _last(values: dict[str, list[str]], name: str, default: str = "") -> str:
    return values[name][-1] if values[name] else default


def _asked(values: dict[str, list[str]]) -> dict[str, Any]:
    """Return the session that the options describe."""
    helo = _last(values, "--helo", _last(values, "--name", "localhost"))
    commands = [f"EHLO {helo}", f"MAIL FROM:<{_last(values, '--sender')}>"]
    commands += [f"RCPT TO:<{recipient}>" for recipient in values["--recipient"]]
    return {
        "client": {"address": _last(values, "--client"), "name": _last(values, "--name")},
        "login": _last(values, "--login"),
        "tls": _last(values, "--tls"),
        "commands": [*commands, "DATA"],
    }


def _written(system: System, path: str) -> list[dict[str, Any]]:
    """Return the sessions that a file has: ``client ADDRESS [NAME]``, ``login USER``, ``tls PROTOCOL``, SMTP commands.

    Each ``client`` begins another session.  Raises Failure.
    """
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise system.failure(f"explain: open {path}: {error.strerror}") from None
    sessions: list[dict[str, Any]] = []
    for line in lines:
        word, _, value = line.partition(" ")
        if word == "client":
            address, _, name = value.strip().partition(" ")
            client = {"address": address, "name": name.strip()}
            sessions.append({"client": client, "login": "", "tls": "", "commands": []})
        elif not line.strip() or line.startswith("#"):
            continue
        elif not sessions:
            raise system.failure(f"explain: {path}: a session begins with a line: client address")
        elif word in ("login", "tls"):
            sessions[-1][word] = value.strip()
        else:
            sessions[-1]["commands"].append(line)
    return sessions


def _answer(system: System, question: dict[str, Any]) -> dict[str, Any]:
    """Let the engine answer.  Raises Failure."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-ISXutf8", "-c", _PROGRAM.format(path=sys.path)],
        input=json.dumps(question), stdout=subprocess.PIPE, text=True, check=False,
        env={**os.environ, "MAIL_CONFIG": system.config_directory},
    )  # fmt: skip
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise system.failure("explain: no answer") from None
    if "problem" in answer:
        raise system.failure(f"explain: smtpd would not start: {answer['problem']}")
    return answer


def _shown(session: dict[str, Any]) -> Iterator[str]:
    """Yield the lines that a person reads."""
    client = session["client"]
    yield f"client {client['name']}[{client['address']}]"
    for step in session["steps"]:
        if step["command"]:
            yield f"> {step['command']}"
        for decision in step["decisions"]:
            yield from _lookups(decision["lookups"], "      ")
            number = f" #{decision['position']}" if decision["position"] else ""
            words = [word for word in (decision["restriction"], decision["argument"]) if word]
            yield f"    {' '.join([decision['place'] + number, *dict.fromkeys(words)])}: {decision['verdict']}"
        yield from _lookups(step["lookups"], "    ")
        yield from (f"    log: {line}" for line in step["log"])
        first, *others = step["reply"].split("\n")
        yield f"< {' '.join([first, *(line[4:] for line in others)])}"
    yield from _lookups(session["lookups"], "    ")
    for route in session["routes"]:
        if "problem" in route:
            yield f"{route['recipient']}: {route['problem']}"
            continue
        yield f"{route['recipient']} -> {route['becomes']}: transport {route['transport']}, next hop {route['nexthop']}"
        yield from (f"    {server}" for server in route.get("servers", ()))


def _lookups(lookups: Sequence[dict[str, Any]], indent: str) -> Iterator[str]:
    for lookup in lookups:
        value = "not found" if lookup["value"] is None else f"<{lookup['value']}>"
        yield f"{indent}{lookup['table']} <{lookup['key']}>: {value}"
