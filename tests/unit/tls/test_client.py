from __future__ import annotations

from typing import Any

import pytest

from pyfix.config.parameters.smtp_client import SmtpClientSettings
from pyfix.runtime.log import log
from pyfix.runtime.task import gather
from pyfix.tls.client import Host, client_files
from pyfix.tls.policy import ClientPolicy
from tests.kit.tls import World
from tests.unit.runtime.forked import on_loop

from .meeting import client, server, snapshot, streams

HOST = Host("peer[192.0.2.1]:25", "rsa.example", "dest.example")


def met(world: World, policy: ClientPolicy, of_server: dict[str, str] | None = None, **main: str) -> Any:
    """Return the client's word for the server, None without TLS, and what it logged."""

    async def test() -> Any:
        lines: list[str] = []
        log.info = lines.append  # type: ignore[method-assign,assignment]  # in a process of its own
        log.warning = lambda text: lines.append(f"warning: {text}")  # type: ignore[method-assign,assignment]  # what the test listens with
        ours, theirs = server(world, smtpd_tls_loglevel="0", **of_server or {}), client(world, **main)
        assert ours is not None and theirs is not None
        near, far = streams()

        async def connecting() -> Any:
            facts = await theirs.connect(far, HOST, policy, 10)
            if facts is None:
                far.close()
            return facts and [facts.level, facts.matched, facts.trusted]

        return (await gather(connecting(), ours.accept(near, "x", 10)))[0], lines

    return on_loop(test)


CA = {"smtp_tls_CAfile": "{w}/ca.pem"}


@pytest.mark.parametrize(
    ("policy", "main", "facts", "line"),
    [
        (ClientPolicy("encrypt"), {}, ["Untrusted", False, False], ""),
        (ClientPolicy("encrypt"), CA, ["Trusted", False, True], ""),
        (ClientPolicy("verify", match=("hostname",)), CA, ["Verified", True, True], ""),
        (ClientPolicy("verify", match=("hostname",)), {}, ["Untrusted", False, False], "certificate verification failed for peer[192.0.2.1]:25: untrusted issuer /O=Testing/CN=Test Authority"),
        (ClientPolicy("secure", match=("nexthop",)), CA, ["Trusted", False, True], "server certificate verification failed for peer[192.0.2.1]:25: num=62:hostname mismatch"),
        (ClientPolicy("secure", match=("192.0.2.7",)), CA, ["Untrusted", False, False], "server certificate verification failed for peer[192.0.2.1]:25: num=64:IP address mismatch"),
        (ClientPolicy("fingerprint", match=("AA",)), CA, ["Untrusted", False, False], "warning: peer[192.0.2.1]:25: all fingerprints unusable"),
        (ClientPolicy("encrypt", protocols=("x",)), {}, None, 'warning: peer[192.0.2.1]:25: Invalid TLS protocol list "x": aborting TLS session'),
        (ClientPolicy("encrypt", grade="x"), {}, None, 'warning: peer[192.0.2.1]:25: invalid cipher grade: "x"'),
        (ClientPolicy("secure", match=("hostname",), trust_anchors=("{w}/ca.pem",)), {}, ["Verified", True, True], ""),
        (ClientPolicy("secure", match=("hostname",), trust_anchors=("/x",)), {}, None, ""),
        (ClientPolicy("verify", match=("hostname",)), {**CA, "smtp_tls_loglevel": "certmatch"}, ["Verified", True, True], "peer[192.0.2.1]:25: matched peername: rsa.example"),
    ],
)  # fmt: skip
def test_levels(world: World, policy: ClientPolicy, main: dict[str, str], facts: object, line: str) -> None:
    from dataclasses import replace

    anchors = tuple(name.replace("{w}", str(world.folder)) for name in policy.trust_anchors)
    found, lines = met(world, replace(policy, trust_anchors=anchors), **main)
    assert found == facts and (not line or line in lines)


def test_contexts_are_made_once(world: World) -> None:
    found = client(world, smtp_tls_chain_files="{w}/client.chain")
    assert found is not None
    first = found._context(ClientPolicy("may", (">=TLSv1.2",)))
    assert found._context(ClientPolicy("encrypt", (">=TLSv1.2",))) is first
    assert found._context(ClientPolicy("verify", (">=TLSv1.2",))) is not first  # which takes no anonymous ciphers


def test_what_makes_it_impossible(world: World, lines: list[str]) -> None:
    for main, line in (
        ({"smtp_tls_fingerprint_digest": "x"}, 'warning: Digest algorithm "x" not found'),
        ({"smtp_tls_CApath": "x", "smtp_tls_CAfile": "/x"}, 'cannot load Certification Authority data, CAfile="/x", CApath="x": disabling TLS support'),
        ({"smtp_tls_chain_files": "{w}/client.pem"}, f"warning: error loading chain from {world.file('client.pem')}: key not first"),
    ):  # fmt: skip
        lines.clear()
        assert client(world, **main) is None
        assert lines[0] == line


def test_files(world: World) -> None:
    settings = SmtpClientSettings(snapshot(world, {"smtp_tls_eccert_file": "/x", "smtp_tls_dcert_file": "/y", "smtp_tls_dkey_file": "/z"}))
    assert client_files(settings).names == ("/y", "/z", "/x")
