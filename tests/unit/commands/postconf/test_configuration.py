"""Which names mean something in main.cf and master.cf."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.commands.postconf.configuration import Configuration, expand
from pyfix.commands.postconf.messages import Fatal
from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot
from tests.unit.commands.postconf.conftest import Read


def test_a_name_is_used_when_a_value_refers_to_it(read: Read) -> None:
    configuration, warnings = read("mail_name = $a ${b?{$c}}\na = 1\nb = $d\nunused = 1\nd=\n")
    assert configuration.user == {"a", "b", "d"}
    assert warnings == ["main.cf: undefined parameter: c"]


def test_legacy_names_are_used_by_the_default_of_their_replacement(read: Read) -> None:
    configuration, warnings = read("virtual_maps = x\n")
    assert configuration.user == {"virtual_maps"} and not warnings
    assert "virtual_maps" not in configuration.builtin


def test_restriction_classes(read: Read) -> None:
    configuration, warnings = read("smtpd_restriction_classes = $k, two\nk = one\none = permit\n")
    assert configuration.user == {"one", "k"}
    assert warnings == ["main.cf: undefined parameter: two"]


def test_names_of_one_service(read: Read) -> None:
    configuration, warnings = read(
        "shared = 1\nmail_name = $own\n",
        "a unix - - n - - smtpd -o own=1 -o mail_name=$shared$mine$nobody -o mine=2 -o lost=3\nb unix - - n - - smtp\n",
    )
    assert configuration.user == {"shared"}
    assert configuration.local == [{"own", "mine", "mail_name"}, set()]
    assert warnings == ["master.cf: undefined parameter: nobody"]
    assert "b_destination_rate_delay" in configuration.service
    assert "a_destination_rate_delay" not in configuration.service


def test_scope_of_a_service(read: Read) -> None:
    configuration, _ = read("x = main\n", "a unix - - n - - smtpd -o x=own\n")
    scope = configuration.scope(0)
    assert expand(scope, "$x $service_name $process_name") == "own a smtpd"


def test_entries_of_one_name_share_their_options(read: Read) -> None:
    options = ["", "-o x=1 -o y=2", "-o x=3"]
    configuration, _ = read("", "".join(f"a unix - - n - - smtpd {text}\n" for text in options))
    assert configuration.overrides == [{}, {"x": "3", "y": "2"}, {"x": "3", "y": "2"}]


def test_a_name_that_a_service_makes_has_a_value(read: Read) -> None:
    configuration, _ = read("x = $foo_time_limit\n", "foo unix - n n - - pipe\n")
    assert expand(configuration.snapshot, "$x ${foo_time_limit:unset}") == "1000s "


def test_an_old_name_is_known(read: Read) -> None:
    configuration, warnings = read("mail_name = $virtual_maps\n", "")
    assert (warnings, configuration.user) == ([], set())
    configuration, _ = read("", "a unix - - n - - smtpd -o virtual_maps=x\n")
    assert configuration.user == {"virtual_maps"}


def test_classes_that_a_service_defines(read: Read) -> None:
    main_cf = "smtpd_restriction_classes = one, two\ntwo = permit\n"
    configuration, warnings = read(main_cf, "a unix - - n - - smtpd -o one=permit\n")
    assert (warnings, configuration.user, configuration.local) == ([], {"two"}, [{"one"}])


def test_read_only_names_and_comments(read: Read) -> None:
    _, warnings = read(
        "process_id = 5\nmail_name = x #y z\nmyorigin = a#b\nfoo = 1 # c\n", "a unix - - n - - x -o process_name=q\n"
    )
    assert sorted(warnings) == [
        "main.cf: #comment after other text is not allowed: #y z...",
        "main.cf: read-only parameter assignment: process_id=5",
        "master.cf: read-only parameter assignment: process_name=q",
    ]


def test_raw_values_refer_to_other_names(read: Read) -> None:
    configuration, warnings = read("default_rbl_reply = $rbl_code $a ${x\na = 1\n")
    assert not configuration.user and not warnings


def test_overrides_of_the_command_line(read: Read) -> None:
    configuration, _ = read("a = 1\n", overrides=("a=2", "b=3"))
    assert (configuration.settings["a"], configuration.settings["b"]) == ("2", "3")
    with pytest.raises(Fatal, match=r"^invalid parameter override: a: missing '=' after attribute name$"):
        read("", overrides=("a",))


def test_malformed_value(read: Read) -> None:
    with pytest.raises(Fatal, match=r"^macro processing error$"):
        read("mail_name = ${x\n")


def test_missing_master_cf(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configuration = Configuration(str(tmp_path))
    configuration.read_master(needed=False)
    assert "No such file or directory" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        configuration.read_master(needed=True)


def test_networks_are_checked_unless_set(read: Read) -> None:
    for text in ("inet_protocols = x\n", "mynetworks_style = x\n", "compatibility_level = x\n"):
        with pytest.raises((ConfigError, Fatal)):
            read(text)
    read("mynetworks_style = x\nmynetworks = 192.0.2.1\n")


def test_expand_without_a_warning() -> None:
    with pytest.raises(ConfigError, match="bad conversion"):
        expand(Snapshot({}), "${{99999999999999999999} < {1}}")
