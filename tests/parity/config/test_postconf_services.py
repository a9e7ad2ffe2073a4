"""postconf(1) showing master.cf, on both sides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.reference

SOME = """\
smtp inet n - n - - smtpd
foo unix - n n 60? 0 pipe flags=R user=vmail:vmail argv=/usr/local/bin/deliver -f ${sender} -- ${recipient} ${extension}
submission inet n - y - - smtpd -v
  -o syslog_name=postfix/submission -o smtpd_tls_security_level=encrypt
  -o { smtpd_sender_restrictions = permit_sasl_authenticated, reject }
  -o smtpd_client_restrictions=$mua_client_restrictions -o mua_client_restrictions=permit,reject -D
127.0.0.1:10025 inet n - n - 10 smtpd
long-service-name unix-dgram n - n - 1 postlogd
smtp unix - - n - - smtp
"""


@pytest.mark.parametrize(
    "arguments",
    [
        "-M",
        "-Mf",
        "-M smtp",
        "-M smtp/unix foo",
        "-M smtp/inet */unix-dgram smtp/*",
        "-M nosuch smtp/foo",
        "-M smtp/",
        "-M a/b/c",
        "-Mj",
        "-Mj smtp",
        "-Mx foo submission",
        "-Mq",
        "-MC user",
        "-Mo mail_name=x smtp/inet",
        "-Md",
        "-PM",
        "-F smtp",
        "-F submission/inet/command",
        "-F */*/command",
        "-F submission/inet/foo",
        "-F a/b/c/d",
        "-Fh smtp/inet",
        "-FH smtp/inet",
        "-Ff submission",
        "-Fj submission",
        "-P",
        "-P submission",
        "-P */*/smtpd_client_restrictions",
        "-P submission/inet/nosuch",
        "-P */unix",
        "-Px submission",
        "-Ph submission",
        "-PH submission",
        "-Pj submission",
        "-Pf submission",
    ],
)
def test_options(same: Callable[..., object], arguments: str) -> None:
    """Each way to select and to print."""
    same("mua_client_restrictions = zz\n", SOME, *arguments.split())


@pytest.mark.parametrize("option", ["-M", "-Mf", "-F", "-P", "-Px", "-Mx"])
def test_shipped(same: Callable[..., object], option: str) -> None:
    """The services as shipped."""
    same("multi_instance_name = foo\n", "shipped", option)


@pytest.mark.parametrize(
    "entry",
    [
        "foo",
        "foo unix",
        "foo blah - - - - - x",
        "foo unix x - - - - smtpd",
        "foo unix - x - - - smtpd",
        "foo unix - - - x - smtpd",
        "foo unix - - - 5x - smtpd",
        "foo unix - - - ? - smtpd",
        "foo unix - - - - -1 smtpd",
        "25 inet - - - - - smtpd",
        "foo unix y n n 100000000000 1 discard",
        "  foo unix y y n 0 - smtpd",
        "foo unix y n n 0 - smtpd -o { foo = bar  baz } -o x=y -ox=y",
        "foo unix y n n 0 - discard -o { a = b",
        "foo unix y n n 0 - discard -o { a = b }c",
        "foo unix - - n - - smtpd -o mail_name=$a1 -o a2=$a3 -o smtpd_banner=$und",
        "x unix - - n - - smtpd -o virtual_alias_maps=mysql:foo -o smtpd_restriction_classes=cl -o { cl = permit }",
        "x unix - - n - - smtpd -o virtual_alias_maps=mysql:foo -o smtpd_restriction_classes=cl -o foo_user=x",
        "x unix - - n - - smtpd -o virtual_alias_maps=$x -o nosuch=$y -o y=z",
        "foo unix - n n - - smtpd -o virtual_maps=x -o virtual_alias_maps=$service_name/$process_name -o process_id=1",
        "foo unix - - n - - pipe argv=$x\nbar unix - n n - - spawn\nbaz unix - - n - - smtp",
        "foo unix - n n - - smtpd -o { mail_name = a # b }",
        "foo unix - n n - - smtpd -o mail_name=${x",
        "foo unix - n n - - smtpd -o smtpd_restriction_classes=nn -o smtp_use_tls=no",
        "p unix - n n - - p a{b c}d",
        "p unix - n n - - p q {x y}",
        "p unix - n n - - p -o {a={b}} -o a={b c}",
        "p unix - n n - - p -o",
        "p unix - n n - - p -o {}",
        "p unix - n n - - p -v -o a=b -x y -o c=d",
        "p unix - n n - - p -m 5 -o a=b",
        "p unix - n n - - p -- -o a=b",
        "p unix - n n - - p -D -vvo c=d -o a b=c",
        "p unix - n n - - p -o {a b = c} -o =x -o {a=} -o a=b=c",
    ],
)
@pytest.mark.parametrize("option", ["-M", "-P", "-n", "-Px"])
def test_entries(same: Callable[..., object], entry: str, option: str) -> None:
    """Fields and arguments, good and bad; names that an entry sets and refers to."""
    main_cf = (
        "a1 = 1\na2=2\na3=$a4\na4=4\nfoo_dbname = 1\nx=mysql:foo\nfoo_destination_recipient_limit=1\n"
        "bar_time_limit=3\nfoo_time_limit=3\nq_destination_recipient_limit=7\n"
    )
    same(main_cf, f"{entry}\n", option)


def test_service_names(same: Callable[..., object]) -> None:
    """The parameters that services have by their name."""
    entries = "foo unix - - n - - pipe argv=$x\nbar unix - n n - - spawn\nbaz unix - - n - - smtp\n"
    same("", entries, "-C", "service")
    same("", entries, "-dC", "service")


@pytest.mark.parametrize("length", range(16, 24))
def test_folding(same: Callable[..., object], length: int) -> None:
    """A line takes 79 characters."""
    same("", f"foo unix - n n - - p {'x' * length} y z\n", "-Mf")
    same("", f"foo unix - n n - - p -o a={'x' * length} y z\n", "-Mf")
    same("", f"foo unix - n n - - pipe {'x' * (length + 34)} a b c\n", "-Ff", "foo/unix/command")
    same("", f"foo unix - n n - - smtpd -o {{mail_name={'x' * (length + 34)} a b}}\n", "-Pf")
