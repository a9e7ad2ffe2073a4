"""What others have to be told of a key: a request for a certificate, and DANE's records.  Source: postfix-tls(1)."""

from __future__ import annotations

import os
import sys

from pyfix.commands.postfix.system import System
from pyfix.commands.postfix.tls.server import key_in_use
from pyfix.commands.postfix.tls.words import hosts_of, options_of, path_of

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_ALGORITHMS = ("rsa", "ecdsa")


def request(system: System, words: Sequence[str]) -> int:
    """Print a request for a certificate; return 0, or 1 for a file without a key.  Raises Failure."""
    options, hosts = options_of(system, "output-server-csr", words, "k:")
    path = _key_path(system, options.get("k") or "rsa")
    if path is None or not os.path.exists(path):
        raise system.failure("No usable keyfile specified or configured")
    from pyfix.commands.postfix.tls import keys

    try:
        key = keys.read_key(path)
    except keys.KeyTrouble:
        print(f"Could not read private key from {path}", file=sys.stderr)
        return 1
    try:
        text = keys.request(key, hosts_of(system, hosts))
    except keys.KeyTrouble as error:
        print(error, file=sys.stderr)
        return 1
    print(text.decode(), end="", flush=True)
    return 0


def tlsa(system: System, words: Sequence[str]) -> int:
    """Print a TLSA record for port 25 and each key; return 0.  Raises Failure."""
    options, names = options_of(system, "output-server-tlsa", words, "h:")
    host = options.get("h") or system.settings.myhostname
    paths = [path for path in (_key_path(system, name) for name in names or _ALGORITHMS) if path is not None]
    if not paths:
        raise system.failure("No usable keyfiles specified or configured")
    from pyfix.commands.postfix.tls import keys

    for path in paths:
        print(f"; {path}", flush=True)
        try:
            key = keys.read_key(path)
        except keys.KeyTrouble:
            key = None
        if key is None or keys.algorithm_of(key) is None:
            raise system.failure(f"no private key found in file: {path}")
        print(f"_25._tcp.{host}. IN TLSA 3 1 1 {keys.public_key_digest(key)}", flush=True)
    return 0


def _key_path(system: System, name: str) -> str | None:
    """Return the path that a word means: the key in use of an algorithm (None without one), else a file."""
    return key_in_use(system, name) if name in _ALGORITHMS else path_of(system, name)
