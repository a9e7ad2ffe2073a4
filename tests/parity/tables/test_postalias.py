"""postalias(1) of both sides."""

from __future__ import annotations

import re

import pytest

from .conftest import Both

pytestmark = [pytest.mark.reference, pytest.mark.root]

ALIASES = r"""# aliases
postmaster: root
Root:	me,you
 too
"quoted name": a
nocolon x
: empty
x:
y: |"/bin/prog a, b"
z: :include:/x
a, b: c
w : :fail: bad
a (comment): b
"a\"b": z
user@dom.ain: x
a1: "foo bar", baz
a2: foo bar
a3: user@example.com, "|prog -x 'y'", /file/name
a4: <foo@bar>, Name <x@y>
a5: (comment) foo (c2)
a6 : "x\"y"@dom
a7: foo;bar
a8: group: a, b;
a9: \user
a10: user\@host
a11: ::x
a12: "unterminated
a13: (untermin
<a14>: x
a15 b: x
"a16"@x: y
a17.: x
.a18: x
a19@: y
"a 20" : y
a21: foo,,bar
a22: ,foo
a23:foo
a24	: foo	bar,  baz
A\ 25: foo
a26:"q"x
a27: :include: /foo bar
a28: [1.2.3.4]
é: ü
a29: üser, "ä b"
Name <a30>: x
a31: |foo bar
a32: |"foo bar"
a33: "a"."b"@c
a34: a . b @ c
a35: a.@b
a36: 'x y'
owner-a: b
a38: a<b
a39: a>b
a40: x,

a41: #c
a42:"|x, y" , z
b2,: d
, b3: d
b4;c: d
(c): d
b6: (only comment)
b7 <x@y>: z
"": x
"b9"c: x
b10: <a> <b>
b11: <a>b<c>
b12: a:b:c
b13: "a" "b" c
b14: a , b
b15: a;; b
b16: user@[1.2.3.4] x
b17: a%b!c|d
b18: (c)a(d)"q"(e)
b19: a\,b
b20: ,
b21: ""
b22: a@b c@d
b23: x. y
b24: x "y"@z
b25: "unt , x: y
b26: @a,@b:c@d
b27: a:<b>
b28: a,<b>
b29: )x(
b30: a,(c),b
b31: [1.2] <a>
b32: a "b"."c"
root: again
"""


def test_make_and_ask(both: Both) -> None:
    """All forms of aliases, quoted, with comments, and wrong.  Source: aliases(5)."""
    both.write("aliases", ALIASES)
    both.same("postalias", "hash:aliases")
    both.same("postalias", "-w", "hash:aliases")
    listed = [
        sorted(
            re.sub(
                r"(YP_LAST_MODIFIED:\t)\d+", r"\1NOW", both.run(kind, "postalias", "-s", "hash:aliases").out
            ).splitlines()
        )
        for kind in ("reference", "pyfix")
    ]
    assert listed[1] == listed[0]
    for key in ("root", "ROOT", "quoted name", "Quoted Name", "a@b", "@", "nobody", "YP_MASTER_NAME"):
        both.same("postalias", "-q", key, "hash:aliases")
    both.same("postalias", "-q", "-", "hash:aliases", given="root\nA1\nnobody\n")
    both.same("postalias", "-jq", "a1", "hash:aliases")
    both.same("postalias", "-jq", "-", "hash:aliases", given="root\nA1\nnobody\n")


def test_changing(both: Both) -> None:
    """Adding and deleting aliases, and what is no alias file."""
    both.write("aliases", "a: b\n")
    both.same("postalias", "hash:aliases")
    both.same("postalias", "-i", "hash:aliases", given="x\ny: z\na: again\n")
    both.same("postalias", "-q", "y", "hash:aliases")
    both.same("postalias", "-d", "Y", "hash:aliases")
    both.same("postalias", "-d", "y", "hash:aliases")
    both.same("postalias", "-i", "hash:new", given="q z\n")
    both.same("postalias", "-q", "@", "hash:new")
    both.same("postalias", "-f", "lmdb:aliases")
    both.same("postalias", "-n", "cdb:aliases")
    both.all_same(
        "postalias",
        [[], ["-b", "hash:aliases"], ["-F", "hash:aliases"], ["-q", "x"], ["-sq", "x", "hash:aliases"], ["hash:none"],
         ["-j", "hash:aliases"], ["texthash:aliases"], ["-q", "x", "hash:none"], ["-s", "texthash:aliases"]],
    )  # fmt: skip


def test_odd_files(both: Both) -> None:
    """Bytes that are not UTF-8, white space at the start, NUL."""
    for text in (b"a\xff: b\nc: \xff\nd: e\n", b"  lead: x\na: b\n", b"a\0b: c\nd: e\n", b""):
        both.write("aliases", text)
        both.same("postalias", "hash:aliases")
        both.same("postalias", "-u", "hash:aliases")
        both.same("postalias", "-q", "-", "hash:aliases", given="a\nd\n")
