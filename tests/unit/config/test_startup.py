"""The checks on main.cf before a program does anything; the texts are those of the reference."""

from __future__ import annotations

import grp
import os
import pwd
from types import SimpleNamespace

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.snapshot import Snapshot
from pyfix.config.startup import check_startup, hostname_complaint

USERS = {"root": (0, 0), "postfix": (89, 90), "nobody": (65534, 65534), "other": (89, 7)}
GROUPS = {"root": 0, "postfix": 90, "postdrop": 91, "nogroup": 65534}


@pytest.fixture(autouse=True)
def known_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    def user(name: str) -> SimpleNamespace:
        return SimpleNamespace(pw_name=name, pw_uid=USERS[name][0], pw_gid=USERS[name][1])

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", user)
    monkeypatch.setattr(grp, "getgrnam", lambda name: SimpleNamespace(gr_gid=GROUPS[name]))


def check(**settings: str) -> None:
    check_startup(MailSettings(Snapshot({"config_directory": "/etc/x", "myhostname": "a.example"} | settings)))


def test_defaults_are_good() -> None:
    check()


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"mail_owner": "no"}, "parameter mail_owner: unknown user name value: no"),
        ({"mail_owner": "root"}, "parameter mail_owner: user root has privileged user ID"),
        ({"default_privs": "other"}, "parameters default_privs and mail_owner specify the same user postfix"),
        ({"setgid_group": "no"}, "parameter setgid_group: unknown group name: no"),
        ({"setgid_group": "root"}, "parameter setgid_group: group root has privileged group ID"),
        (
            {"setgid_group": "postfix"},
            "parameters mail_owner and setgid_group: user postfix and group postfix have the same group ID: 90",
        ),
        (
            {"setgid_group": "nogroup"},
            "parameters default_privs and setgid_group: user nobody and group nogroup have the same group ID: 65534",
        ),
        ({"syslog_facility": "x", "mail_owner": "no"}, "parameter syslog_facility: unrecognized value: x"),
        ({"myhostname": "a..b", "mail_owner": "no"}, "parameter myhostname: bad parameter value: a..b"),
        ({"mydomain": "-"}, "parameter mydomain: bad parameter value: -"),
    ],
)
def test_complaints_with_the_file(settings: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check(**settings)
    assert str(raised.value) == f"file /etc/x/main.cf: {complaint}"


def test_other_complaints() -> None:
    with pytest.raises(ConfigError, match=r'^malformed compatibility level syntax: "x"$'):
        check(compatibility_level="x")
    with pytest.raises(ConfigError, match=r"^invalid hash_queue_depth parameter value 0 < 1$"):
        check(hash_queue_depth="0", mail_owner="no")
    with pytest.raises(ConfigError, match=r"mail_owner"):
        check(mynetworks_style="x", mail_owner="no")


def test_without_root_accounts_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    check(mail_owner="no", setgid_group="no", default_privs="no")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("a_b.c-d", ""),
        ("a" * 63 + ".x", ""),
        ("", "empty hostname"),
        ("a" * 64 + ".x", "hostname label too long: " + "a" * 64 + ".x"),
        ("a..b", "misplaced delimiter: a..b"),
        (".a", "misplaced delimiter: .a"),
        ("a.", "misplaced delimiter: a."),
        ("a.-b", "misplaced hyphen: a.-b"),
        ("a-", "misplaced hyphen: a-"),
        ("a b", "invalid character 32(decimal): a b"),
        ("é", "invalid character 195(decimal): é"),
        ("1.2", "numeric hostname: 1.2"),
        ("a." * 150 + "b", "bad length 301 for " + "a." * 50 + "..."),
    ],
)
def test_hostname(name: str, complaint: str) -> None:
    assert hostname_complaint(name) == complaint
