from __future__ import annotations

from collections.abc import Callable

import pytest

from pyfix.config.parameters.rewrite import RewriteSettings
from pyfix.rewriting.resolving.rewrite import Rewriter

Make = Callable[[str], RewriteSettings]


@pytest.mark.parametrize(
    "address, local, remote",
    [  # what Postfix's trivial-rewrite answered
        ("user", "user@mail.ours.example", "user"),
        ("user@host", "user@host", "user@host"),
        ("user@example.com", "user@example.com", "user@example.com"),
        ("a!b!c", "b!c@a", "b!c@a"),
        ("a%b", "a@b", "a@b"),
        ("a%b%c", "a%b@c", "a%b@c"),
        ("a%b!c", "c@a%b", "c@a%b"),
        ("a%b@c", "a%b@c", "a%b@c"),
        ("a!b@c", "a!b@c", "a!b@c"),
        ("@r1,@r2:u@d", "u@d", "u@d"),
        ("@b:c", "c@mail.ours.example", "c"),
        ("@b:", '@b:""', '@b:""'),
        ("@b:@c", '""@c', '""@c'),
        ("@b:c!d", "d@c", "d@c"),
        ("@", '""', '""'),
        ('""', '""', '""'),
        ("user@", "user@", "user@"),
        ("a@b.", "a@b", "a@b"),
        ("a@b..", "a@b..", "a@b.."),
        ("a@.", "a@.", "a@."),
        ('"a%b"', "a%b@mail.ours.example", "a%b"),
        ('"a@b"', '"a@b"@mail.ours.example', "a@b"),
        ("a!", '""@a', '""@a'),
        ("!a", "a@", "a@"),
        ("!a b", "ab@", "ab@"),
        ("%", '""@', '""@'),
        ("a@b (c)", "a@b (c)", "a@b (c)"),
        ("[x]", '"[x]"@mail.ours.example', '"[x]"'),
        ("\u00e9@x", "\u00e9@x", "\u00e9@x"),
    ],
)
def test_defaults(settings_of: Make, address: str, local: str, remote: str) -> None:
    rewriter = Rewriter(settings_of(""))
    assert rewriter.rewrite("local", address) == local
    assert rewriter.rewrite("remote", address) == remote


@pytest.mark.parametrize(
    "main, context, address, result",
    [
        ("append_at_myorigin = no", "local", "user", "user"),
        ("append_dot_mydomain = yes", "local", "u@h", "u@h.ours.example"),
        ("append_dot_mydomain = yes", "local", "u@h.", "u@h"),
        ("append_dot_mydomain = yes", "local", "u@[h]", "u@[h]"),
        ("append_dot_mydomain = yes", "local", "u@.h", "u@.h"),
        ("append_dot_mydomain = yes", "remote", "u@h", "u@h"),
        ("append_dot_mydomain = yes\nmyorigin = short", "local", "u", "u@short.ours.example"),
        ("remote_header_rewrite_domain = invalid.example", "remote", "u", "u@invalid.example"),
        ("remote_header_rewrite_domain = x.y\nappend_dot_mydomain = yes", "remote", "u@h", "u@h.x.y"),
        ("swap_bangpath = no", "local", "a!b", "a!b@mail.ours.example"),
        ("swap_bangpath = no", "local", "a!b%c", "a!b@c"),
        ("allow_percent_hack = no", "local", "a%b", "a%b@mail.ours.example"),
    ],
)
def test_settings(settings_of: Make, main: str, context: str, address: str, result: str) -> None:
    assert Rewriter(settings_of(main)).rewrite(context, address) == result


def test_null_address_is_warned_of(settings_of: Make, logged: list[str]) -> None:
    assert Rewriter(settings_of("")).rewrite("local", "") == ""
    assert logged == ["warning: rewrite_addr: null address"]


def test_old_default_is_told(settings_of: Make, logged: list[str]) -> None:
    """Source: COMPATIBILITY_README on append_dot_mydomain."""
    settings = settings_of("append_dot_mydomain = yes")
    assert Rewriter(settings, warn_of_default=True).rewrite("local", "u@localhost") == "u@localhost.ours.example"
    assert logged == []
    rewriter = Rewriter(settings, warn_of_default=True, localhost_is_ours=False)
    rewriter.rewrite("local", "u@h")
    rewriter.rewrite("local", "u@localhost")
    start = "info: using backwards-compatible default setting append_dot_mydomain=yes to rewrite "
    assert logged == [
        f'{start}"h" to "h.ours.example"',
        f'{start}"localhost" to "localhost.ours.example"; '
        'please add "localhost" to mydestination or other address class',
    ]
