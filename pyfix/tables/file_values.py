"""Values that are the contents of files, base64 encoded: tables of keys and certificates.

Source: postmap(1) option -F; postconf(5) tls_server_sni_maps.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

from pyfix.tables.braces import TO_BLANKS
from pyfix.tables.notice import warn
from pyfix.tables.table import TableError


def encode_files(names: str) -> str:
    """Return the contents of the named files, joined with newlines, as base64.  Raises TableError."""
    content = []
    paths = [name for name in names.translate(TO_BLANKS).split(" ") if name]
    if not paths:
        raise TableError(f"empty pathname list: >>{names}<<'")
    for name in paths:
        try:
            with open(name, "rb") as stream:
                content.append(stream.read())
        except OSError as error:
            raise TableError(f"open {name}: {error.strerror}") from error
    return b2a_base64(b"\n".join(content), newline=False).decode()


def decode_value(table: str, key: str, value: str) -> bytes:
    """Return the contents that *value* stands for.  Raises TableError, after a warning, when it is no base64."""
    try:
        return a2b_base64(value, strict_mode=True)
    except ValueError:
        warn(f"table {table}: key {key}: malformed BASE64 value: {value}")
        raise TableError(f"table {table}: query error") from None
