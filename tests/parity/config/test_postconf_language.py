"""The ``$name`` language as postconf(1) expands it and looks for names in it, on both sides."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.reference

NAMES = "x = v\ne =\ny = 3.10\nz = $x.$y\nn = 10\n"

EXPRESSIONS = {
    "plain": ["$x", "${x}", "$(x)", "$$x", "a$x.b", "${ x }", "$x$y$z", "$e", "$und", "${und}", "$", "$.", "${}", "$()", "${x"],
    "tests": [
        "${x?yes}", "${e?yes}", "${und?yes}", "${x:no}", "${e:no}", "${x?{a}:{b}}", "${e ? {a} : {b}}", "${x?{a}}", "${x?{a}:b}",
        "${x?{a}b}", "${x?{a}:{b}c}", "${x:{a}:{b}}", "${x? a b }", "${x?{ a b }}", "${x?$y}", "${x?{${y?{$z}}}}", "${x?}", "${x:}",
        "${x y?a}", "${ x y?a}", "${x?{a}:}", "${?a}", "${:a}", "${x?{a}:{$und}}", "${e?$und}",
    ],
    "comparisons": [
        "${{a}=={a}}", "${{a}=={b}}", "${{$x}=={v}?{a}:{b}}", "${{$n}<{9}?{a}:{b}}", "${{a10}<{a9}?{a}:{b}}", "${{10}>{9}?{a}}",
        "${{a}!={b}:{c}}", "${{a}>={b}?{c}:{d}}", "${{a}<={b}?c}", "${{a}={b}}", "${{a}=>{b}}", "${{a}=={b}x}", "${{a}==b}", "${{a}",
        "${{a}=={}}", "${{}=={}}", "${{ a }=={a}?{y}:{n}}", "${{9999999999999999999}<{1}}", "${{a} == {a} ? {y} : {n} }",
    ],
    "levels": [
        "${{3.10}<level{3.9}?{a}:{b}}", "${{3.10}>level{3.9}}", "${{3}==level{3.0.0}?{a}}", "${{3.1}<=level{3.1.1}}", "${{3.1}!=level{3.1}}",
        "${{3.2000}<level{4}}", "${{x}<level{4}}", "${{}<level{4}}", "${{3.}<level{4}}", "${{1.2.3.4}<level{4}}", "${{-1}<level{4}}",
        "${{3}<lvl{4}}", "${{$y}>=level{$y}?{a}:{b}}", "${{$compatibility_level}<level{4}?{a}:{b}}",
    ],
    "functions": [
        "${domain_to_ascii{a.example}}", "${domain_to_ascii{b\u00fccher.example}}", "${domain_to_utf8{xn--bcher-kva.example}}",
        "${domain_to_ascii { $x.example }}", "${domain_to_utf8{a.example}}", "${nosuch{a}}", "${nosuch {a} }", "${domain_to_ascii{a}x}",
        "${domain_to_ascii{a}", "${nosuch{a}x}",
    ],
    "braces": ["${x?{}}", "${x?{{}}}", "${x?{a}{b}}", "${x?{a}:{b}:{c}}", "{$x}", "}$x{", "${x?{a", "$(x?y)", "${x?(a)}", "$({x)"],
}  # fmt: skip


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_expressions(same: Callable[..., object], kind: str) -> None:
    """One form each, good and bad; the same value, the same names, the same complaints."""
    for expression in EXPRESSIONS[kind]:
        text = f"{NAMES}mail_name = {expression}\ncompatibility_level = 3.6\nmynetworks = 127.0.0.1\n"
        same(text, "", "-nx")


def random_expression(source: random.Random, depth: int = 0) -> str:
    blank = source.choice(["", "", " ", "  "])

    def inner() -> str:
        return random_expression(source, depth + 1)

    name = source.choice(["x", "e", "und", "n"])
    what = source.randrange(6 if depth < 3 else 1)
    if what == 0:
        return source.choice(["a", "$x", "${y}", "$(z)", "$$", "b c", "$und", "3.9", "", "$n"])
    if what == 1:
        return f"${{{blank}{name}?{{{inner()}}}{blank}:{blank}{{{inner()}}}}}"
    if what == 2:
        return f"${{{name}{source.choice('?:')}{inner()}}}"
    operator = source.choice(["==", "!=", "<", "<=", ">", ">="])
    if what == 3:
        return f"${{{{{inner()}}}{blank}{operator}{blank}{{{inner()}}}?{{{inner()}}}:{{{inner()}}}}}"
    if what == 4:
        levels = source.sample(["3", "3.10", "3.9.1", "4", "$y"], 2)
        return f"${{{{{levels[0]}}}{operator}level{{{levels[1]}}}{blank}?{{{inner()}}}}}"
    return inner() + inner()


@pytest.mark.parametrize("seed", range(4))
def test_random_expressions(same: Callable[..., object], seed: int) -> None:
    """Well-formed expressions of any depth."""
    source = random.Random(seed)
    for _ in range(25):
        same(f"{NAMES}mail_name = {random_expression(source)}\nmynetworks = 127.0.0.1\n", "", "-nx")


@pytest.mark.parametrize(
    "text",
    [
        "mail_name = $a\na = $b\nb = $c\nc = d\n",
        "mail_name = $a0\n" + "".join(f"a{n}=$a{n + 1}\n" for n in range(98)) + "a98=z\n",
        "mail_name = " + "${x?{" * 99 + "a" + "}}" * 99 + "\nx=1\n",
        "mail_name = " + "${x?{" * 120 + "a" + "}}" * 120 + "\nx=1\n",
        "mydomain = $d\nd = y.z\n",
        "mydomain = $d\n",
        "mydomain = $myhostname\n",
        "myhostname = $mydomain\n",
        "myhostname = ${x\n",
        "mydomain = ${x\n",
        "inet_interfaces = $myhostname, 127.0.0.1\n",
        "inet_interfaces = 127.0.0.1, all\n",
        "inet_interfaces = {127.0.0.1}\n",
        "inet_protocols = {ipv4 ipv6}\n",
        "mynetworks_style = {host}\n",
        "smtpd_restriction_classes = $myhostname, a, {b c}\na = permit\n",
        "syslog_name = ${multi_instance_name?{$multi_instance_name}:{postfix}}/x\nmulti_instance_name = m\n",
        "mail_name = ${stress?{1}:{2}}\n",
        "mail_name = ${stress?{1}:{2}}\nstress = yes\n",
    ],
)
def test_definitions(same: Callable[..., object], text: str) -> None:
    """Chains, nesting, and the names that make defaults."""
    for option in ("-n", "-nx", "-x"):
        names = ["mail_name", "myhostname", "mydomain", "syslog_name"] if option == "-x" else []
        same(text, "", option, *names)
