"""What the log says of handshakes that fail; whole ones are in test_client.py and test_server.py."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.runtime.log import log
from pyfix.runtime.stream import StreamTimeout
from pyfix.runtime.task import run_now
from pyfix.runtime.tls import HandshakeFailed
from pyfix.tls.handshake import handshake

CONNECTION: Any = SimpleNamespace(state="SSLv3/TLS write hello")


@pytest.mark.parametrize(
    ("error", "states", "lines"),
    [
        (None, True, []),
        (StreamTimeout(), True, ["SSL_connect error to x: Connection timed out"]),
        (HandshakeFailed("lost connection"), False, ["SSL_connect error to x: lost connection"]),
        (HandshakeFailed("lost connection"), True,
         ["SSL_connect:error in SSLv3/TLS write hello", "SSL_connect error to x: lost connection"]),
        (HandshakeFailed("-1", ("p", "q")), True,
         ["SSL_connect error to x: -1", "warning: TLS library problem: p", "warning: TLS library problem: q"]),
    ],
)  # fmt: skip
def test_what_is_logged(monkeypatch: pytest.MonkeyPatch, error: Exception | None, states: bool, lines: list[str]) -> None:
    said: list[str] = []
    asked: list[object] = []

    async def shake_hands(*arguments: object) -> None:
        asked.extend(arguments)
        if error is not None:
            raise error

    monkeypatch.setattr("pyfix.tls.handshake.shake_hands", shake_hands)
    monkeypatch.setattr(log, "info", said.append)
    monkeypatch.setattr(log, "warning", lambda text: said.append(f"warning: {text}"))
    stream: Any = object()
    done = run_now(handshake(stream, CONNECTION, 2.0, step="SSL_connect", whom="to x", states=states))
    assert done is (error is None) and said == lines
    assert asked == [stream, CONNECTION, 2.0, None]
