"""Changing parameters in the text of a main.cf, or where SMTP listens in a master.cf; everything else stays."""

from __future__ import annotations

import re
from collections.abc import Mapping


def with_parameters(text: str, parameters: Mapping[str, str]) -> str:
    """Return a main.cf in which *parameters* are set: in place where they are, else at its end.

    Lines that continue an old value go with it.  Source: postconf(1), option -e.
    """
    left = dict(parameters)
    lines: list[str] = []
    dropping = False
    for line in text.splitlines():
        if dropping and line[:1] in {" ", "\t"} and line.strip():
            continue
        found = re.match(r"([^\s#=]+)\s*=", line)
        dropping = found is not None and found[1] in parameters
        if found is None or not dropping:
            lines.append(line)
        elif found[1] in left:
            lines.append(f"{found[1]} = {left.pop(found[1])}")
    lines += [f"{name} = {value}" for name, value in left.items()]
    return "\n".join(lines) + "\n"


def with_smtp_on(text: str, endpoint: str) -> str:
    """Return a master.cf whose SMTP service listens on *endpoint*, a port or ``host:port``."""
    return re.sub(r"(?m)^smtp(?=\s+inet\s)", endpoint, text)
