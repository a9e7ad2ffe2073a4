"""cidr, regexp and pcre tables of both sides: answers and complaints."""

from __future__ import annotations

import re

import pytest

from .conftest import Both

pytestmark = [pytest.mark.reference, pytest.mark.root]

CIDR = """\
1.2.3.4 a
1.2.3.0/24 b
1.2.3.1/24 bad
1.2.3.0/33 bad
1.2.3.0/x bad
1.2.3 bad
::1 v6
2001:db8::/32   v6net
2001:db8::1/32   v6net
[::1] x
[::2]/128 y
[::3 bad
[::4]x bad
foo/8 bad
!10.0.0.0/8 notten
if 10.0.0.0/8
10.1.0.0/16 ten-one
if !10.2.0.0/16
10.0.0.0/8 nottwo
endif
endif
if 1.1.1.1 x
endif foo
10.2.3.4
foo
! 10.0.0.0/8 sp
!!10.0.0.0/8 dbl
1.2.3.4  last
 cont
if
IF 1.2.3.4
1.2.3.4/32 nope
ENDIF
if !10.0.0.0/8
::/0 six
0.0.0.0/0 four
endif
endif
if 1.2.3.4
"""

EXPRESSIONS = r"""/^a(b)c$/ one $1 ${1} $(1) $$ $2
/^user@(.*)$/i ci$1
!/^x/ notx $1
/foo/imx ext
/foo/q bad flag
/foo bad
/foobar/
foo bar
if /yyy/
/yyz/ Z$1
endif
if !/^a/
/nota15/ notx
endif x y
/(a/ bad
/a\/b/ slash
|pipe| p
/(v)/ $5
/(v)/ $1abc ${1}abc $x $ $(x) ${1
endif
if /x/ foo
/e/ x
endif zz
/^a1/ $$x
/^a2/ x$
/^a3/ ${1
/^a4/ ${}
/^a5/ $(x)
/^a6/ a$ b
/^a7(x)/ $1$1${1}x$(1)$$1
/^a8(x)?y(z)?/ [$1][$2]
/^a9/i	tabbed
/^A10/ nocase
/^A11/i case
/^a12$/m x
  continued
/^a13
if/^a14/
/x/ if14
endif
IF /^a16/i
IF /^A16B/
/./ ${1}
/c/ in16
ENDIF
ENDIF
!/^[a-z0-9é]/ neg
! /^[a-z0-9~é]/ neg2
!!/^~/ dneg
#/^a17/ comment
%^a18/x% delim
/^a19\/x/ esc\n \\
/^a21/$1 nospace
/^a23(b)/ ${1?x} y
/^a24(b)/ $b1
/^a25(b)(c)/ $12
/^a26(b)/ $0
/^a27(b)/ $-1
/^a28(b)/ ${1:-x}
/^a29(b)/ x$(1}y
/^a30/ {{x}}
/^a32/iimx dbl
/^a33[/]/ slash in bracket
if
iffy
ENDIFX
if /a/ {
/^a34/ 	 trailing
/^a35(/ bad
/^.$/ one byte
/^..$/ two bytes
/(long|longer)/ [$1]
/^é(.)/ e$1
if /z/
"""


def test_cidr(both: Both) -> None:
    """Network blocks with conditions.  Source: cidr_table(5)."""
    both.write("table", CIDR)
    addresses = "1.2.3.4 1.2.3.9 10.1.0.1 10.2.0.1 11.0.0.1 ::1 ::2 ::3 2001:db8::5 foo 1.2.3 ::ffff:1.2.3.4 01.2.3.4"
    both.same("postmap", "-q", "-", "cidr:table", given="\n".join(addresses.split()) + "\n")
    names = ["{}",
             "{{1.2.3.4}}", "{{1.2.3.4 x} }", "{1.2.3.0/24=x, {1.2.3.4/32 y}}", "{{1.2.3.0/24 x}, {1.2.3.4/32 y}}",
             "{{1.2.3.4 x}", "none", "{{if 1.2.3.4}, {1.2.3.4 x}, {endif}}"]  # fmt: skip
    both.all_same("postmap", [["-q", "1.2.3.4", f"cidr:{name}"] for name in names])


@pytest.mark.parametrize("kind", ["regexp", "pcre"])
def test_expressions(both: Both, kind: str) -> None:
    """Expressions with flags, conditions and replacement texts.  Source: regexp_table(5), pcre_table(5)."""
    both.write("table", EXPRESSIONS)
    forms = ("a{}", "a{}x", "A{}b", "a{}b", "a{}xyz", "a{}/", "a{}bc", "a{}/x", "nota{}", "~{}", ".{}")
    keys = [form.format(number) for number in range(36) for form in forms]
    keys += ["abc", "user@foo", "USER@Fo", "xyyz", "xyyyz", "x/", "foo", "foobar", "yyz", "pipe", "é", "ü", "ÉÉ", "ab"]
    keys += ["longer", "é!", "v", "xv"]
    both.same("postmap", "-q", "-", f"{kind}:table", given="\n".join(keys) + "\n")
    names = ["{ {/a/ x}, {!/b/ y} }", "{/a/ x}", "{{/a/ x}", "{{/a/ x} y}", "{{if /a/}, {/a/ z}, {endif}}", "{}",
             "{{/a/x y}, {/a( z}}", "none"]  # fmt: skip
    both.all_same("postmap", [["-q", "A", f"{kind}:{name}"] for name in names])


BAD_POSIX = ["/a{2,1}/ bad", "/*a/ bad", "/(?=a)/ p", "/[[:foo:]]/ x", "/[a/ x", r"/a\/ x", r"/(a)\2/ x", "/a**/ x"]


def test_complaints_of_the_c_library(both: Both) -> None:
    """What is wrong with an expression is told in the words of the C library."""
    both.write("table", "".join(f"{line}\n" for line in BAD_POSIX))
    both.same("postmap", "-q", "a", "regexp:table")


def test_complaints_of_pcre(both: Both) -> None:
    """Library versions differ in where they see the error, so the place is left out."""
    both.write("table", "/a(/ x\n/[a/ x\n/*a/ x\n/(?<n>a)(?<n>b)/ y\n/(?P<x/ x\n")
    theirs, ours = (
        [re.sub(r"offset \d+: .*", "", line) for line in both.run(kind, "postmap", "-q", "a", "pcre:table").err]
        for kind in ("reference", "pyfix")
    )
    assert ours == theirs


TEMPLATES = [
    "$x $y", "$x$y", "${x} ${y}", "$x ${y}", "$0 $x", "$x $$", "$x $", "$x b $(", "$x ${y} $(", "$1x $1y $(", "$0 $0 $(", "$ $ $", "${1?a} $1_ $",
    "${1:x} ${1?x:y}", "$(1?{a}:{b})", "${{1}}", "$((1))", "$01", "$4294967297", "$99999999999999999999", "$2147483648", "$1 $3 $2",
    "$18446744073709551617", "$-1", "${-1}", "${1 }", "$(1)", "$1é", "$é", "$$$1", "$1$", "${1}${1", "$(1}", "",
]  # fmt: skip
LINES = [
    "endif x", "if /z/\nendif x", "éa\udcc3 x", "/e/\udcc3 x", "!/(f)/ $1 $x", "/(g/ $1$x", "/j/x\\1 y", "!/j/k ${1}$", "/l $x", "/m/$a", "if /(p/ $x",
    "if /q/zz\nendif", "/t/X X", "/t/XX $x", "/t/Xq X", "\\a\\ x", "//x y", "!!// z", "!!!barb!m x", "if", "if ", "iffy /x/ y", "IF!/a/\n/b/ x\nENDIF",
    "/a(.)/!/b/ 1 $1", "!/[xz]/!/b/ 2", "/x/! 3", "/x/!! 4", "/x/!!/y/ 5", "/x/i!/y/i 6", "/x/!/y 7", "/w/!/(q)/ $2", "/w/!/q/!/e/ q",
    "/s/!|t|m!/x/ ok", "/s/x!/\\(t\\)/x $x", "!/(w)/!/(q)/ $1", "/a/ b\n\n  c\n# d\n e", " /a/ b", "/a/ b\0c", "/a\0/ b",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["regexp", "pcre"])
def test_every_malformed_line(both: Both, kind: str) -> None:
    """Each with the number of its line, and what follows is read.  Source: regexp_table(5), pcre_table(5)."""
    text = "".join(f"/(a)/ {template}\n" for template in TEMPLATES) + "".join(f"{line}\n" for line in LINES)
    both.write("table", text.encode(errors="surrogateescape"))
    both.same("postmap", "-q", "-", f"{kind}:table", given=b"a\nab\nac\nb\nc\ne\nf\nj\nq\ns\nst\nt\nw\nx\nxy\nz\n\n")


CIDR_LINES = [
    "[10.0.0.0/8] a", "[10.0.0.0]/8 b", "[10.0.0.0/8 b", "[10.0.0.0] /8 b", "[10.0.0.0 /8] b", "[10.0.0.0/33] b", "[x/8] b", "[] b", "[[::1]] b",
    "[::1/128/3] b", "[/] b", "/ b", "10.0.0.0// b", "/8 b", "10.0.0.0/08 c", "10.0.0.0/+8 b", "10.0.0.0/99999999999999999999 b",
    "10.0.0.0/4294967304 c", "::g/8 c", "x/33 b", "a:b/33 b", "a:b/129 b", "if [::1/128] x", "if [::1", "if [::1] x", "endif x", "!", "! [", "if !",
    "é b", "10.0.0.0/é b", "[é b", "1.2.3.4é b", "[10.0.0.0/8]/8 y", "[10.0.0.0]x/8 y", "[]/8 y", "! ::1 not", "11.0.0.0/8",
]  # fmt: skip


def test_every_malformed_line_of_cidr(both: Both) -> None:
    """Source: cidr_table(5)."""
    both.write("table", "".join(f"{line}\n" for line in CIDR_LINES))
    both.same("postmap", "-q", "-", "cidr:table", given="10.1.1.1\n11.1.1.1\n::1\n::2\n")


@pytest.mark.parametrize("kind", ["regexp", "pcre", "cidr"])
def test_ten_thousand_rules(both: Both, kind: str) -> None:
    """The first of many that hold."""
    if kind == "cidr":
        lines = [f"10.{number // 100}.{number % 100}.0/24 net {number}" for number in range(10_000)]
        keys = [f"10.{number // 100}.{number % 100}.7" for number in range(0, 11_000, 500)]
    else:
        lines = [f"/^user{number}@(.*)\\.example$/ {number} $1" for number in range(10_000)]
        lines[700:700] = ["if /@b/", "/^user9[0-9]*@/ inner", "endif", "!/user/ other"]
        keys = [f"user{number}@{name}.example" for number in range(0, 11_000, 500) for name in ("a", "b")] + ["x"]
    both.write("table", "".join(f"{line}\n" for line in lines))
    assert both.same("postmap", "-q", "-", f"{kind}:table", given="".join(f"{key}\n" for key in keys)).out.count("\n") >= 20


@pytest.mark.parametrize("kind", ["regexp", "pcre"])
def test_keys_of_any_bytes(both: Both, kind: str) -> None:
    """Newlines, NUL, bytes that are no UTF-8, and long keys; a match that goes on for too long is an error."""
    both.write("table", b"/^Subject: (.*)\n(.*)x$/ [$1][$2]\n/\xff(.)/ $1\n/^b.b$/ any\n/^$/ empty\n/^(x+)y$/ $1\n/z$/ end\n/^c.*(.)\\1$/ twice $1\n")
    message = b"Subject: a\n bx\nSubject: \xff\xe9\nX: z\n z\nb\0b: x\n\nb\0b\nb\xffb\n\ncc\n" + b"x" * 5000 + b"y\n" + b"c" * 40 + b"\n"
    for options in (["-hmq", "-"], ["-bq", "-"], ["-hUq", "-"], ["-q", "-"]):
        both.same("postmap", *options, f"{kind}:table", given=message)
    both.all_same("postmap", [["-q", key, f"{kind}:table"] for key in ("a\nb\nz", "Subject: a\nbx", "b\nb", "\n", "z\n")])
    both.write("table", "/^(a+)+\\1$/ x\n/b/ y\n")
    if kind == "pcre":
        both.same("postmap", "-q", "-", "pcre:table", given="a" * 5000 + "b\n")
