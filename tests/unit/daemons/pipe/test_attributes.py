from __future__ import annotations

import os
from typing import Any

import pytest

from pyfix.config.errors import ConfigError
from pyfix.daemons.pipe.attributes import read_attributes


class _Settings:
    mail_owner = "nobody"
    setgid_group = "mail"


def read(*words: str) -> Any:
    settings: Any = _Settings()
    return read_attributes(words, settings)


def test_all() -> None:
    found = read(
        "flags=DRhu", "user=daemon", "directory=/a", "chroot=/b", r"eol=\r\n", "null_sender=", "size=100", "argv=cmd", "user=x"
    )
    assert found.arguments == ["cmd", "user=x"]
    assert (found.flags, found.directory, found.root_directory) == (frozenset("DRhu"), "/a", "/b")
    assert (found.end_of_line, found.null_sender, found.size_limit) == ("\r\n", "", 100)
    assert (found.owner.uid, found.owner.gid) == (1, 1)


@pytest.mark.parametrize(("text", "expected"), [(r"\041\\x", "!\\x"), (r"\a\b\f\n\r\t\v", "\a\b\f\n\r\t\v"), ("", "")])
def test_escapes(text: str, expected: str) -> None:
    assert read(f"eol={text}", "user=daemon", "argv=cmd").end_of_line == expected


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("argv=x",), "missing user="), (("user=daemon",), "missing argv="), ((), "missing user="),
        (("user=nosuchuser", "argv=x"), "unknown username: nosuchuser"),
        (("user=daemon:nosuchgroup", "argv=x"), "unknown group: nosuchgroup"),
        (("user", "argv=x"), "unknown attribute name: user"), (("flags=Z", "user=daemon", "argv=x"), "unknown flag: Z"),
        (("size=1k", "user=daemon", "argv=x"), "bad size= value: 1k"),
    ],
)  # fmt: skip
def test_faults(words: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        read(*words)


@pytest.mark.skipif(os.getuid() != 0, reason="without root the caller's rights are the only ones")
@pytest.mark.parametrize(
    ("user", "complaint"),
    [
        ("root", "root privileges"), ("nobody", "mail system owner nobody$"), ("daemon:root", "privileged group id 0"),
        ("daemon:nogroup", "mail system owner nobody group id"), ("daemon:mail", "mail system mail group id"),
    ],
)  # fmt: skip
def test_refused_rights(user: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        read(f"user={user}", "argv=x")
