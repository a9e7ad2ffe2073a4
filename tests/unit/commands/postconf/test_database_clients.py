"""Tables that read main.cf, and tables with files of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.commands.postconf.database_clients import SUFFIXES, Check
from pyfix.config.errors import ConfigError
from tests.unit.commands.postconf.conftest import Read


def test_tables_that_read_main_cf(read: Read) -> None:
    configuration, _ = read(
        "virtual_alias_maps = proxy:ldap:one, pipemap:{mysql:two,debug:pgsql:three}, hash:sqlite:four\n"
        "one_scope = 1\ntwo_user = 1\nthree_encoding = 1\nfour_dbpath = 1\none_nosuch = 1\n",
        "a unix - - n - - smtpd -o alias_maps=mysql:five -o five_user=1\n",
    )
    assert configuration.user == {"one_scope", "two_user", "three_encoding"}
    assert configuration.local == [{"five_user", "alias_maps"}]


def test_file_of_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my.cf"
    path.write_text("user = x\nbogus = 1\n")
    check = Check()
    assert list(check.names(f"mysql:{path}, mysql:{path} ldap:/nonexistent mysql:abc", "f", "f")) == [
        f"abc_{suffix}" for suffix in SUFFIXES["mysql"].split()
    ]
    err = capsys.readouterr().err
    assert err.count(f"mysql:{path}: unused parameter: bogus=1") == 1
    assert 'open "ldap" configuration "/nonexistent": No such file or directory' in err
    list(Check(quiet=True).names(f"mysql:{path}", "f", "f"))
    assert not capsys.readouterr().err
    path.write_text("user\n")
    with pytest.raises(ConfigError, match="missing '=' after attribute name"):
        list(Check().names(f"mysql:{path}", "f", "f"))


def test_what_looks_like_a_comment_ends_the_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(Check().names("memcache:a #x mysql:b and more than is shown", "f", "g")) == [
        f"a_{suffix}" for suffix in SUFFIXES["memcache"].split()
    ]
    assert capsys.readouterr().err.endswith("f: #comment after other text is not allowed: #x mysql:b and more tha...\n")
    assert list(Check().names("reject,#x", "f", "g")) == []
    assert capsys.readouterr().err.endswith("not allowed: #x ...\n")
    assert list(Check().names("a#x", "f", "g")) == []
    assert capsys.readouterr().err == ""
