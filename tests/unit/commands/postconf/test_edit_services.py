"""Changing master.cf in place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyfix.commands.postconf.edit_services import edit_services
from pyfix.commands.postconf.messages import Fatal

MASTER_CF = """\
# head
smtp inet n - n - - smtpd
   -o a=b
 # in
   -o c=d
foo unix - - n - - pipe x
# tail
"""


@pytest.fixture(autouse=True)
def program_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["postconf"])


@pytest.mark.parametrize(
    ("mode", "how", "arguments", "result"),
    [
        (
            "M",
            "e",
            ["foo/unix=foo unix - - y - - pipe -o {a = b c}"],
            MASTER_CF.replace(
                "foo unix - - n - - pipe x",
                "foo        unix  -       -       y       -       -       pipe\n    -o {a=b c}",
            ),
        ),
        (
            "M",
            "e",
            ["new/unix=new unix - - y - - pipe"],
            MASTER_CF + "new        unix  -       -       y       -       -       pipe\n",
        ),
        ("M", "X", ["smtp/inet"], "# head\n # in\nfoo unix - - n - - pipe x\n# tail\n"),
        ("M", "#", ["foo/unix"], MASTER_CF.replace("foo", "#foo")),
        (
            "F",
            "e",
            ["smtp/*/chroot=y"],
            "# head\n # in\nsmtp       inet  n       -       y       -       -       smtpd\n    -o a=b\n    -o c=d\n"
            "foo unix - - n - - pipe x\n# tail\n",
        ),
        (
            "P",
            "e",
            ["foo/unix/q=r"],
            MASTER_CF.replace(
                "foo unix - - n - - pipe x\n# tail",
                "# tail\nfoo        unix  -       -       n       -       -       pipe\n    -o q=r\n    x",
            ),
        ),
        (
            "P",
            "X",
            ["smtp/inet/a"],
            "# head\n # in\nsmtp       inet  n       -       n       -       -       smtpd\n    -o c=d\n"
            "foo unix - - n - - pipe x\n# tail\n",
        ),
    ],
)
def test_master_cf(tmp_path: Path, mode: str, how: str, arguments: list[str], result: str) -> None:
    path = tmp_path / "master.cf"
    path.write_text(MASTER_CF)
    edit_services(str(path), mode, how, arguments)
    assert path.read_text() == result


@pytest.mark.parametrize(
    ("mode", "how", "argument", "complaint"),
    [
        ("M", "e", "smtp=x", "-Me, -MX or -M# requires service_name/type"),
        ("M", "e", "smtp/inet=x y", 'bad field count: "smtp/inet=x y"'),
        ("F", "e", "smtp/inet=x", "-Fe or -FX requires service_name/type/field_name"),
        ("F", "e", "smtp/inet/foo=x", 'invalid service attribute name: "foo"'),
        ("F", "e", "smtp/inet/chroot=x", 'invalid chroot field "x" in "x"'),
        ("P", "e", "smtp/inet=x", "-Pe or -PX requires service_name/type/parameter"),
        ("P", "e", "smtp/inet/a=x y", "-Pe does not accept whitespace in parameter value"),
        ("P", "X", "smtp/inet/*", "-Pe does not accept wild-card parameter name"),
    ],
)
def test_services_requests_that_make_no_sense(
    tmp_path: Path, mode: str, how: str, argument: str, complaint: str
) -> None:
    path = tmp_path / "master.cf"
    path.write_text(MASTER_CF)
    with pytest.raises(Fatal) as raised:
        edit_services(str(path), mode, how, [argument])
    assert str(raised.value) == complaint
    assert path.read_text() == MASTER_CF


def test_unmatched_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "master.cf"
    path.write_text(MASTER_CF)
    edit_services(str(path), "F", "e", ["no/unix/chroot=y"])
    assert capsys.readouterr().err == 'postconf: warning: unmatched service_name/type: "no/unix/chroot=y"\n'
    assert path.read_text() == MASTER_CF
