from __future__ import annotations

from pathlib import Path

from pyfix.config.snapshot import Snapshot
from pyfix.install.places import Places


def test_below_a_prefix() -> None:
    """Nothing is outside."""
    places = Places.below(Path("/opt/pyfix"))
    assert places.units is None
    assert all(str(value).replace("hash:", "").startswith("/opt/pyfix/") for value in places.parameters().values())


def test_the_whole_machine() -> None:
    """Where Postfix has its parts by default, so that main.cf need not say much."""
    places = Places.below(Path("/usr"))
    defaults = Snapshot({})
    different = {name for name, value in places.parameters().items() if value != defaults.value(name)}
    assert different == {"manpage_directory"}
    assert places.configuration == Path("/etc/postfix")
    assert places.units == Path("/usr/lib/systemd/system")
