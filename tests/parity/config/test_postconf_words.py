"""What postconf(1) makes of words: options in one word, braces, comments, tables in a value, odd characters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.reference

ARGUMENTS = [
    "-ofoo=oo", "-oo=o", "-ov", "-vofoo", "-vo foo=o", "-o foo=b -ovo=x", "-vov", "-oxo z=y", "-ox=yo z=y", "-xo", "-oxo=", "-o -o x=y",
    "-ooo x=y", "-ovD a=b", "-o{a=b}", "-o{foo=b}", "-o{foo = b c}", "-vo{a=b}", "-ovo{a=b}", "-o {a=b", "-o {a=b} }", "-o {a={b}",
    "-o {a={b}}c", "-o {}", "-o { }", "-o {a}", "-ovo", "-vo", "--", "-o --", "-o - a", "-v{a}", "{a b}", "-v {a b} {c d}", "{a}", "{{a b}}",
    "{a b}c", "{a", "-o a=b {a b}", "-- {a b}", "-o a=b -- {a b}", "x {a b}", "-o {a=b}{c}", "-o a={b c}", '-o "a=b c"',
]  # fmt: skip


@pytest.mark.parametrize("option", ["-M", "-Mf", "-Mj", "-P", "-F"])
def test_arguments(same: Callable[..., object], option: str) -> None:
    """Every way to write the arguments of a service."""
    for arguments in ARGUMENTS:
        same("x=1\n", f"p unix - n n - - p {arguments}\n", option)


@pytest.mark.parametrize("request_", ["-P p/unix/x=9", "-PX p/unix/a", "-F p/unix/chroot=y"])
def test_arguments_of_a_changed_entry(same: Callable[..., object], request_: str) -> None:
    """The same, where the entry is written anew; braces that an argument needs stay, which they do not in Postfix."""
    for arguments in ARGUMENTS:
        if not arguments.endswith(("{a b}", "{c d}", "{{a b}}", "{a b}c", "{}", "{ }")):
            same("x=1\n", f"p unix - n n - - p {arguments}\n", *request_.split())


NO_SETTINGS = """\
a unix - n n - - p -o {a $x
b unix - n n - - p -o {a $x\x20\x20
c unix - n n - - p -o {a $x  -o b=$y\t
d unix - n n - - p -o {v = $x -o q=$y
e unix - n n - - p -o { a $x } -o a$x -o {a$x}
f unix - n n - - p -o $x=$y -o process_name=$x -o {process_name q=$y} -o =$x -o {process_id $x}
g unix - n n - - p {a $x\x20
h unix - n n - - p q {a $x\x20
"""


@pytest.mark.parametrize("option", ["-M", "-Mx", "-Fx", "-P", "-Px"])
def test_options_that_are_no_settings(same: Callable[..., object], option: str) -> None:
    """Braces that are not closed, no equal sign, names that refer to others: all is expanded, complaints keep the blanks at the end."""
    same("x = one\ny = two\n", NO_SETTINGS, option)
    for argument in ("{a $(x", "{a=$(x }", "a$(x"):
        same("x = one\n", f"a unix - n n - - p -o {argument}\n", option)


@pytest.mark.parametrize("line", ["foo bar  ", "= x \t", "foo   ", "foo bar  \0x"])
def test_blanks_at_the_end_of_a_line_that_is_none(same: Callable[..., object], line: str) -> None:
    same(f"x = 1\n{line}\n  \n", "", "-n")
    same("x = 1\n", f"a unix x n n - - p {line} \n", "-M")


def test_a_value_of_several_lines(same: Callable[..., object]) -> None:
    """What braces enclose keeps its lines."""
    entry = "p unix - n n - - p\n  -o { a = b\n  c }\n -o x=y\n"
    for words in (["-F", "p/unix/chroot=y"], ["-P", "p/unix/x=1"], ["-M"], ["-P"]):
        same("", entry, *words)
    same("", "p\n unix - n n - - p\n", "-F", "p/unix/chroot=y")
    same("", "# c\n\np\n unix - n n - - p\n", "-MX", "p/unix")
    same("", "p\n unix - n n - - p\n", "-M")


@pytest.mark.parametrize("command", ["p", "pipe", "smtpd"])
def test_short_commands_without_names(same: Callable[..., object], command: str) -> None:
    """With -h a short command has no blank behind it."""
    for arguments in ("a b", "-v -v -v", "xxxx y", "-o a=b c", "x " * 50):
        same("", f"p unix - n n - - {command} {arguments}\n", "-Fh", "p/unix/command")
        same("", f"p unix - n n - - {command} {arguments}\n", "-Fhf", "p/unix/command")


TABLES = [
    "inline:{a=b}xx", "inline:{a=b", "static:{x}y", "pipemap:{hash:a}x", "unionmap:{hash:a", "{a}b", "{a", "ldap:{a}b", "proxy:inline:{a}b",
    "inline:{{a=b}x}", "pipemap:{unionmap:{a}b,c}", "pipemap:{ldap:foo bar}", "debug:inline:{a}b", "pipemap:{inline:{a=b}c,ldap:foo}",
    "a{b}c", "inline:a{b}c", "ldap:{foo}", "{ldap:foo}", "check_client_access {ldap:foo, defer}", "hash:ldap:foo", "proxy:unix:ldap:foo",
    "proxy:proxy:ldap:foo", "debug:proxy:ldap:foo", "ldap:foo;mysql:x", '"ldap:foo"', "(ldap:foo)", "!ldap:foo", "fail:ldap:foo",
    "memcache:/nonexistent", "ldap:", "ldap:foo:bar", "LDAP:foo", "pipemap:{{ldap:foo},{x:y}}", "randmap:{ldap:foo}", "$t", "$t/x",
    "mysql:/nonexistent # ldap:foo", "x # mysql:/nonexistent",
]  # fmt: skip


def test_tables_in_a_value(same: Callable[..., object]) -> None:
    """Which names a value makes known, and what is said about its braces."""
    for value in TABLES:
        names = "foo_server_host = 1\nfoo_bind = 2\nt = ldap:foo\nmynetworks = 127.0.0.1\n"
        same(f"virtual_alias_maps = {value}\n{names}", "a unix - - n - - p -o foo_bind=3\n", "virtual_alias_maps")
        same(names, f"a unix - - n - - p -o {{ virtual_alias_maps = {value} }} -o foo_bind=3\n", "-qP")


@pytest.mark.parametrize("value", ["a\u00a0b", "\u00a0a", "a\u00a0", "a\x1cb", "a\x85b", "a\u2003b c", "a\x1f", "a\x0bb\x0cc", "\x1b[m\x7f"])
def test_other_blanks(same: Callable[..., object], value: str) -> None:
    """Blanks are those of ASCII."""
    for option in ("-n", "-nf"):
        same(f"mail_name = {value}\n", "", option)
    same(f"x{value} = 1\nsmtpd_restriction_classes = {value}\n", "", "-n")
    same("a=1\n", "", "-e", f"mail_name={value}")
    same("a=1\n", f"x unix - - - - - p {value} -o\n", "-M")
    same("a=1\n", f"x unix - - - - - p {value} -o\n", "-P", "x/unix/z=y")


@pytest.mark.parametrize(
    "value",
    ["a # b", "# b", "${x?{# b}}", "$c", "a# b", "a #", "a\t#b  c", "a # \tb c d e f g h i j k l m n", "a #b #c", "ldap:foo # x"],
)
def test_comments_behind_text(same: Callable[..., object], value: str) -> None:
    """Where a value has what looks like a comment, after it was expanded."""
    names = "x = 1\nc = a # b\nfoo_bind = 1\n"
    same(f"mail_name = {value}\n{names}", "foo unix - n n - - pipe\n", "-n")
    same(f"default_rbl_reply = {value}\nforward_path = {value}\nvirtual_maps = {value}\nother = {value}\n{names}", "", "-n")
    same(names, f"foo unix - n n - - pipe -o {{ mail_name = {value} }} -o {{ uu = {value} }}\n", "-Pq")


def test_names_that_a_value_makes_known(same: Callable[..., object]) -> None:
    """-v tells what makes a name known."""
    main = (
        "foo = $bar\nbar = 1\nsmtpd_restriction_classes = cls, und\ncls = permit\nvirtual_alias_maps = ldap:src, mysql:none\n"
        "src_server_host = 1\nsrc_bogus = 2\nunused = 3\nmynetworks = 127.0.0.1\nmail_name = $u $nosuch\nu = 1\nvirtual_maps = x\n"
    )
    master = (
        "smtp inet n - n - - smtpd -o u=2\nfoo unix - n n 60? 0 pipe -o x=y -o bar=1 -o mail_name=$u -o src_server_host=3\n"
        "submission inet n - y - - smtpd -v -o smtpd_client_restrictions=$mua -o mua=permit -o smtpd_restriction_classes=lcl\n"
        "  -o lcl=permit -o virtual_alias_maps=pgsql:zz -o zz_user=1 -o u=3 -o mail_name=$u -o virtual_maps=y\n"
        "submission unix - - n - - spawn\nsubmission fifo - - n - - smtp\n"
    )
    for words in (["-n"], ["-nq"], ["-C", "service"], ["-P"], ["-M", "smtp"], ["u", "bar"]):
        same(main, master, *words)
    same(main, master, "-vn", noise=True)
    same(main, master, "-vP", noise=True)


LETTERS = "aAbdefFhHjlmMnpPtxX#"


@pytest.mark.parametrize("first", LETTERS)
def test_three_letters(same: Callable[..., object], first: str) -> None:
    """Three options at a time, with a request to edit behind them and without."""
    at = LETTERS.index(first)
    for place, second in enumerate(LETTERS[at + 1 :: 2]):
        third = LETTERS[(at + 3 * place + 5) % len(LETTERS)]
        if "m" in first + second + third and not set(first + second + third) - set("mo"):
            continue
        same("mail_name = x\n", "", f"-{first}{second}{third}", *(["a=b"] if place % 2 else []), but=r"[a-z]+$")
