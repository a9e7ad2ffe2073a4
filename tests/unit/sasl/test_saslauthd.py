from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.sasl.saslauthd import SaslauthdError, check_password
from tests.kit.authdouble import SaslauthdDouble
from tests.unit.runtime.forked import on_loop


def asked(path: Path, password: bytes) -> bool | str:
    async def test() -> bool | str:
        try:
            return await check_password(str(path), b"joe", password, b"smtp", b"ours.example")
        except SaslauthdError as error:
            return str(error)

    return on_loop(test)


@pytest.mark.parametrize(
    ("password", "answer"),
    [
        (b"pw", True), (b"success", True), (b"reason", False), (b"vanish", "size read failed"), (b"short", "read failed"),
        (b"nothing", "bad response from saslauthd"), (b"noise", False), (b"huge", True), (b"other", False), (b"x" * 70000, "too long for saslauthd"),
    ],
)  # fmt: skip
def test_answers(tmp_path: Path, password: bytes, answer: bool | str) -> None:
    with SaslauthdDouble(tmp_path / "mux"):
        assert asked(tmp_path / "mux", password) == answer


def test_nobody_there(tmp_path: Path) -> None:
    assert asked(tmp_path / "mux", b"pw") == "cannot connect to saslauthd server: No such file or directory"
