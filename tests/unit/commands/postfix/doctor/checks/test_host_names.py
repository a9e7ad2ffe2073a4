from __future__ import annotations

import pytest

from tests.unit.commands.postfix.doctor.conftest import ERROR, NOTE, WARNING, Look, Site, only


@pytest.mark.parametrize(
    "main",
    [
        "",
        "myorigin = $mydomain\n",
        "myorigin = {dir}/mailname\n",
        "relayhost = [smtp.example.net]:587\n",
        "relayhost = [mail.ours.example]:2525\n",
        "relayhost = [127.0.0.1]:1025\n",
    ],
)
def test_right(look: Look, site: Site, main: str) -> None:
    site.file("mailname", "ours.example\n")
    assert look(main) == []


@pytest.mark.parametrize(
    ("line", "severity", "instead"),
    [
        ("myhostname = box", WARNING, ("myhostname = box.ours.example",)),
        ("myhostname = localhost", WARNING, ("myhostname = mail.example.com",)),
        ("myhostname = localhost.localdomain", WARNING, ("myhostname = mail.example.com",)),
        ("myorigin = localhost", WARNING, ("myorigin = $mydomain",)),
        ("myorigin = {dir}/mailname", WARNING, ("myorigin = $mydomain",)),
        ("mydomain = lan", NOTE, ()),
        ("relayhost = [mail.ours.example]", ERROR, ("relayhost =",)),
        ("relayhost = [127.0.0.1]:25", ERROR, ("relayhost =",)),
    ],
)
def test_wrong(look: Look, site: Site, line: str, severity: int, instead: tuple[str, ...]) -> None:
    site.file("mailname", "box\n")
    finding = only(look(f"{line}\n"))
    assert finding.severity == severity
    assert finding.place.line == site.line("main.cf", line)
    assert finding.instead == instead


def test_ports_by_name_and_number(look: Look) -> None:
    assert only(look("relayhost = [127.0.0.1]:587\n", "submission inet n - n - - smtpd\n")).severity is ERROR
    assert only(look("relayhost = localhost\n", "25 inet n - n - - smtpd\n")).severity is ERROR
    assert look("relayhost = localhost:26\n") == []
