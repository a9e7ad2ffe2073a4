from __future__ import annotations

from pyfix.install.settings_file import with_parameters, with_smtp_on

OLD = """\
# a comment: myhostname = old
myhostname = old.example
mynetworks = 127.0.0.0/8
    # a comment in between
    10.0.0.0/8
relayhost=
myhostname = older.example
"""


def test_parameters_are_changed_in_place_with_their_continuation_lines() -> None:
    new = with_parameters(OLD, {"mynetworks": "192.0.2.0/24"})
    assert new == OLD.replace(" 127.0.0.0/8\n    # a comment in between\n    10.0.0.0/8\n", " 192.0.2.0/24\n")


def test_a_parameter_stands_once() -> None:
    new = with_parameters(OLD, {"myhostname": "new.example"})
    assert new.count("\nmyhostname = ") == 1
    assert "myhostname = new.example" in new
    assert new.startswith("# a comment: myhostname = old\n")


def test_new_parameters_come_last() -> None:
    assert with_parameters("a = 1\n", {"b": "2", "c": "3"}) == "a = 1\nb = 2\nc = 3\n"


def test_where_smtp_listens() -> None:
    old = "#smtp inet n - n - 1 postscreen\nsmtp      inet  n - n - - smtpd\nsmtp unix - - n - - smtp\n"
    assert with_smtp_on(old, "2525") == old.replace("\nsmtp      inet", "\n2525      inet")
