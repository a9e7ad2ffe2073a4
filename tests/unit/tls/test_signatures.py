from __future__ import annotations

from pyfix.runtime.libssl.names import TLS1_2_VERSION
from pyfix.runtime.libssl.objects import Connection, Context
from pyfix.tls.credentials import load_pem
from pyfix.tls.signatures import Signatures
from pyfix.tls.verification import note_problems
from tests.kit.tls import World

from .meeting import talk


def digests(world: World, server: str, client: str = "", highest: int = 0) -> tuple[object, object]:
    """Return what the server's and the client's watcher saw."""
    contexts = [Context(), Context()]
    for context, name in zip(contexts, (server, client), strict=True):
        if name:
            with open(world.file(f"{name}.chain"), "rb") as file:
                load_pem(context, file.read(), name)
    note_problems(contexts[0], asks=True)
    if highest:
        contexts[1].set_versions(0, highest)
    watchers = [Signatures(context) for context in contexts]
    ours, theirs = (Connection(context) for context in contexts)
    ours.accepts()
    theirs.connects()
    assert talk(theirs, ours)
    seen = watchers[0].take(ours), watchers[1].take(theirs)
    assert watchers[0].take(ours) == (None, None)  # once only
    return seen


def test_signatures(world: World) -> None:
    assert digests(world, "rsa") == (("SHA256", None), (None, "SHA256"))
    assert digests(world, "ed", "client2") == (("", "SHA384"), ("SHA384", ""))
    assert digests(world, "rsa", highest=TLS1_2_VERSION) == ((None, None), (None, None))
