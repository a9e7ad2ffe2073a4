"""One reading of main.cf: who wins, what is expanded, what is worked out from the host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.snapshot import Snapshot, default_config_directory


def test_read(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("mail_name = x $mail_version\nmail_name = $word\nword = w\n")
    snapshot = Snapshot.read(str(tmp_path), [("word", "o"), ("word", "p")], process_name="smtpd", service_name="smtp")
    assert snapshot.raw("mail_name") == "$word"
    assert snapshot.value("mail_name") == "p"
    assert snapshot.raw("myhostname") is None
    assert snapshot.names == ("config_directory", "mail_name", "word")
    assert snapshot.warnings == (f"{tmp_path}/main.cf, line 2: overriding earlier entry: mail_name=x $mail_version",)
    assert snapshot.config_directory == snapshot.value("config_directory") == str(tmp_path)
    assert snapshot.expand("$process_name $service_name $process_id") == f"smtpd smtp {os.getpid()}"


def test_main_cf_may_name_another_config_directory(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("config_directory = /elsewhere\n")
    snapshot = Snapshot.read(str(tmp_path))
    assert snapshot.value("config_directory") == "/elsewhere"
    assert snapshot.warnings == (f"{tmp_path}/main.cf, line 1: overriding earlier entry: config_directory={tmp_path}",)


def test_no_main_cf(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"^open {tmp_path}/main.cf: No such file or directory$"):
        Snapshot.read(str(tmp_path))


def test_what_is_said_of_the_lines_before_a_fault(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("mail_name = a\nmail_name = b\nfault\n")
    with pytest.raises(ConfigError, match="line 3: missing '='") as caught:
        Snapshot.read(str(tmp_path))
    assert caught.value.warnings == (f"{tmp_path}/main.cf, line 2: overriding earlier entry: mail_name=a",)


def test_environment_names_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_CONFIG", "/some/where")
    assert default_config_directory() == "/some/where"
    monkeypatch.delenv("MAIL_CONFIG")
    assert default_config_directory().endswith("/postfix")


def test_process_name_is_not_for_main_cf() -> None:
    assert Snapshot({"process_name": "x"}, process_name="qmgr").value("process_name") == "qmgr"
    assert Snapshot({"service_name": "x"}).value("service_name") == "x"
    assert Snapshot({}).value("service_name") == "amnesiac"


def test_defaults_of_every_program_are_known() -> None:
    snapshot = Snapshot({})
    assert snapshot.value("lmtp_lhlo_name") == snapshot.value("myhostname")
    assert snapshot.value("relay_destination_rate_delay") == "0s"
    assert snapshot.value("nobody_knows_this") == ""
    assert snapshot.default("nobody_knows_this") is None


@pytest.mark.parametrize(
    ("level", "expected"),
    [("0", "yes"), ("3.11", "no")],
)
def test_defaults_follow_the_compatibility_level(level: str, expected: str) -> None:
    assert Snapshot({"compatibility_level": level}).value("append_dot_mydomain") == expected


def test_loop() -> None:
    with pytest.raises(ConfigError) as raised:
        Snapshot({"a": "$b", "b": "${x:$a}"}).value("a")
    assert str(raised.value) == "dictionary mail_dict: macro processing error"
    assert raised.value.warnings[0].startswith("unreasonable macro call nesting: ")


def test_a_loop_that_is_only_tested_is_none() -> None:
    assert Snapshot({"a": "${a?x}"}).value("a") == "x"


def test_malformed_text() -> None:
    with pytest.raises(ConfigError) as raised:
        Snapshot({}).expand("x${b")
    assert raised.value.warnings == ('truncated macro reference: "x${b"',)
    with pytest.raises(ConfigError, match=r"^mac_exp_eval: bad conversion: 99999999999999999999$"):
        Snapshot({}).expand("${{99999999999999999999} < {1}}")


@pytest.mark.parametrize(
    ("settings", "name", "domain"),
    [
        ({"myhostname": "foo"}, "foo", "localdomain"),
        ({"myhostname": "foo.bar.example"}, "foo.bar.example", "bar.example"),
    ],
)
def test_names_from_main_cf(settings: dict[str, str], name: str, domain: str) -> None:
    snapshot = Snapshot(settings)
    assert (snapshot.value("myhostname"), snapshot.value("mydomain")) == (name, domain)


@pytest.mark.parametrize(
    ("node", "settings", "name", "domain"),
    [
        ("a", {}, "a.localdomain", "localdomain"),
        ("b.c", {}, "b.c", "c"),
        ("a", {"mydomain": "x.y"}, "a.x.y", "x.y"),
        ("b.c", {"mydomain": "x.y"}, "b.c", "x.y"),
    ],
)
def test_names_from_the_host(
    monkeypatch: pytest.MonkeyPatch, node: str, settings: dict[str, str], name: str, domain: str
) -> None:
    monkeypatch.setattr(os, "uname", lambda: type("Uname", (), {"nodename": node}))
    snapshot = Snapshot(settings)
    assert (snapshot.value("myhostname"), snapshot.value("mydomain")) == (name, domain)


def test_service_value() -> None:
    snapshot = Snapshot({"slow_destination_concurrency_limit": "2", "default_destination_concurrency_limit": "7"})
    arguments = ("_destination_concurrency_limit", "default_destination_concurrency_limit")
    assert snapshot.service_value("slow", *arguments) == "2"
    assert snapshot.service_value("fast", *arguments) == "7"
    assert snapshot.service_value("smtp", *arguments) == "7"
    assert snapshot.service_value("local", *arguments) == "2"


def test_with_overrides() -> None:
    first = Snapshot({"mail_name": "a"})
    second = first.with_overrides([("mail_name", "b")])
    assert (first.value("mail_name"), second.value("mail_name")) == ("a", "b")


def test_what_is_written_decides_whether_a_name_is_empty() -> None:
    snapshot = Snapshot({"a": "$nosuch", "b": "${a?{set}:{empty}}"})
    assert snapshot.value("a") == ""  # and is known from now on
    assert snapshot.value("b") == "set"
