"""``host:port``, ``[host]:port`` or ``port``: how main.cf, master.cf and tables name a place on the network.

Source: master(5), tcp_table(5).
"""

from __future__ import annotations

import re

_NUMERIC_GARBAGE = re.compile(r"\d+\D")


def split_host_port(text: str) -> tuple[str, str]:
    """Return host, empty when there is none, and port or name of a service.

    Raises ValueError, which says what is wrong; whether the host can be one is for the caller to find out.
    """
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed:
            raise ValueError('missing "]"')
        if rest and not rest.startswith(":"):
            raise ValueError('garbage after "]"')
        port = rest[1:]
    else:
        host, _, port = text.rpartition(":")
    if not port:
        raise ValueError("missing service information")
    if _NUMERIC_GARBAGE.match(port):
        raise ValueError("garbage after numerical service")
    return host, port
