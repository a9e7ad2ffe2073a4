"""What postconf says of this mail system itself."""

from __future__ import annotations

from pyfix.tables.source import TABLE_TYPES
from tests.unit.commands.postconf.conftest import Run


def test_features(postconf: Run) -> None:
    assert postconf("-l")[1] == ["flock", "fcntl", "dotlock"]
    assert postconf("-a")[1] == ["cyrus", "dovecot"]
    assert postconf("-A")[1] == ["cyrus"]
    assert postconf("-m")[1] == sorted(TABLE_TYPES)
    assert postconf("-T", "run-version")[1][0].startswith("OpenSSL ")
    assert postconf("-T", "nosuch")[0] == 1
