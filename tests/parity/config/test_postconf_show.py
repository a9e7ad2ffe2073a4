"""postconf(1) showing main.cf parameters, on both sides."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.reference

BUILT_IN = (
    r"(alias_maps|daemon_directory|default_cache_db_type|default_database_type|html_directory|mail_release_date"
    r"|manpage_directory|meta_directory|process_id|readme_directory|shlib_directory|tls_eecdh_auto_curves"
    r"|tls_ffdhe_auto_groups)\b"
)
"""Parameters whose default depends on how and where a Postfix was built."""

SOME = """\
myhostname = a.b
mail_name =  x   y
foo = $bar
bar=1
smtpd_recipient_restrictions = permit_mynetworks,
  reject_unauth_destination, check_client_access hash:/etc/foo,
 check_policy_service inet:127.0.0.1:10023, reject_rbl_client zen.spamhaus.example, permit, permit_sasl_authenticated
virtual_maps = hash:/x
"""


@pytest.mark.parametrize("option", ["-d", "-dx", "-dH", "-dj", "-x", "-H", "-n", ""])
def test_all_parameters(same: Callable[..., object], option: str) -> None:
    """Line for line what the reference prints, but for what its build decides."""
    tables = r"|.*\b(cdb|lmdb|hash|btree):|sample_directory"
    but = r'\{"(mynetworks|' + BUILT_IN[1:] if option == "-dj" else BUILT_IN + tables  # a blank at its end in JSON
    same("compatibility_level = 3.11\n", "shipped", *option.split(), but=but)


@pytest.mark.parametrize(
    "arguments",
    [
        "-n",
        "-nf",
        "-nx",
        "-nh",
        "-nH",
        "-nj",
        "-nq",
        "-n foo bar myhostname",
        "foo bar myhostname nosuch mail_name mail_name",
        "-d foo bar myhostname",
        "-dx mydestination",
        "-o mail_name=z mail_name",
        "-o mail_name=z -n",
        "-o a -n",
        "-o =a -n",
        "-C user",
        "-C service -n",
        "-C builtin -n",
        "-C all,user -n",
        "-C foo -n",
        "-C builtin foo",
        "-p mail_name",
        "-- -n",
        "mail_name -h",
        "-dn myhostname",
        "-hH x",
        "-Q",
        "-c",
        "-T foo",
        "-l",
        "-e",
        "-X",
    ],
)
def test_options(same: Callable[..., object], arguments: str) -> None:
    """Each way to select and to print."""
    same(SOME, "shipped", *arguments.split())


@pytest.mark.parametrize(
    "text",
    [
        "mail_name = $undef1 ${undef2?x} $myhostname\nfoo=$bar\n",
        "smtpd_restriction_classes = cls1, cls2\ncls1 = permit\ncls3=permit\n",
        "smtpd_restriction_classes = $x\nx=cls1\ncls1 = permit\n",
        "virtual_alias_maps = ldap:foo, proxy:mysql:bar, pgsql:baz\n"
        "foo_server_host=1\nbar_user=2\nbaz_nosuch=3\nbar_xuser=1\nfoo_user=q\nbaz_dbname=8\n",
        "x = ldap:foo\nfoo_server_host=1\n",
        "x_maps = ldap:foo\nfoo_server_host=1\nvirtual_alias_maps=$x_maps\n",
        "virtual_alias_maps = pipemap:{ldap:abc, mysql:def}, unionmap:{pgsql:ghi,static:x}, "
        "proxy:unionmap:{memcache:jkl}, sqlite:mno, mongodb:pqr\n"
        "abc_scope=1\ndef_user=1\nghi_user=2\njkl_ttl=4\nmno_dbpath=1\npqr_uri=3\njkl_memcache=2\nabc_user=1\nmno_foo=2\n",
        "virtual_alias_maps = hash:ldap:abc, debug:ldap:def\nabc_scope=1\ndef_scope=1\n",
        "virtual_alias_maps = mysql:/nonexistent.cf, ldap:./x, ldap:x/y\n",
        "foo_dbname = $q\nvirtual_alias_maps=mysql:foo\nq=7\n",
        "foo_dbname = 1\nsmtpd_recipient_restrictions=check_recipient_access mysql:foo, reject\n",
        "foo = 1 # comment\nmail_name=x # a comment that goes on and on\nmyhostname = y #a\nmyorigin = a#b c # d\n",
        "virtual_alias_maps=x\nvirtual_maps=y\n",
        "fallback_relay=x\nsmtp_use_tls=no\nsmtp_enforce_tls=yes\nlmtp_cname_overrides_servername=no\n",
        "process_id = 5\nprocess_name=a\nservice_name=z\nmail_version=z\n",
        "x =\ny=$x\n",
        "mailbox_command = /x $USER $undef $bar\nbar=1\ndefault_rbl_reply = $rbl_code $q\nluser_relay=${x\n",
        "mail_name=${x\n",
        "smtpd_restriction_classes = ${x\n",
        "mail_name = $mail_name\n",
        "compatibility_level = abc\n",
        "mail_name = a\\b\u00e9\udce9 <&>\nnosuch\udce9=1\n",
        "mail_name = x\n# c\n  y\n\n\n  z # not comment\n #comment\n  w\n",
        "mail_name=a\nmail_name=b\nmail_name=b\nmail_name=c\n",
        "  a = 1\nmail_name = z\n",
        "mail_name = z\0q\n",
        "foo bar\n",
        "= x\n",
        "config_directory = /elsewhere\n",
        "mynetworks_style = foo\n",
        "inet_protocols = foo\n",
        "mynetworks = 192.0.2.1\nmynetworks_style = foo\n",
        "inet_interfaces = 198.51.100.77\n",
        None,
    ],
)
@pytest.mark.parametrize("option", ["-n", "-nx"])
def test_what_main_cf_says(same: Callable[..., object], text: str | None, option: str) -> None:
    """Known, unused, undefined, deprecated, read-only and malformed."""
    if text and "mail_name = $mail_name" in text:
        option = "-n"  # expanded, the reference's complaint shows text that it has freed
    same(text, "shipped", option)


def test_settings_of_a_table_in_a_file(same: Callable[..., object], tmp_path: object) -> None:
    """The file of a table is looked at for names that mean nothing; a malformed one is fatal."""
    good, bad = f"{tmp_path}/good.cf", f"{tmp_path}/bad.cf"
    with open(good, "w", encoding="utf-8") as file:
        file.write("user = $foo\nbogus = 1\nhosts = x\n")
    with open(bad, "w", encoding="utf-8") as file:
        file.write("user = x\ndbname\n")
    for path in (good, bad):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        same(f"virtual_alias_maps = mysql:{path}, proxy:mysql:{path}\nfoo=1\n", "shipped", "-n")
        same(f"virtual_alias_maps = mysql:{path}\nfoo=1\n", "shipped", "-nq")


@pytest.mark.parametrize("arguments", ["mail_name", "-d mail_name", "-n", "-M", "-m", "-e a=b", "-X a"])
@pytest.mark.parametrize("present", ["main", "master"])
def test_a_file_is_missing(same: Callable[..., object], arguments: str, present: str) -> None:
    """What still works without main.cf, and without master.cf."""
    but = r"[a-z]+$" if arguments == "-m" else r"(?!)"  # the list of table types is each side's own
    main_cf, master_cf = ("a=1\n", None) if present == "main" else (None, "shipped")
    same(main_cf, master_cf, *arguments.split(), but=but)


@pytest.mark.parametrize("length", range(62, 73))
def test_folding(same: Callable[..., object], length: int) -> None:
    """A line takes 80 characters."""
    text = f"mail_name = {'x' * length} y zz\nmyorigin = {'x' * 100} y {'z' * length} a {'z' * 72} b\n"
    for option in ("-f", "-hf"):
        same(text, "shipped", option, "mail_name", "myorigin")


@pytest.mark.parametrize("first", "aAdefFhHjlMnpPqxX#")
def test_options_that_exclude_each_other(same: Callable[..., object], first: str) -> None:
    """Every pair of options."""
    for second in "aAdefFhHjlMnpPqxX#":
        if first < second:
            same("mail_name = x\n", "", f"-{first}", f"-{second}", but="")
