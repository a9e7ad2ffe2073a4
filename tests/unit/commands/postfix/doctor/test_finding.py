from __future__ import annotations

from pyfix.commands.postfix.doctor.finding import Place, Severity


def test_severities() -> None:
    assert max(Severity) is Severity.ERROR
    assert [severity.word for severity in Severity] == ["note", "warning", "error"]


def test_places() -> None:
    assert str(Place("/etc/postfix/main.cf", 3)) == "/etc/postfix/main.cf:3"
    assert str(Place("/etc/postfix/main.cf")) == "/etc/postfix/main.cf"
