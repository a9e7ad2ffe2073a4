from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.daemons.local.users import User
from pyfix.daemons.local.variables import censored, environment, expand_text
from pyfix.formats.macros import MacroError
from pyfix.runtime.identity import Owner
from tests.unit.daemons.local.test_step import step

ALICE = User("alice", Owner(1001, 1001), "/home/alice", "/bin/sh")


@pytest.mark.parametrize(
    ("text", "address", "value", "incomplete"),
    [
        ("$home/.forward${recipient_delimiter}${extension}", "alice-x@h", "/home/alice/.forward-x", False),
        ("$home/.forward${recipient_delimiter}${extension}", "alice@h", "/home/alice/.forward", True),
        ("$home/.f${extension?+$extension}", "alice@h", "/home/alice/.f", False),
        ("$user $local $domain $recipient $shell", "alice+x@h", "alice alice+x h alice+x@h /bin/sh", False),
        ("$home/.f-$extension", "alice+@h", "/home/alice/.f-", False),
        ("$nosuch", "alice@h", "", True),
    ],
)
def test_texts(text: str, address: str, value: str, incomplete: bool) -> None:
    found = expand_text(text, step(address), ALICE)
    assert (found, found.incomplete) == (value, incomplete)


def test_filter_and_names() -> None:
    found = expand_text("/$home/$extension", step("alice+a!b@h"), ALICE, allowed="/abcehilmo")
    assert found == "//home/alice/a_b" and found.names == {"home", "extension"}
    with pytest.raises(MacroError):
        expand_text("${home", step("alice@h"), ALICE)


def test_environment() -> None:
    names = "client_name client_address helo_name protocol_name sasl_method sasl_sender sasl_username envelope_id"
    request: Any = SimpleNamespace(**(dict.fromkeys(names.split(), "") | {"helo_name": "h"}))
    found = environment(step("alice+x@h"), ALICE, request)
    assert found == {
        "LOGNAME": "alice", "USER": "alice", "RECIPIENT": "alice+x@h", "LOCAL": "alice+x", "DOMAIN": "h",
        "EXTENSION": "x", "HOME": "/home/alice", "SHELL": "/bin/sh", "CLIENT_HELO": "h", "ORIGINAL_RECIPIENT": "o@x",
        "SENDER": "s@x",
    }  # fmt: skip
    assert "HOME" not in environment(step("alice@h"), None, request)
    assert censored({"A": "a;b"}, "ab") == {"A": "a_b"}
