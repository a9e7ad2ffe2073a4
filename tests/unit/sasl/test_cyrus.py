"""What Cyrus SASL does; what its library says to the same is in tests/parity/sasl/test_cyrus.py."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from pyfix.formats.db.hash import write_hash
from pyfix.protocols.sasl.cram_md5 import CramMd5
from pyfix.protocols.sasl.cyrus_conf import CyrusConfiguration, parse_configuration
from pyfix.protocols.sasl.digest_md5 import DigestMd5
from pyfix.protocols.sasl.login import Login
from pyfix.protocols.sasl.mechanism import ClientMechanism, Credentials
from pyfix.protocols.sasl.plain import Plain
from pyfix.protocols.sasl.properties import Demands
from pyfix.protocols.sasl.step import Challenge, Step, Success
from pyfix.runtime.log import log
from pyfix.sasl.cyrus import CyrusService, NoCyrus, read_configuration
from pyfix.sasl.service import Peer
from tests.unit.runtime.forked import on_loop


def service(tmp_path: Path, realm: str = "") -> CyrusService:
    path = tmp_path / "sasldb2"
    entries = {f"{user}\0{domain}\0userPassword".encode(): b"pw" for user, domain in (("joe", "mail.ours.example"), ("joe", "ours.example"))}
    path.write_bytes(write_hash(entries))
    options = parse_configuration(f"sasldb_path: {path}\n")
    return CyrusService(CyrusConfiguration.of(options), service="smtp", realm=realm, hostname="mail.ours.example")


async def held(known: CyrusService, client: ClientMechanism) -> Step:
    """Let both sides talk."""
    dialogue = known.dialogue(client.name, Peer("192.0.2.1", "192.0.2.2", secured=False), Demands())
    first = client.initial()
    step = await dialogue.start(None if first is None else base64.b64encode(first).decode())
    for _ in range(4):
        if not isinstance(step, Challenge):
            break
        step = await dialogue.respond(base64.b64encode(client.respond(base64.b64decode(step.text))).decode())
    return step


CLIENTS = (Plain, Login, CramMd5, lambda who: DigestMd5(who, b"once"))


@pytest.mark.parametrize("client", CLIENTS, ids=["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"])
@pytest.mark.parametrize(("realm", "name"), [("", "joe"), ("ours.example", "joe@ours.example")])
def test_each_mechanism(monkeypatch: Any, tmp_path: Path, client: Any, realm: str, name: str) -> None:
    async def test() -> list[str]:
        monkeypatch.setattr(log, "warning", lambda _text: None)
        known = service(tmp_path, realm)
        steps = [await held(known, client(Credentials("joe", password, host="mail.ours.example"))) for password in ("pw", "wrong")]
        return [step.username if isinstance(step, Success) else repr(step) for step in steps]

    right, wrong = on_loop(test)
    assert right == name
    assert wrong.startswith("Failure(reason='authentication failure'")
    assert "temporary=False" in wrong


def test_configuration_files(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (tmp_path / "b/smtpd.conf").write_text("mech_list: plain\n")
    path = f"{tmp_path}/a:{tmp_path}/b"
    assert read_configuration(path, "smtpd").mechanisms == ("PLAIN",)
    assert read_configuration(path, "other").mechanisms == ()
    (tmp_path / "a/smtpd.conf").write_text("mech_list plain\n")
    with pytest.raises(NoCyrus, match="error when parsing configuration file"):
        read_configuration(path, "smtpd")
