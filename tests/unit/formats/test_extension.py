from __future__ import annotations

import pytest

from pyfix.formats.extension import split_address, split_extension, strip_extension


@pytest.mark.parametrize(
    "localpart, base, extension",
    [
        ("user", "user", None), ("user+x", "user", "x"), ("user+", "user", ""), ("user-x", "user", "x"),
        ("+ext", "+ext", None), ("++", "++", None), ("-+", "-+", None), ("owner-x", "owner-x", None),
        ("owner+x", "owner", "x"), ("Owner-x+y", "Owner-x+y", None), ("postmaster+x", "postmaster", "x"),
        ("PostMaster", "PostMaster", None), ("double-bounce", "double-bounce", None),
        ("Double-Bounce+x", "Double", "Bounce+x"), ("MAILER-daemon", "MAILER-daemon", None),
        ("mailer-daemon+x", "mailer", "daemon+x"), ("foo-request", "foo-request", None),
        ("foo-request+x", "foo", "request+x"), ("foo+x-REQUEST", "foo+x-REQUEST", None), ("a+b-c", "a", "b-c"),
        ("a-b+c", "a", "b+c"), ("", "", None),
    ],
)  # fmt: skip
def test_split(localpart: str, base: str, extension: str | None) -> None:
    """Lookups of trivial-rewrite with recipient_delimiter = +- showed these."""
    assert split_extension(localpart, "+-") == (base, extension)


def test_exceptions_are_settings() -> None:
    assert split_extension("owner-x", "-", owner_request=False) == ("owner", "x")
    assert split_extension("owner-x+y", "+") == ("owner-x", "y")
    assert split_extension("a-b", "-", double_bounce="A-B") == ("a-b", None)
    assert split_extension("a+b", "") == ("a+b", None)


def test_addresses() -> None:
    assert split_address("user+x@a", "+") == ("user", "+x", "@a")
    assert split_address("user", "+") == ("user", "", "")
    assert strip_extension("user+x@a", "+") == ("user@a", "+x")
    assert strip_extension("user@a", "+") == ("user@a", None)
    assert strip_extension("user+x@a", "") == ("user+x@a", None)
