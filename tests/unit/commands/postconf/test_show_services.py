"""Services of master.cf as postconf shows them."""

from __future__ import annotations

from tests.unit.commands.postconf.conftest import Run


def test_services(postconf: Run) -> None:
    assert postconf("-M", "foo/inet") == (
        0,
        ["foo        inet  n       -       n       -       -       smtpd -o a=2 -o mail_name=$a"],
        ["warning: master.cf: unused parameter: lost=1"],
    )
    assert postconf("-Fq", "foo/inet/type", "*/*/service")[1] == [
        "foo/unix/service = foo",
        "foo/inet/type = inet",
        "foo/inet/service = foo",
    ]
    assert postconf("-Pqx", "*/*/mail_name")[1] == ["foo/unix/mail_name = 1", "foo/inet/mail_name = 2"]
    assert postconf("-Pq", "no")[2] == ['warning: unmatched request: "no"']
    assert postconf("-Mjq", "foo/inet")[1] == ['{"foo/inet": "foo inet n - n - - smtpd -o a=2 -o mail_name=$a"}']
    assert postconf("-FHq", "foo/inet/command")[1] == ["foo/inet/command"]
    assert postconf("-Fhq", "foo/inet/command")[1] == ["smtpd -o a=2 -o mail_name=$a"]
    assert postconf("-F", "foo/inet/nosuch")[::2] == (1, ['fatal: invalid service attribute name: "nosuch"'])
