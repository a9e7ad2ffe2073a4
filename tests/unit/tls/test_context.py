from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.config.parameters.tls import TlsSettings
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.libssl.library import ffi
from pyfix.runtime.libssl.names import VERIFY_PEER
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.tls.ciphers import BadCiphers
from pyfix.tls.context import (
    TlsUnusable,
    grade_lists,
    load_authorities,
    new_context,
    set_ciphers,
    set_versions,
    share_authorities,
)
from pyfix.tls.credentials import load_pem
from pyfix.tls.protocols import parse_protocols
from tests.kit.tls import World

from .meeting import talk


def settings(**main: str) -> TlsSettings:
    return TlsSettings(Snapshot({"tls_append_default_CA": "no", **main}))


def meet(world: World, server: Context, client: Context) -> Connection | None:
    """Return the client's side after a handshake, None when it failed."""
    with open(world.file("rsa.chain"), "rb") as file:
        load_pem(server, file.read(), "x")
    ours, theirs = Connection(server), Connection(client)
    ours.accepts()
    theirs.connects()
    return theirs if talk(theirs, ours) else None


def test_options() -> None:
    warnings = list[str]()
    new_context(settings(tls_ssl_options="x, NO_TICKET", tls_disable_workarounds="y"), warnings.append)
    assert warnings == ['unknown tls_disable_workarounds value "y" in "y"', 'unknown tls_ssl_options value "x" in "x, NO_TICKET"']
    with pytest.raises(TlsUnusable, match="non-default tls_config_file = x is not an absolute pathname"):
        new_context(settings(tls_config_file="x"), print)


@pytest.mark.parametrize(
    ("text", "version"),
    [("", "TLSv1.3"), ("<=TLSv1.2", "TLSv1.2"), ("!TLSv1.3", "TLSv1.2"), ("TLSv1.2", "TLSv1.2"), (">=TLSv1.3", "TLSv1.3"),
     ("<=TLSv1.1", "TLSv1.1"), ("TLSv1", "TLSv1")],
)  # fmt: skip
def test_versions(world: World, text: str, version: str) -> None:
    server, client = new_context(settings(), print), new_context(settings(), print)
    set_versions(server, parse_protocols(text.split()))
    met = meet(world, server, client)
    assert met is not None and met.protocol == version


def test_ciphers(world: World) -> None:
    server, client = new_context(settings(), print), new_context(settings(), print)
    set_versions(client, parse_protocols(["TLSv1.2"]))
    assert set_ciphers(client, settings(tls_high_cipherlist="AES128-SHA:AES256-SHA"), "high", ["AES128"]) == "AES128-SHA:AES256-SHA:!AES128"
    met = meet(world, server, client)
    assert met is not None and met.cipher[0] == "AES256-SHA"
    with pytest.raises(TlsUnusable) as caught:
        set_ciphers(server, settings(tls_medium_cipherlist="NONSENSE"), "medium", [])
    assert caught.value.lines == (
        'error setting cipher grade: "medium"', "TLS library problem: error:0A0000B9:SSL routines::no cipher match:",
    )  # fmt: skip
    with pytest.raises(BadCiphers):
        set_ciphers(server, settings(), "x", [])
    assert set(grade_lists(settings())) == {"high", "medium", "null"}


def test_authorities(world: World) -> None:
    trusting, sharing = new_context(settings(), print), new_context(settings(), print)
    load_authorities(trusting, settings(), world.file("ca.pem"), "")
    share_authorities(trusting, sharing)
    for client, good in ((trusting, True), (sharing, True), (new_context(settings(), print), False)):
        client.set_verify(VERIFY_PEER, ffi.NULL)
        assert (meet(world, new_context(settings(), print), client) is not None) is good
    with pytest.raises(TlsUnusable) as caught:
        load_authorities(new_context(settings(), print), settings(), "/nonexistent", "/also")
    assert caught.value.lines[0] == (
        ' cannot load Certification Authority data, CAfile="/nonexistent", CApath="/also": disabling TLS support'
    )
    load_authorities(new_context(settings(), print), settings(tls_append_default_CA="yes"), "", "")


def test_configuration_of_the_library(tmp_path: Path) -> None:
    path = tmp_path / "openssl.cnf"
    path.write_text("openssl_conf = nowhere\n")
    with pytest.raises(TlsUnusable, match="error loading the 'mine' settings from the /nonexistent OpenSSL configuration file, disabling TLS support"):
        new_context(settings(tls_config_file="/nonexistent", tls_config_name="mine"), print)
    with pytest.raises(TlsUnusable, match="error loading the 'global' settings") as raised:
        new_context(settings(tls_config_file=str(path)), print)
    assert "references missing section" in raised.value.lines[1]
    new_context(settings(tls_config_file="none"), print)
    new_context(settings(), print)
