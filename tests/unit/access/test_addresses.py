from __future__ import annotations

from typing import Any

import pytest

from pyfix.access.addresses import reject_non_fqdn_recipient, reject_non_fqdn_sender
from pyfix.access.evaluate import Check
from pyfix.access.general import permit
from pyfix.access.stage import RECIPIENT
from pyfix.access.verdict import DUNNO, Reject

from .fakes import transaction

CHECK = Check("x", permit)


@pytest.mark.parametrize(
    ("address", "good"),
    [("a@b.c", True), ("a@b.c.", True), ("a@[1.2.3.4]", True), ("", True), ("a@b", False), ("a", False), ("a@b.", False)],
)
def test_domains(monkeypatch: Any, address: str, good: bool) -> None:
    found = transaction(monkeypatch, sender=address, recipient=address)
    for restriction in (reject_non_fqdn_sender, reject_non_fqdn_recipient):
        verdict = restriction(found, RECIPIENT, CHECK)
        assert (verdict is DUNNO) is good
        assert good or (isinstance(verdict, Reject) and verdict.reply.startswith(f"504 5.5.2 <{address}>: "))
