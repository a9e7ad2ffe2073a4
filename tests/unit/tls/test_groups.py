from __future__ import annotations

import pytest

from pyfix.config.parameters.tls import TlsSettings
from pyfix.config.snapshot import Snapshot
from pyfix.runtime.libssl.names import TLS1_2_VERSION
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.tls.credentials import load_pem
from pyfix.tls.groups import read_parameters, set_groups
from tests.kit.tls import World

from .meeting import talk


def settings(**main: str) -> TlsSettings:
    return TlsSettings(Snapshot(main))


def agreed(world: World, server: Context, client: Context) -> str:
    with open(world.file("rsa.chain"), "rb") as file:
        load_pem(server, file.read(), "x")
    ours, theirs = Connection(server), Connection(client)
    ours.accepts()
    theirs.connects()
    return ours.group if talk(theirs, ours) else ""


@pytest.mark.parametrize(
    ("curves", "fields", "group", "told"),
    [
        ("secp384r1", "", "secp384r1", 0),
        ("nonsense secp521r1", "", "secp521r1", 0),
        ("nonsense", "ffdhe2048", "ffdhe2048", 0),
        ("?nonsense:P-256", "", "secp256r1", 0),
        ("nonsense", "more", "", 2),
    ],
)
def test_groups(world: World, curves: str, fields: str, group: str, told: int) -> None:
    context, warnings = Context(), list[str]()
    set_groups(context, settings(tls_eecdh_auto_curves=curves, tls_ffdhe_auto_groups=fields), warnings.append)
    found = agreed(world, Context(), context)
    assert (found == group if group else bool(found)) and len(warnings) == told


def test_defaults_are_left(world: World) -> None:
    context = Context()
    set_groups(context, settings(tls_eecdh_auto_curves="", tls_ffdhe_auto_groups=""), print)
    assert agreed(world, context, Context())


def test_parameters(world: World) -> None:
    for name, warning in (
        ("", ""),
        ("auto", ""),
        ("/nonexistent", 'error opening DH parameter file "/nonexistent": No such file or directory -- using compiled-in defaults'),
        (world.file("rsa.pem"), f'error decoding DH parameters from file "{world.file("rsa.pem")}" -- using compiled-in defaults'),
    ):
        warnings = list[str]()
        server, client = Context(), Context()
        read_parameters(name, warnings.append).serve(server)
        assert warnings[:1] == [warning] * bool(warning)
        client.set_versions(0, TLS1_2_VERSION)
        client.set_cipher_list(b"DHE-RSA-AES128-GCM-SHA256")
        with open(world.file("rsa.chain"), "rb") as file:
            load_pem(server, file.read(), "x")
        ours, theirs = Connection(server), Connection(client)
        ours.accepts()
        theirs.connects()
        assert talk(theirs, ours), name
