"""Random regexp, pcre and cidr tables, asked by both sides: the same answers, and the same complaints about each line."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kit import requirements
from tests.parity.tables.conftest import Both

pytestmark = [pytest.mark.reference, pytest.mark.root]

SEEDS = 4
"""Tables of each type."""
RULES = (1, 60)
KEYS = 60

_WORDS = ("a", "b", "ab", "abc", "foo", "bar", "foobar", "x", "user", "@", "example", ".com", "12", "é", "\xdf", "\x80", "-", " ", "Subject: ")
_BRACKETS = ("[ab]", "[^a]", "[a-f]", "[]x]", "[^]x]", "[[:alpha:]]", "[^[:digit:]]", "[[:space:]b]", "[x", "[]", "[a-]", "[\\]", "[z-a]", "[é]", "[.]", "[[.a.]]")
_PLACES = ("^", "$", "\\b", "\\<", "\\>", "\\B", "\\w", "\\W", "\\d", "\\s", ".", ".*", ".+", "\\.", "\\/", "\\1", "\\2", "\\$", "\\n", "\\t", "\\\\")
_TIMES = ("*", "+", "?", "{2}", "{1,2}", "{0}", "{,2}", "{2,1}", "{0,1}", "**", "+?", "*+", "{")
_PERL = ("(?i)", "(?:a|b)", "(?!b)", "(?<=a)", "(?<n>a)", "\\Qa.b\\E", "\\x41", "(?#c)", "(?-i)", "\\K", "\\R", "(?>a+)", "\\pL", "\\G")
_TEXTS = ("OK", "REJECT", "$1", "${1}", "$(1)", "$$", "$2", "${2}x", "$0", "$3", "$", "${1", "$(1}", "${}", "$x", "$1x", "$12", "a b", "é", "x$", "$$1", "{1}", "\\1", "", "$ 1", "${ 1 }")  # fmt: skip
_DELIMITERS = ("/", "/", "/", "/", "/", "|", "%", "!", "(", "=", '"')


def _expression(chance: random.Random, kind: str, depth: int = 0) -> str:
    parts = []
    for _ in range(chance.randrange(1, 5)):
        match chance.randrange(12):
            case 0 | 1 | 2 | 3 | 4:
                part = chance.choice(_WORDS)
            case 5:
                part = chance.choice(_BRACKETS)
            case 6 | 7:
                part = chance.choice(_PLACES)
            case 8 if kind == "pcre":
                part = chance.choice(_PERL)
            case 9 | 10 if depth < 3:
                inner = [_expression(chance, kind, depth + 1) for _ in range(chance.randrange(1, 4))]
                part = "(" + "|".join(inner) + ")"
            case _:
                part = chance.choice(_WORDS[:6])
        if chance.random() < 0.25:
            times = chance.choice(_TIMES if chance.random() < 0.4 else _TIMES[:3])
            part += "" if (kind, times) == ("pcre", "{,2}") else times  # PCRE2 10.43 began to take it for a quantifier
        parts.append(part)
    if chance.random() < 0.03:
        parts.append(chance.choice("()[]{}|*\\"))
    return "".join(parts)


def _expression_line(chance: random.Random, kind: str) -> str:
    delimiter = chance.choice(_DELIMITERS)
    flags = "".join(chance.choices("imxsAEUX" if kind == "pcre" else "imx", k=chance.choice((0, 0, 0, 1, 1, 2, 3))))
    if chance.random() < 0.02:
        flags += chance.choice("qz9i/")
    negated = chance.choice(("", "", "", "", "!", "!!", "! "))
    between = chance.choice((" ", " ", " ", "\t", "  ", "", " \t "))
    closing = delimiter if chance.random() < 0.98 else ""
    if kind == "regexp" and chance.random() < 0.1:
        flags += f"!{chance.choice(('', '', '!'))}/{_expression(chance, kind)}/{chance.choice(('', '', 'i', 'x', '!', 'z'))}"
    return f"{negated}{delimiter}{_expression(chance, kind)}{closing}{flags}{between}{_result(chance)}"


def _result(chance: random.Random) -> str:
    return "".join(chance.choices(_TEXTS, k=chance.choice((1, 1, 1, 2, 3)))) if chance.random() < 0.7 else f"text{chance.randrange(100)}"


def _address(chance: random.Random) -> str:
    if chance.random() < 0.25:
        return chance.choice(("::1", "2001:db8::1", "2001:db8:1::", "::", "fe80::1", "::ffff:10.0.0.1", "2001:DB8::1"))
    return ".".join(chance.choice(("0", "1", "10", "127", "192", "255", "010", "256")[: 8 if chance.random() < 0.05 else 6]) for _ in range(4))


def _block(chance: random.Random) -> str:
    if chance.random() < 0.5:
        text = _address(chance)
    elif chance.random() < 0.2:
        text = f"{chance.choice(('2001:db8::', '::', 'fe80::'))}/{chance.choice((0, 10, 32, 64, 128, 129))}"
    else:
        text = chance.choice(("10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "192.0.0.0/4", "1.0.0.0/8", "127.1.1.0/24", "10.10.10.10/32", "10.1.1.1/8", "1.2.3/24", "a/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/33"))  # fmt: skip
    return chance.choice((f"[{text}]", f"[{text}", text.replace("/", "]/"))) if chance.random() < 0.08 else text


def _cidr_line(chance: random.Random) -> str:
    negated = chance.choice(("", "", "", "", "", "!", "!!", "! "))
    between = chance.choice((" ", "\t", "  ", " "))
    return negated + _block(chance) + between + chance.choice(("OK", "REJECT a  b", f"text{chance.randrange(99)}", "$1", ""))


def table(chance: random.Random, kind: str) -> str:
    """Return the text of a table."""
    lines, depth = [], 0
    for _ in range(chance.randrange(*RULES)):
        match chance.randrange(16):
            case 0 | 1:
                depth += 1
                what = _block(chance) if kind == "cidr" else f"/{_expression(chance, kind)}/{chance.choice(('', 'i', 'x'))}"
                lines.append(f"{chance.choice(('if', 'if', 'IF', 'If'))} {chance.choice(('', '', '!'))}{what}{chance.choice(('', '', '', ' x'))}")
            case 2 | 3 if depth or chance.random() < 0.1:
                depth -= 1
                lines.append(chance.choice(("endif", "ENDIF", "endif ", "endif x", "EndIf")))
            case 4:
                lines.append(chance.choice(("# comment", "", "   ", "  # comment", " more text", "foo", "if", "iffy /x/ y", "endiff", "/", "!", "//", "// x")))
            case _:
                lines.append(_cidr_line(chance) if kind == "cidr" else _expression_line(chance, kind))
    return "".join(f"{line}\n" for line in lines)


def keys(chance: random.Random, kind: str) -> list[str]:
    """Return what to ask for."""
    if kind == "cidr":
        return [_address(chance) for _ in range(KEYS)] + ["", "foo", "10.0.0.1/32", "[::1]", "10.0.0.1 ", " 10.0.0.1", "::1%lo"]
    found = ["".join(chance.choices(_WORDS, k=chance.randrange(1, 8))) for _ in range(KEYS)]
    return [key.swapcase() if chance.random() < 0.2 else key for key in found]


def encoded(text: str) -> bytes:
    """Return *text* with some of its characters in UTF-8 and some as bytes that are none."""
    return b"".join(bytes((ord(c),)) if c in "\x80\xdf" else c.encode() for c in text)


_PLACE = re.compile(r"error in regex at offset \d+: .*")


def differing(both: Both, kind: str, seed: int) -> list[str]:
    """Return how the two sides differ with the table of a seed."""
    chance = random.Random(f"{kind} {seed}")
    both.write("table", encoded(table(chance, kind)))
    asked = b"".join(encoded(key) + b"\n" for key in keys(chance, kind))
    headers = b"Subject: foo\n bar\n\tab\nX-a: b\nFrom: user@example.com\n\nbody abc\n" if seed % 3 == 0 and kind != "cidr" else b""
    mode = ["-hmq", "-"] if headers else ["-q", "-"]
    theirs, ours = (both.run(side, "postmap", *mode, f"{kind}:table", given=headers or asked) for side in ("reference", "pyfix"))
    found = []
    if any(": fatal: " in line for line in theirs.err):
        theirs = replace(theirs, out=ours.out)  # what it has found until then is lost in its buffer
    for what, one, other in (
        ("status", [str(theirs.status)], [str(ours.status)]),
        ("output", theirs.out.split("\n"), ours.out.split("\n")),
        ("messages", *([_PLACE.sub("", line) for line in done.err] for done in (theirs, ours))),
    ):
        if one != other:
            found += [f"{what}:", *(f"  - {line!r}" for line in one if line not in other), *(f"  + {line!r}" for line in other if line not in one)]
    return found


@pytest.mark.parametrize("kind", ["regexp", "pcre", "cidr"])
def test_random_tables(tmp_path: Path, kind: str) -> None:
    """Whatever stands in a table, both sides read it the same way."""
    requirements.need_reference()
    both = Both(tmp_path)
    for seed in range(SEEDS):
        assert not (found := differing(both, kind, seed)), f"seed {seed}\n" + "\n".join(found)
