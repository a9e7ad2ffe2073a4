from __future__ import annotations

import time
from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.sender_rewriting import SenderRewritingSettings
from pyfix.config.snapshot import Snapshot
from pyfix.formats.srs import BadRewrittenAddress, SenderRewritingScheme
from pyfix.tables.srs import RewrittenSenders, open_rewritten_senders


def opened(tmp_path: Path, text: bytes = b"one\n\ntwo\r\n", **values: str) -> RewrittenSenders | None:
    path = tmp_path / "keys"
    path.write_bytes(text)
    path.chmod(0o600)
    main = {"pyfix_srs_domain": "Fwd.example", "pyfix_srs_key_file": str(path), **values}
    return open_rewritten_senders(SenderRewritingSettings(Snapshot(main)))


def test_there_and_back(tmp_path: Path) -> None:
    senders = opened(tmp_path)
    assert senders is not None
    packed = senders.pack("a@b.example")
    assert packed.startswith("SRS0=") and packed.endswith("=b.example=a@Fwd.example")
    assert senders.unpack(packed) == senders.unpack(packed.lower()) == "a@b.example"
    assert senders.unpack("SRS0=x@elsewhere.example") is None
    assert senders.unpack("user@fwd.example") is None
    with pytest.raises(BadRewrittenAddress):
        senders.unpack("SRS0=x@fwd.example")


def test_off_without_a_domain(tmp_path: Path) -> None:
    assert opened(tmp_path, pyfix_srs_domain="", pyfix_srs_key_file="") is None


def test_each_line_is_a_key(tmp_path: Path) -> None:
    second = opened(tmp_path, b"two\n")
    both = opened(tmp_path)
    assert both is not None and second is not None
    assert both.unpack(second.pack("a@b.example")) == "a@b.example"


def test_other_forms(tmp_path: Path) -> None:
    """What follows SRS0, and how many characters of a signature there are; an address of another form is not taken."""
    senders, standard = opened(tmp_path, pyfix_srs_separator="+", pyfix_srs_hash_length="9"), opened(tmp_path)
    assert senders is not None and standard is not None
    packed = senders.pack("a@b.example")
    signature = packed.removeprefix("SRS0+").partition("=")[0]
    assert packed.startswith("SRS0+") and len(signature) == 9
    assert senders.unpack(packed) == "a@b.example"
    with pytest.raises(BadRewrittenAddress):
        senders.unpack(standard.pack("a@b.example"))


@pytest.mark.parametrize(("limit", "age", "is_taken"), [("1", 1, True), ("1", 3, False), ("40", 39, True), ("40", 42, False)])
def test_days(tmp_path: Path, limit: str, age: int, is_taken: bool) -> None:
    """Addresses of days ago; the days change at midnight, so that none is at the very edge."""
    senders = opened(tmp_path, b"one\n", pyfix_srs_maximum_age=limit)
    assert senders is not None
    address = SenderRewritingScheme((b"one",)).pack("a@b.example", "fwd.example", int(time.time()) // 86400 - age)
    if is_taken:
        assert senders.unpack(address) == "a@b.example"
    else:
        with pytest.raises(BadRewrittenAddress, match="expired"):
            senders.unpack(address)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"pyfix_srs_key_file": ""}, "requires pyfix_srs_key_file"),
        ({"pyfix_srs_key_file": "/no/such/file"}, "cannot read /no/such/file: No such file"),
        ({"pyfix_srs_separator": "x"}, "bad pyfix_srs_separator value"),
        ({"pyfix_srs_hash_length": "3"}, "pyfix_srs_hash_length"),
    ],
)
def test_settings_that_are_refused(tmp_path: Path, values: dict[str, str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        opened(tmp_path, **values)


def test_a_file_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no key"):
        opened(tmp_path, b"\n")


def test_keys_that_everybody_may_read(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("pyfix.tables.srs.log.warning", said.append)
    path = tmp_path / "open"
    path.write_bytes(b"key\n")
    path.chmod(0o644)
    opened(tmp_path, pyfix_srs_key_file=str(path))
    assert said == [f"pyfix_srs_key_file: everybody may read {path}, and sign addresses as we do"]
