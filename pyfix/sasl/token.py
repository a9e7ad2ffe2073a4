"""Tokens instead of passwords, from a file or from a command.

Source: postconf(5) pyfix_smtp_sasl_token_maps.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import Final

from pyfix.runtime.threads import in_thread
from pyfix.tables.table import TableError

__all__ = ["fetch_token"]

_FILE: Final = "file:"
_COMMAND: Final = "command:"
_SECONDS: Final = 30.0
_MOST: Final = 65536


async def fetch_token(source: str) -> str:
    """Return the token at ``file:/path`` or from ``command:/path argument ...``; its last newline is no part of it.

    Raises TableError.
    """
    if source.startswith(_FILE):
        return await in_thread(_read, source[len(_FILE) :].strip())
    if source.startswith(_COMMAND):
        return await in_thread(_run, source[len(_COMMAND) :])
    raise TableError("a token is at file:/path, or comes from command:/path")


def _read(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            return _token(stream.read(_MOST), path)
    except OSError as error:
        raise TableError(f"{path}: {error.strerror}") from None


def _run(command: str) -> str:
    """Run a command without a shell."""
    try:
        words = shlex.split(command)
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_SECONDS,
            check=False, cwd="/", env={"PATH": os.defpath},
        )  # fmt: skip
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        raise TableError(f"command for a token: {getattr(error, 'strerror', None) or error}") from None
    if done.returncode != 0:
        raise TableError(f"command for a token: {words[0]} ended with status {done.returncode}")
    return _token(done.stdout[:_MOST], words[0])


def _token(data: bytes, place: str) -> str:
    token = data.decode("utf-8", "surrogateescape").rstrip("\r\n")
    if not token or not token.isprintable():
        raise TableError(f"{place}: no token")
    return token
