"""What the postmaster hears; parity is in tests/parity/smtp/test_complaints.py."""

from __future__ import annotations

import pytest

from pyfix.daemons.smtp.complaint import concerns_protocol


@pytest.mark.parametrize(
    ("code", "concerns"),
    [(500, True), (509, True), (555, True), (354, True), (250, True), (510, False), (450, False), (554, False)],
)
def test_codes(code: int, concerns: bool) -> None:
    assert concerns_protocol(code) is concerns
