from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pyfix.commands.postfix.doctor.endpoints import Endpoint, parse, unanswered


@pytest.mark.parametrize(
    ("text", "jailed", "found"),
    [
        ("inet:localhost:8891", False, Endpoint(host="localhost", port="8891")),
        ("inet:[::1]:8891", False, Endpoint(host="::1", port="8891")),
        ("inet::25", False, Endpoint(port="25")),
        ("unix:private/auth", False, Endpoint("/spool/private/auth")),
        ("unix:/run/x.sock", False, Endpoint("/run/x.sock")),
        ("unix:/run/x.sock", True, Endpoint("/spool/run/x.sock")),
        ("local:/run/x", False, Endpoint("/run/x")),
        ("inet:nothing", False, None),
        ("hash:/x", False, None),
        ("", False, None),
    ],
)
def test_parse(text: str, jailed: bool, found: Endpoint | None) -> None:
    assert parse(text, "/spool", jailed=jailed) == found


def test_unanswered(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "s"))
        other.listen()
        (tmp_path / "file").touch()
        port = str(one.getsockname()[1])
        silent = unanswered(
            [
                Endpoint(host="127.0.0.1", port=port),
                Endpoint(host="localhost", port=port),
                Endpoint(str(tmp_path / "s")),
                Endpoint(str(tmp_path / "file")),
                Endpoint(str(tmp_path / "none")),
                Endpoint(host="127.0.0.1", port="nonsense"),
            ]
        )
    assert {str(endpoint): reason for endpoint, reason in silent.items()} == {
        str(tmp_path / "file"): "no socket",
        str(tmp_path / "none"): "No such file or directory",
        "127.0.0.1:nonsense": "unknown port",
    }


def test_a_socket_that_nobody_serves(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s"))
    assert Endpoint(str(tmp_path / "s")).complaint == "Connection refused"
