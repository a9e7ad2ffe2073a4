from __future__ import annotations

import time

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.cleanup import CleanupSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.cleanup import setup as module
from pyfix.daemons.cleanup.setup import Setup
from pyfix.rewriting.standard import StandardForm

from .conftest import SETTINGS, myorigin


def make(**main: str) -> Setup:
    made = Setup(CleanupSettings(Snapshot(SETTINGS | main)), StandardForm(myorigin))
    made.open_tables()
    return made


def test_what_main_cf_does_not_ask_for_is_not_there() -> None:
    made = make()
    assert (made.mapping, made.aliases, made.bcc, made.checks) == (None, None, None, None)
    assert not (made.strict_header or made.strict_body or made.strict_nesting)


@pytest.mark.parametrize(
    ("main", "there"),
    [
        ({"canonical_maps": "inline:{a=b}"}, "mapping"), ({"sender_canonical_maps": "inline:{a=b}"}, "mapping"),
        ({"masquerade_domains": "x.example"}, "mapping"), ({"virtual_alias_maps": "inline:{a=b}"}, "aliases"),
        ({"always_bcc": "a@x"}, "bcc"), ({"sender_bcc_maps": "inline:{a=b}"}, "bcc"),
        ({"header_checks": "inline:{a=b}"}, "checks"), ({"body_checks": "inline:{a=b}"}, "checks"),
    ],
)  # fmt: skip
def test_tables(main: dict[str, str], there: str) -> None:
    made = make(**main)
    found = [name for name in ("mapping", "aliases", "bcc", "checks") if getattr(made, name) is not None]
    assert found == [there]


@pytest.mark.parametrize(
    ("name", "header", "body", "nesting"),
    [
        ("strict_8bitmime", True, True, True), ("strict_7bit_headers", True, False, True),
        ("strict_8bitmime_body", False, True, True), ("strict_mime_encoding_domain", False, False, True),
    ],
)  # fmt: skip
def test_strictness(name: str, header: bool, body: bool, nesting: bool) -> None:
    made = make(**{name: "yes"})
    assert (made.strict_header, made.strict_body, made.strict_nesting) == (header, body, nesting)


def test_format_of_from_headers() -> None:
    assert make(header_from_format="obsolete").obsolete_from and not make().obsolete_from


def test_headers_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_HEADERS", 2)
    made = make()
    for number in range(5):
        made.remember_header(("local", b"To", b"%d" % number), None)
        assert len(made.headers) <= 2
    made.remember_header(("local", b"To", b"x" * 2000), b"y")
    assert ("local", b"To", b"x" * 2000) not in made.headers


def test_the_time_in_message_ids_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        monkeypatch.setattr(module.time, "time", lambda: 1700000000.9)
        assert make().stamp() == "20231114221320"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_conversion_needs_to_know_the_parts() -> None:
    with pytest.raises(ConfigError, match=r"^do not specify both disable_mime_input_processing=yes and force_mime"):
        make(disable_mime_input_processing="yes", force_mime_input_conversion="yes")
    assert make(force_mime_input_conversion="yes").convert


def test_depth_matters_where_headers_of_parts_are_looked_at() -> None:
    assert not make(body_checks="static:DUNNO").strict_nesting
    for name in ("header_checks", "mime_header_checks", "nested_header_checks"):
        assert make(**{name: "static:DUNNO"}).strict_nesting
