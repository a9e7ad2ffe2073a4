from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.runtime.identity import Owner
from pyfix.runtime.log import log
from pyfix.runtime.process import Conversation, Program, exported_environment, start
from tests.unit.runtime.forked import on_loop

# nobody, where we are root: no program may run as root
USER = Owner(65534, 65534) if os.getuid() == 0 else Owner(os.getuid(), os.getgid())


def shell(text: str) -> Program:
    return Program(["sh", "-c", text], USER)


async def said(program: Program, content: Iterator[bytes] = iter(()), limit: float = 10, most: int = 4096) -> object:
    conversation = Conversation(program, limit)
    await conversation.hold(content, most)
    in_time = await conversation.end()
    if not in_time:
        conversation.process.kill()
    status = await conversation.process.ended()
    return conversation.output, conversation.timed_out, os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (Program(["echo", "a b", ""], USER), (b"a b \n", "", 0)),
        (Program(["/bin/echo", "x"], USER), (b"x\n", "", 0)),
        (shell("echo a; echo b >&2; exit 3"), (b"a\nb\n", "", 3)),
        (shell("kill -9 $$"), (b"", "", -9)),
        (Program(["printenv"], USER, {"A": "b c"}), (b"A=b c\nPATH=/usr/bin:/bin\n", "", 0)),
        (Program(["pwd"], USER, directory="/usr"), (b"/usr\n", "", 0)),
        (Program(["nosuchprogram"], USER, otherwise=["sh", "-c", "echo instead"]), (b"instead\n", "", 0)),
        (Program(["/no/such", "x"], USER, otherwise=["sh", "-c", "echo instead"]), (b"", "", 75)),
        (
            Program(["nosuchprogram"], USER, says_trouble="pipe"),
            (b"pipe: fatal: pipe_command: execvp nosuchprogram: No such file or directory\n", "", 75),
        ),
        (shell("test $(cut -d' ' -f6 /proc/$$/stat) -eq $$ && echo leads"), (b"leads\n", "", 0)),
        (shell("ls /proc/self/fd"), (b"0\n1\n2\n3\n", "", 0)),
    ],
)
def test_what_a_program_says(program: Program, expected: object) -> None:
    assert on_loop(said, program) == expected


def test_a_file_without_an_interpreter(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)  # it runs as another user
    script = tmp_path / "script"
    script.write_text('echo "$1" by the shell\n')
    script.chmod(0o755)
    assert on_loop(said, Program([str(script), "x"], USER)) == (b"x by the shell\n", "", 0)


def test_content_goes_in_while_output_comes_out() -> None:
    blocks = [bytes([65 + number % 26]) * 50_000 for number in range(20)]

    async def test() -> object:
        output, timed_out, status = await said(Program(["cat"], USER), iter(blocks), most=2_000_000)  # type: ignore[misc]  # what on_loop returns is an object
        return output == b"".join(blocks), timed_out, status

    assert on_loop(test) == (True, "", 0)


def test_a_program_that_reads_nothing() -> None:
    assert on_loop(said, shell("exec <&-; echo enough"), iter([b"x" * 100_000] * 5)) == (b"enough\n", "", 0)


def test_no_more_than_wanted() -> None:
    assert on_loop(said, shell("printf 12345; exit 0"), iter(()), 10, 3) == (b"123", "", 0)


@pytest.mark.parametrize(
    ("text", "waited_for"),
    [
        ("sleep 60", "write"), ("cat >/dev/null; echo x; sleep 60", "read"),
        ("cat >/dev/null; echo x; exec >&- 2>&-; sleep 60", "end"), ("cat >/dev/null; sleep 60 & sleep 60", "read"),
    ],
)  # fmt: skip
def test_time_limits(text: str, waited_for: str) -> None:
    output, timed_out, status = on_loop(said, shell(text), iter([b"x" * 100_000] * 3), 0.3)  # type: ignore[misc]  # what on_loop returns is an object
    assert (timed_out, status) == (waited_for, -signal.SIGKILL)
    assert output == (b"x\n" if "echo" in text else b"")


@pytest.mark.parametrize(
    ("program", "line"),
    [
        (Program(["true"], USER, directory="/no/such"), 'cannot change directory to "/no/such" for uid='),
        (Program(["true", "a\0b"], USER), "pipe_command: execvp true: embedded null byte"),
        (Program(["/etc"], USER, caller="somebody"), "somebody: execvp /etc: Permission denied"),
    ],
)
def test_why_a_program_does_not_run(program: Program, line: str) -> None:
    lines: list[str] = []

    async def test() -> object:
        log.keep_apart(lines)
        return await said(program), lines

    (_, _, status), logged = on_loop(test)  # type: ignore[misc]  # what on_loop returns is an object
    assert status == 75
    assert [text for text in logged if line in text and "fatal: " in text], logged


@pytest.mark.skipif(os.getuid() != 0, reason="nobody else could change the user")
def test_rights() -> None:
    async def test() -> object:
        return await said(shell("id -u; id -g; id -G; grep ^CapEff /proc/self/status"))

    output, _, _ = on_loop(test)  # type: ignore[misc]  # what on_loop returns is an object
    assert output == b"65534\n65534\n65534\nCapEff:\t0000000000000000\n"


@pytest.mark.skipif(os.getuid() != 0, reason="without root nobody changes rights")
@pytest.mark.parametrize("owner", [Owner(0, 65534), Owner(65534, 0), Owner(-1, 65534)])
def test_never_as_root(owner: Owner) -> None:
    async def test() -> object:
        return await said(Program(["id"], owner))

    assert on_loop(test) == (b"", "", 75)


def test_descriptors_of_a_program() -> None:
    async def test() -> object:
        reader, writer = os.pipe()
        null = os.open("/dev/null", os.O_RDWR)
        process = start(shell("echo out; echo err >&2"), null, writer, null)
        os.close(writer)
        status = await process.ended()
        return os.read(reader, 100), status, await process.ended()

    assert on_loop(test) == (b"out\n", 0, 0)


def test_exported_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C")
    monkeypatch.setenv("SECRET", "x")
    assert exported_environment(["LANG", "NONE", "A=b", "{ C = d e }"]) == {"LANG": "C", "A": "b", "C": "d e"}
    with pytest.raises(ConfigError, match="export_environment"):
        exported_environment(["{ A"])
