"""Automatic copies."""

from __future__ import annotations

import pytest

from pyfix.rewriting.bcc import AutomaticBcc
from pyfix.rewriting.domains import OwnDomains
from pyfix.rewriting.lookup import MappingError
from pyfix.runtime.task import run_now

from .conftest import MakeSettings


def test_copies(settings: MakeSettings) -> None:
    made = settings(
        always_bcc="all@x.example",
        sender_bcc_maps={"s@v.example": "sc@x.example", "@dom.example": "dc@x.example"},
        recipient_bcc_maps={"r@v.example": "rc@x.example", "luser": "lc"},
    )
    bcc = AutomaticBcc(made, OwnDomains(made))
    assert bcc.always == "all@x.example"
    assert run_now(bcc.of_sender("s+ext@v.example")) == "sc@x.example"
    assert run_now(bcc.of_sender("x@dom.example")) == "dc@x.example"
    assert run_now(bcc.of_sender("r@v.example")) is None
    assert run_now(bcc.of_recipient("r@v.example")) == "rc@x.example"
    assert run_now(bcc.of_recipient("luser@mail.ours.example")) == "lc"


def test_nobody(settings: MakeSettings) -> None:
    made = settings()
    assert not AutomaticBcc(made, OwnDomains(made))


def test_a_table_that_fails(settings: MakeSettings) -> None:
    made = settings(recipient_bcc_maps="fail:broken")
    with pytest.raises(MappingError, match="recipient_bcc_maps map lookup problem -- message not accepted"):
        run_now(AutomaticBcc(made, OwnDomains(made)).of_recipient("r@v.example"))
