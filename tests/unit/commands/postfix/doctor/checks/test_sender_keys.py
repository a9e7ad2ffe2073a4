from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, WARNING, Look, Site, only

MAIN = "pyfix_srs_domain = ours.example\npyfix_srs_key_file = {dir}/keys\n"


def test_right(look: Look, site: Site) -> None:
    site.file("keys", "a key\n", 0o600)
    assert look(MAIN) == []
    assert look("pyfix_srs_key_file = {dir}/none\n") == [], "nothing is rewritten"


@pytest.mark.parametrize(
    ("text", "main", "said"),
    [
        (None, MAIN, "keys: No such file or directory"),
        ("\n", MAIN, "there is no key in "),
        ("a key\n", "pyfix_srs_domain = ours.example\n", "pyfix_srs_domain requires pyfix_srs_key_file"),
        ("a key\n", MAIN + "pyfix_srs_hash_length = 3\n", "pyfix_srs_hash_length"),
    ],
)
def test_wrong(look: Look, site: Site, text: str | None, main: str, said: str) -> None:
    if text is not None:
        site.file("keys", text, 0o600)
    finding = only(look(main))
    assert finding.severity is ERROR
    assert said in finding.what
    assert finding.place.line == site.line("main.cf", "key_file =" if "key_file =" in main else "pyfix_srs_domain =")


def test_everybody_may_read_them(look: Look, site: Site) -> None:
    keys = site.file("keys", "a key\n")
    finding = only(look(MAIN))
    assert (finding.severity, finding.instead) == (WARNING, (f"chmod 0600 {keys}",))
