from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.formats.db.hash import write_hash
from pyfix.sasl.sasldb import SasldbError, find_password


def test_passwords(tmp_path: Path) -> None:
    path = tmp_path / "sasldb2"
    path.write_bytes(write_hash({b"joe\0ours.example\0userPassword": b"pw"}))
    assert find_password(str(path), b"joe", b"ours.example") == b"pw"
    assert find_password(str(path), b"joe", b"other.example") is None
    assert find_password(str(tmp_path / "nowhere"), b"joe", b"ours.example") is None


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "sasldb2"
    path.write_bytes(b"not a database")
    for place in (path, tmp_path):
        with pytest.raises(SasldbError, match="unable to open Berkeley db"):
            find_password(str(place), b"joe", b"ours.example")
