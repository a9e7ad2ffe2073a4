"""postconf(1) changing main.cf and master.cf, on both sides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.reference

MAIN_CF = "# head\na = 1\n  2\n# in\n   3\n\nb=2\na = 7\n# tail\nc=3\n  # x\n  d\n"
MASTER_CF = """\
# head
smtp inet n - n - - smtpd
   -o a=b
 # in
   -o c=d

foo   unix - - n - -   pipe
  flags=R user=x argv=/bin/x ${sender}
#smtps inet n - n - - smtpd
#  -o x=y
smtp unix - - n - - smtp
last unix - - n - - smtpd -v -o x=y -D -o z=1
smtp inet n - n - - two
# tail
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["a=x"],
        ["-e", "a=x", "d = y z ", "b="],
        ["-X", "a"],
        ["-X", "a", "a"],
        ["-X", "c", "zz"],
        ["-X", "#a"],
        ["-X", "a b"],
        ["-X", ""],
        ["-X", "a", "b=2"],
        ["-X", "a=1"],
        ["-#", "a"],
        ["-#", "c"],
        ["-#", "zz"],
        ["-#", "a=1"],
        ["-e", "foo"],
        ["-e", "a b=c"],
        ["-e", "=c"],
        ["-e", "#a=c"],
        ["-e", "a=1", "a=2"],
        ["a=1", "foo"],
        ["foo", "a=1"],
        ["-e", "a=x\n  y"],
        ["z=1", "y=2", "x=3"],
        [" z = 1 ", "a={ }", "b=$x"],
        ["-pe", "a=x"],
        ["-o", "x=y", "-e", "a=z"],
        ["-o", "x=y", "-X", "a"],
    ],
)
def test_main_cf(same: Callable[..., object], arguments: list[str]) -> None:
    """Setting, removing, commenting out, and requests that make no sense."""
    same(MAIN_CF, "shipped", *arguments)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a=1",
        "a=1\n   2",
        "  lead = 1\na=1\n   2",
        "a=1\n\n\n   2\n\n",
        "#a=1\n a = 2\nb=1",
        "#a=1\n#x = 2\n  foo\nb=1",
        "nonsense\n=b\nfoo bar\n",
        "c = \udce9\n",
        "a=1\r\nb=2\r\n",
    ],
)
def test_forms_of_main_cf(same: Callable[..., object], text: str) -> None:
    """What the file may look like before."""
    same(text, "shipped", "-e", "a=5", "b=6")
    same(text, "shipped", "-X", "a")
    same(text, "shipped", "-#", "b")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-M", "smtp/inet=smtp inet n - y - - smtpd -v"],
        ["-Me", "new/unix=new unix n - y - 3 smtpd -v -o {a = b c} x"],
        ["-Me", "smtp/inet=other inet n - y - - smtpd"],
        ["-Me", "smtp/inet=smtp unix n - y - - smtpd"],
        ["-Me", "smtp=smtp inet n - y - - smtpd"],
        ["-Me", "smtp/inet=smtp inet n - y -"],
        ["-Me", "smtp/inet=smtp inet q - y - - smtpd"],
        ["-Me", "smtp/inet="],
        ["-Me", "smtp/*=smtp inet n - y - - x"],
        ["-Me", "smtp/inet"],
        ["-M", "smtp/inet=smtp inet n - y - - smtpd", "smtp/inet=smtp inet n - n - - smtpd"],
        ["-Me", "z/unix=z unix n - n - - a", "y/unix=y unix n - n - - a"],
        ["-Me", "z/unix=z unix n - n - - a", "z/unix=z unix n - n - - b"],
        ["-MX", "smtp/unix"],
        ["-MX", "smtp"],
        ["-MX", "smtp/*"],
        ["-MX", "nosuch/unix"],
        ["-MX"],
        ["-M#", "foo/unix"],
        ["-M#", "smtp/inet"],
        ["-M#", "x=y"],
        ["-F", "smtp/inet/chroot=y"],
        ["-F", "smtp/*/chroot=y"],
        ["-F", "*/*/chroot=y"],
        ["-F", "foo/unix/command=smtpd -o x=y"],
        ["-F", "foo/unix/foo=y"],
        ["-F", "foo/unix/chroot=q"],
        ["-F", "foo/unix=y"],
        ["-F", "nosuch/unix/chroot=y"],
        ["-F", "foo/unix/service=bar"],
        ["-F", "foo/unix/type=inet"],
        ["-F", "foo/unix/type=inetx"],
        ["-F", "foo/unix/chroot=y", "foo/unix/chroot=n", "foo/unix/wakeup=60?"],
        ["-Fq", "foo/unix/chroot"],
        ["-P", "smtp/inet/a=new"],
        ["-P", "smtp/inet/b=n e w"],
        ["-P", "foo/unix/b=n"],
        ["-P", "last/unix/b=n"],
        ["-P", "last/unix/b="],
        ["-P", "last/unix/x= v{w} "],
        ["-P", "*/*/q=r"],
        ["-P", "smtp/q=r"],
        ["-P", "no/unix/q=r"],
        ["-P", "smtp/inet/mail name=r"],
        ["-P", "smtp/inet/a=1", "smtp/inet/a=2"],
        ["-PX", "last/unix/x"],
        ["-PX", "last/unix/x", "last/unix/z"],
        ["-PX", "smtp/inet/*"],
        ["-PX", "smtp/inet"],
        ["-PX", "smtp/inet/nosuch"],
        ["-PX", "no/unix/x"],
    ],
)
def test_master_cf(same: Callable[..., object], arguments: list[str]) -> None:
    """Entries, fields and parameters: setting, removing, commenting out."""
    same("", MASTER_CF, *arguments)
