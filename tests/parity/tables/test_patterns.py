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
