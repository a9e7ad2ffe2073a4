"""A policy service for spawn(8): nobody sends more than so many messages an hour."""

import sys
import time
from collections import defaultdict

MOST = 100
seen: dict[str, list[float]] = defaultdict(list)


def action(asked: dict[str, str]) -> str:
    """Return what access(5) calls an action."""
    name = asked.get("sasl_username") or asked["client_address"]
    now = time.time()
    seen[name] = [when for when in seen[name] if now - when < 3600]
    if len(seen[name]) >= MOST:
        return "DEFER_IF_PERMIT 4.7.1 Too many messages, try again later"
    seen[name].append(now)
    return "DUNNO"


def main() -> None:
    """Answer request after request of one smtpd(8)."""
    asked: dict[str, str] = {}
    for line in sys.stdin:
        name, equals, value = line.rstrip("\n").partition("=")
        if equals:
            asked[name] = value
        elif asked:
            print(f"action={action(asked)}\n", flush=True)
            asked = {}


if __name__ == "__main__":
    main()
