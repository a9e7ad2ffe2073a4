"""A lookup table: who is away, from a folder of files that their owners write."""

from pathlib import Path

AWAY = Path("/var/lib/away")


def lookup(address: str) -> str | None:
    """Return the text for *address*, None where there is none; an exception is a temporary failure, and is logged."""
    path = AWAY / address.replace("/", "_")
    return path.read_text().strip() if path.exists() else None
