from __future__ import annotations

from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.content.milter_macros import STAGES, canonical_name, macro_defaults, macro_lists


def test_names() -> None:
    assert canonical_name("j") == "{j}"
    assert canonical_name("{mail_addr}") == "{mail_addr}"


def test_defaults_and_lists() -> None:
    main = {"milter_macro_defaults": "a=1, {b}=2, { c = 3 }, {d}=", "milter_rcpt_macros": "i, {rcpt_addr}"}
    settings = SmtpdSettings(Snapshot({**main, "compatibility_level": "3.11"}))
    assert macro_defaults(settings) == {"{a}": "1", "{b}": "2", "{c}": "3"}
    lists = macro_lists(settings)
    assert lists["rcpt"] == ("i", "{rcpt_addr}")
    assert sorted(lists) == sorted(STAGES)
