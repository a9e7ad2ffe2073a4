import asyncio

import pytest

from pyfix.tables import flags as bits
from pyfix.tables.table import Opening, Table, TableError, fail_query, fold, masked, valid_text


class Mirror(Table):
    kind = "mirror"
    value: str | None = None

    def lookup(self, key: str) -> str | None:
        return key if self.value is None else self.value


def opened(flags: int = bits.ORDINARY, **values: str) -> Mirror:
    return Mirror("x", Opening(None, flags))


def test_keys_are_folded() -> None:
    assert opened().find_now("User@Example") == "user@example"
    assert opened().find_now("ÉTÉ") == "été"
    assert opened().find_now("straße") == "strasse"
    assert opened(bits.LOCK).find_now("User") == "User"
    assert opened(bits.FOLD_FIX).find_now("É-A") == "É-a"


def test_find_waits_for_nothing() -> None:
    assert asyncio.run(opened().find("K")) == "k"


def test_text_that_is_not_utf8(notices: list[str]) -> None:
    table = opened()
    assert table.find_now("a\udcff\x01") is None
    assert notices == ['warning: mirror:x: non-UTF-8 key "a??": malformed UTF-8 or invalid codepoint']
    notices.clear()
    table.value = "\udcfe"
    with pytest.raises(TableError):
        table.find_now("k")
    assert notices == ['warning: mirror:x: key "k": non-UTF-8 value "?": malformed UTF-8 or invalid codepoint']
    assert opened(bits.FOLD_FIX).find_now("\udcff") == "\udcff"


def test_utf8_needs_the_parameter(parameters: type) -> None:
    assert not Opening(parameters(smtputf8_enable="no")).utf8
    assert Opening(parameters(smtputf8_enable="YES")).utf8


def test_opening() -> None:
    opening = Opening(None, bits.LOCK)
    assert opening.with_flags(bits.LOCK) is opening
    assert opening.with_flags(bits.DEBUG).flags == bits.DEBUG
    assert opening.setting("no_such", "default") == "default"


def test_small_things() -> None:
    assert valid_text("é") and not valid_text("\udc80")
    assert fold("ÀB", utf8=False) == "Àb"
    assert masked("plain") == "plain"
    assert masked("é\n") == "é?"
    assert repr(opened()) == "<Mirror mirror:x>"
    assert not opened().changed()
    with pytest.raises(TableError, match="table mirror:x: query error"):
        fail_query(opened())
