"""Cyrus SASL's own file of passwords, a Berkeley DB hash file.

Source: Cyrus SASL, "sasldb"; saslpasswd2(8).
"""

from __future__ import annotations

import os

from pyfix.formats.db.hash import HashFile
from pyfix.formats.db.page import DbError

__all__ = ["SasldbError", "find_password"]

_PROPERTY = b"userPassword"


class SasldbError(Exception):
    """The file can't be read; the text is for the log."""


def find_password(path: str, user: bytes, realm: bytes) -> bytes | None:
    """Return the password of a user in a realm, None for an unknown one or when there is no file.  Blocks.

    Raises SasldbError.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SasldbError(f"unable to open Berkeley db {path}: {error.strerror}") from None
    try:
        return HashFile(lambda offset, size: os.pread(fd, size, offset)).get(b"\0".join((user, realm, _PROPERTY)))
    except DbError as error:
        raise SasldbError(f"unable to open Berkeley db {path}: {error}") from None
    except OSError as error:
        raise SasldbError(f"unable to open Berkeley db {path}: {error.strerror}") from None
    finally:
        os.close(fd)
