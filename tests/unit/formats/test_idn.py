"""Names beyond ASCII; that ICU makes the same of them is compared in tests/parity."""

from __future__ import annotations

import pytest

from pyfix.formats.idn import ascii_form, complaint, unicode_form


@pytest.mark.parametrize(
    ("name", "ascii_name"),
    [
        ("example.com", "example.com"), ("EXAMPLE.com", "example.com"), ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example", "xn--bcher-kva.example"), ("straße.example", "xn--strae-oqa.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("bücher.example.", "xn--bcher-kva.example."),
        ("日本語。example", "xn--wgv71a119e.example"), ("u\u0308ber.example", "xn--ber-goa.example"), ("☃.example", "xn--n3h.example"),
        ("_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example"),
    ],
)  # fmt: skip
def test_ascii_forms(name: str, ascii_name: str) -> None:
    assert ascii_form(name) == (ascii_name, "")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a..b", "UIDNA_ERROR_EMPTY_LABEL"), ("ü" * 64, "UIDNA_ERROR_LABEL_TOO_LONG"), ("-ü.example", "UIDNA_ERROR_LEADING_HYPHEN"),
        ("ü-.example", "UIDNA_ERROR_TRAILING_HYPHEN"), ("-ü-.example", "UIDNA_ERROR_LEADING_HYPHEN,UIDNA_ERROR_TRAILING_HYPHEN"),
        ("\u0301a.example", "UIDNA_ERROR_LEADING_COMBINING_MARK"), ("xn--\u00fc.example", "UIDNA_ERROR_PUNYCODE"),
        ("ab--ü.example", "UIDNA_ERROR_HYPHEN_3_4"), ("\udcff.example", "malformed UTF-8"),
        (".".join(["x" * 60] * 5), "UIDNA_ERROR_DOMAIN_NAME_TOO_LONG"),
    ],
)  # fmt: skip
def test_what_is_wrong(name: str, reason: str) -> None:
    assert ascii_form(name)[1] == reason


@pytest.mark.parametrize(
    ("name", "unicode_name"),
    [
        ("xn--bcher-kva.example", "bücher.example"), ("example.com", "example.com"), ("xn--n3h.example", "☃.example"),
        ("xn--.example", None), ("xn--a.example", None), ("xn--Bcher-kva.example", "bücher.example"), ("a..b", None),
    ],
)  # fmt: skip
def test_unicode_forms(name: str, unicode_name: str | None) -> None:
    form, wrong = unicode_form(name)
    assert (None if wrong else form) == unicode_name


@pytest.mark.parametrize("name", ["bücher.example", "straße.de", "日本語.jp", "пример.example"])
def test_back_again(name: str) -> None:
    assert unicode_form(ascii_form(name)[0]) == (name, "")


def test_the_warning() -> None:
    text = 'midna_domain_to_ascii_create: Problem translating domain "a..b" to ASCII form: UIDNA_ERROR_EMPTY_LABEL'
    assert complaint("a..b", ascii_form("a..b")[1]) == text
    text = 'midna_domain_to_utf8_create: Problem translating domain "a..b" to UTF8 form: UIDNA_ERROR_EMPTY_LABEL'
    assert complaint("a..b", unicode_form("a..b")[1], "UTF8") == text
