from __future__ import annotations

from typing import Any

import pytest

from pyfix.runtime.log import log
from pyfix.runtime.task import gather
from pyfix.tls.client import Host
from pyfix.tls.facts import TlsFacts
from pyfix.tls.policy import ClientPolicy
from pyfix.tls.server import ServerTlsSettings, server_files
from tests.kit.tls import World
from tests.unit.runtime.forked import on_loop

from .meeting import client, server, snapshot, streams

HOST = Host("peer[192.0.2.1]:25", "peer.example", "dest.example")
MAY = ClientPolicy("may", protocols=(">=TLSv1",), grade="medium")


def met(world: World, *, policy: ClientPolicy = MAY, of_client: dict[str, str] | None = None, enforced: bool = False, **main: str) -> Any:
    """Return what both sides know of each other, and what was logged."""

    async def test() -> Any:
        lines: list[str] = []
        log.info = lines.append  # type: ignore[method-assign,assignment]  # in a process of its own
        log.warning = lambda text: lines.append(f"warning: {text}")  # type: ignore[method-assign,assignment]  # what the test listens with
        ours, theirs = server(world, enforced=enforced, **main), client(world, **of_client or {})
        assert ours is not None and theirs is not None
        near, far = streams()
        found: tuple[TlsFacts | None, ...] = tuple(
            await gather(ours.accept(near, "client[192.0.2.9]", 10), theirs.connect(far, HOST, policy, 10))
        )
        if found[0] is not None:
            far.write(b"hello\n")
            far.send_early()
            assert await near.read() == b"hello\n"
        return [None if facts is None else [facts.level, *facts.description(), facts.server_name] for facts in found], lines

    return on_loop(test)


def test_a_meeting(world: World) -> None:
    (ours, theirs), lines = met(world)
    assert ours == ["Anonymous", "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)", ours[2], ""]
    assert ours[2].endswith(" server-signature RSA-PSS (2048 bits) server-digest SHA256") and theirs[:3] == ["Untrusted", *ours[1:3]]
    assert f"Anonymous TLS connection established from client[192.0.2.9]: {ours[1]} {ours[2]}" in lines


def test_certificates(world: World) -> None:
    asking = {"smtpd_tls_ask_ccert": "yes", "smtpd_tls_CAfile": "{w}/ca.pem"}
    of_client = {"smtp_tls_chain_files": "{w}/client2.chain", "smtp_tls_CAfile": "{w}/ca.pem"}
    policy = ClientPolicy("secure", (), "medium", match=("rsa.example",))
    (ours, theirs), _ = met(world, policy=policy, of_client=of_client, **asking)
    assert (ours[0], theirs[0]) == ("Trusted", "Verified")
    assert ours[3] == theirs[3] == "client-signature ECDSA (secp384r1) client-digest SHA384"


def test_names(world: World, tmp_path: Any) -> None:
    table = f"texthash:{tmp_path}/names"
    (tmp_path / "names").write_text(f"mx.example {world.file('ec.chain')}\n")
    asking = {"smtpd_tls_ask_ccert": "yes", "smtpd_tls_CAfile": "{w}/ca.pem"}
    policy = ClientPolicy("may", (), "medium", server_name="MX.example")
    of_client = {"smtp_tls_chain_files": "{w}/client.chain"}
    (ours, theirs), lines = met(world, policy=policy, of_client=of_client, tls_server_sni_maps=table, **asking)
    assert (ours[0], ours[-1]) == ("Trusted", "MX.example") and "ECDSA" in theirs[2]
    assert any("Trusted TLS connection established from client[192.0.2.9] to MX.example: " in line for line in lines)


@pytest.mark.parametrize(
    ("main", "policy", "line"),
    [
        ({"smtpd_tls_protocols": ">=TLSv1.3"}, ClientPolicy("may", ("<=TLSv1.2",), "medium"), "warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:"),
        ({"tls_medium_cipherlist": "NONSENSE"}, ClientPolicy("may", (), "high"), 'warning: client[192.0.2.9]: error setting cipher grade: "medium"'),
        ({"smtpd_tls_ciphers": "x"}, MAY, 'warning: client[192.0.2.9]: invalid cipher grade: "x"'),
    ],
)  # fmt: skip
def test_failures(world: World, main: dict[str, str], policy: ClientPolicy, line: str) -> None:
    async def test() -> Any:
        lines: list[str] = []
        log.info = lines.append  # type: ignore[method-assign,assignment]  # in a process of its own
        log.warning = lambda text: lines.append(f"warning: {text}")  # type: ignore[method-assign,assignment]  # what the test listens with
        ours, theirs = server(world, **main), client(world)
        assert ours is not None and theirs is not None
        near, far = streams()

        async def accepting() -> TlsFacts | None:
            facts = await ours.accept(near, "client[192.0.2.9]", 10)
            near.close()
            return facts

        return [*(await gather(accepting(), theirs.connect(far, HOST, policy, 10))), lines]

    found: Any = on_loop(test)
    assert found[:2] == [None, None] and line in found[2]


@pytest.mark.parametrize(
    ("main", "line"),
    [
        ({"smtpd_tls_cert_file": "", "smtpd_tls_key_file": ""}, "warning: No server certs available. TLS won't be enabled"),
        ({"smtpd_tls_cert_file": "none", "smtpd_tls_ask_ccert": "yes"}, "warning: Need a server cert to request client certs"),
        ({"smtpd_tls_fingerprint_digest": "x"}, 'warning: Digest algorithm "x" not found'),
        ({"smtpd_tls_protocols": "x"}, 'warning: Invalid TLS protocol list "x": disabling TLS support'),
        ({"smtpd_tls_CAfile": "/x"}, 'cannot load Certification Authority data, CAfile="/x": disabling TLS support'),
        ({"smtpd_tls_key_file": "/x"}, 'warning: cannot get RSA private key from file "/x": disabling TLS support'),
    ],
)
def test_what_makes_it_impossible(world: World, lines: list[str], main: dict[str, str], line: str) -> None:
    assert server(world, **main) is None
    assert lines[0] == line


def test_warnings(world: World, lines: list[str]) -> None:
    assert server(world, smtpd_tls_req_ccert="yes", smtpd_tls_chain_files="{w}/ec.chain", tls_session_ticket_cipher="x", smtpd_tls_loglevel="x") is not None
    assert [line.split()[1] for line in lines] == ["Both", "Can't", "unknown", "tls_session_ticket_cipher:"]


def test_files(world: World) -> None:
    found = server_files(ServerTlsSettings(snapshot(world, {"smtpd_tls_cert_file": "none", "smtpd_tls_eccert_file": "/x"})))
    assert found.names == ("/x",)


