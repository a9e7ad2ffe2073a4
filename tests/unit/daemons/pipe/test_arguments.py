from __future__ import annotations

from typing import Any

import pytest

from pyfix.daemons.pipe.arguments import BadArguments, CommandArguments
from pyfix.daemons.pipe.attributes import CommandAttributes
from pyfix.formats.attributes import Long
from pyfix.protocols.internal.delivery import Recipient

RECIPIENTS = [Recipient("One+X@Ours.example", "One+X@Ours.example", Long(0)), Recipient("b@x", "two@Ours.example", Long(0))]


class _Request:
    sender = "s x@Client.example"
    nexthop = "Hop.example"
    size = 12
    client_address, helo_name, client_name, client_port = "192.0.2.1", "helo", "name", "25"
    protocol_name, sasl_method, sasl_username, sasl_sender = "ESMTP", "PLAIN", "me", "you"
    queue_id, envelope_id = "ABC", "env"


def made(*words: str, flags: str = "", sender: str | None = None, null_sender: str = "MAILER-DAEMON") -> list[str]:
    request: Any = _Request()
    if sender is not None:
        request.sender = sender
    attributes = CommandAttributes(list(words), flags=frozenset(flags), null_sender=null_sender)
    return CommandArguments(attributes, "+", "service s").of(request, RECIPIENTS)


def test_once_or_for_each_recipient() -> None:
    assert made("cmd", "-f$sender", "$recipient", "${user}.$(domain)", "$$x", "") == [
        "cmd", "-fs x@Client.example", "One+X@Ours.example", "two@Ours.example", "One.Ours.example", "two.Ours.example",
        "$x", "",
    ]  # fmt: skip
    assert made("$extension", "$mailbox", "$original_recipient") == [
        "X", "", "One+X", "two", "One+X@Ours.example", "b@x",
    ]  # fmt: skip


def test_flags() -> None:
    assert made("$recipient", flags="h")[0] == "One+X@ours.example"
    assert made("$recipient", flags="u")[0] == "one+x@Ours.example"
    assert made("$sender", "$nexthop", flags="qh") == ['"s x"@Client.example', "hop.example"]


def test_null_sender() -> None:
    assert made("$sender", sender="") == ["MAILER-DAEMON"]
    assert made("$sender", sender="", null_sender="", flags="q") == [""]
    assert made("$sender", sender="", null_sender="a b", flags="q") == ['"a b"']


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("$colour", 'service s: unknown macro name: "colour"'), ("${user?x}", 'unknown macro name: "user?x"'),
        ("${user", "truncated macro reference"), ("$.", "empty macro name"), ("${}", "empty macro name"),
    ],
)  # fmt: skip
def test_faults(word: str, complaint: str) -> None:
    with pytest.raises(BadArguments, match=complaint.replace("?", r"\?")):
        made(word)


def test_an_address_without_a_domain() -> None:
    request: Any = _Request()
    arguments = CommandArguments(CommandAttributes(["$user"]), "", "s")
    with pytest.raises(BadArguments, match="no @ in recipient address: alone"):
        arguments.of(request, [Recipient("", "alone", Long(0))])
