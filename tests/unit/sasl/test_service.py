from __future__ import annotations

from pyfix.sasl.cyrus import CyrusService
from pyfix.sasl.dovecot import DovecotService
from pyfix.sasl.service import Peer, SaslService


def test_both_kinds_are_services() -> None:
    assert issubclass(CyrusService, SaslService)
    assert issubclass(DovecotService, SaslService)
    assert DovecotService("private/auth", "smtp").lack([]) == ""


def test_peers_are_values() -> None:
    assert Peer("::1", "::2", secured=True) != Peer("::1", "::2", secured=False)
