from __future__ import annotations

import pytest

from pyfix.commands import postmulti
from pyfix.commands.postmulti import Request
from pyfix.runtime.console import CommandError
from tests.unit.commands.postmulti.conftest import Host


def test_what_a_request_has() -> None:
    request = Request(["-e", "create", "-I", "postfix-a", "-G", "g", "-i", "x", "queue_directory=/q"])
    assert (request.mode, request.action, request.name, request.group) == ("e", "create", "postfix-a", "g")
    assert request.selection == ("i", "x") and request.words == ["queue_directory=/q"]
    assert Request(["-e", "assign", "-i", "x", "-I", "-"]).name == ""
    assert Request(["-x", "-R", "ls", "-l"]).words == ["ls", "-l"]


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        ([], "Specify exactly one of '-e', '-l', '-p', '-x'"),
        (["-l", "-j", "x"], "Command not allowed with '-l'"),
        (["-e", "assign", "-I", "mail", "-i", "-"], "New instance name must start with 'postfix-'"),
        (["-e", "assign", "-I", "postfix-/", "-i", "-"], "Illegal '/' character in new instance name: 'postfix-/'"),
        (["-e", "assign", "-G", "a b", "-i", "-"], "Unsafe characters in '-G a b'"),
        (["-e", "enable"], "Select an instance via '-i name'"),
    ],
)
def test_requests_that_are_refused(argv: list[str], text: str) -> None:
    with pytest.raises(CommandError) as caught:
        Request(argv)
    assert str(caught.value) == text


def test_fatal_line(host: Host, capfd: pytest.CaptureFixture[str]) -> None:
    assert postmulti.main(["-p"]) == 1
    assert capfd.readouterr().err == "postmulti: fatal: Command required with '-p' or '-x' option\n"
    assert postmulti.main(["-l"]) == 0
    assert capfd.readouterr().out == f"-               -               y         {host.etc}\n"


def test_another_instance_in_the_environment(
    host: Host, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_CONFIG", str(host.other("postfix-a")))
    assert postmulti.main(["-l"]) == 1
    assert "fatal: Non-default configuration directory: MAIL_CONFIG=" in capfd.readouterr().err
