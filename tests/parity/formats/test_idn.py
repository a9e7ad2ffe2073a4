"""Internationalised names: the ASCII and Unicode forms of the reference, which has them from the ICU library.

The reference's ``postconf -x`` expands ``${domain_to_ascii{...}}`` and ``${domain_to_utf8{...}}``; its warnings tell what
is wrong with a name.  Source: postconf(5), "domain_to_ascii"; SMTPUTF8_README; UTS #46.
"""

from __future__ import annotations

import random
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from pyfix.formats.domain import ascii_complaint, domain_to_ascii, domain_to_utf8
from tests.kit.instance import Instance
from tests.kit.requirements import need_reference

pytestmark = [pytest.mark.reference, pytest.mark.root]

NAMES = [
    "Foo.BAR", "b\u00fccher.de", "B\u00dcCHER.de", "fa\u00df.de", "\u2603.net", "a\u2603b..net", "-\u00fc.x", "\u00fc-.x",
    "-\u00fc-.x", "ab--\u00fc.x", "xn--bcher-kva.DE", "XN--BCHER-KVA.de", "xn--abc.\u00fc", "a..\u00fc", "\u00fc.",
    "\u00fc..", "\u0301\u00fc.x", "\u00fc_x.y", "\u00fc x.y", "\u00fc\u3002y", "\uff26oo.\u00fc", "\u00fc" * 70,
    ".".join(["\u00fc" * 24] * 8), ".".join(["\u00fc" * 24] * 9), "a\u200db.\u00fc", "xn--.\u00fc", "xn--a.\u00fc",
    "\U0001f600.x", "\u00fc*.x", "*.\u00fc", "*", "1", "1.2", "\uff11", "xn--fa-hia.de", "xn--fa-hia.xn--bcher-kva",
    "\u00fc.xn--bcher-kva", "\u00fc\ue000.-x", "\u00ad.\u00fc", "1.\u00fc", "\u0663", "\u05d01.x", "1\u05d0.x", "\u00fc.1",
    "x.", "xn---h72a7h.\u00fc", "xn--abc-", "xn--abc-.\u00fc", "\U0001f600--\u0301\u0131", "\u03c3\u03c2.\u03a3",
    "xn--0.x", "xn--zzzzzzzzzz.x", "\u00fc." + "a" * 63, "\u00fc." + "a" * 64, "a" * 300 + ".\u00fc", "",
]  # fmt: skip
_PIECES = [
    "a", "b", "-", "--", ".", "..", "x", "xn--", "xn--bcher-kva", "xn--fa-hia", "\u00fc", "\u00df", "\u00c9", "\u03a3", "\u03c2",
    "\u200d", "\u200c", "\u0301", "\u2603", "\U0001f600", "\u0627", "\u05d0", "1", "\u0663", "_", "*", "\uff21", "\u3002",
    "\uff0e", "\u00ad", "\ue000", "\u0378", "\ufb01", "\u0140", "\u2122", "\u65e5\u672c", "\u0915\u094d", "\u0937", "\u1e9e",
    "\u0130", "\u0131", "\u212a", "\U000e0001", "xn--0", "xn--a-", "ab", "\u2260", "\u32ff", "e\u0301", "\u00fc" * 20, "zz" * 30,
]  # fmt: skip


def _names() -> list[str]:
    chance = random.Random("names")
    made = [name for name in NAMES if name]
    for _ in range(250):
        if chance.random() < 0.15:
            coded = "".join(chance.choices("abcdefghij0123456789-", k=chance.randint(1, 8)))
            made.append("xn--" + coded + chance.choice(("", ".\u00fc", ".x")))
        else:
            made.append("".join(chance.choices(_PIECES, k=chance.randint(1, 5))))
    return made


def _expanded(mta: Instance, function: str, names: list[str]) -> tuple[list[str], str]:
    """Return the reference's form of each name, none when one of them has none, and the reason that its warning gives."""
    forms = "".join(f"${{{function}{{{name}}}}}|" for name in names)
    done = mta.run("postconf", "-x", "-h", "-o", f"smtpd_banner={forms}", "smtpd_banner")
    reason = re.search(r" to ASCII form: (.*)", done.stderr.decode())
    return done.stdout.decode().removesuffix("\n").split("|")[:-1], reason[1] if reason else ""


@pytest.mark.parametrize("function", ["domain_to_ascii", "domain_to_utf8"])
def test_names(function: str) -> None:
    need_reference()
    convert = domain_to_ascii if function == "domain_to_ascii" else domain_to_utf8
    ours = {name: convert(name) for name in _names()}
    good = [name for name, form in ours.items() if form is not None]
    assert len(good) > 150
    with Instance("reference") as mta:
        for start in range(0, len(good), 50):
            names = good[start : start + 50]
            assert [ours[name] for name in names] == _expanded(mta, function, names)[0], names
        bad = sorted(ours.keys() - set(good))
        with ThreadPoolExecutor(16) as pool:  # each ends with a fatal error, before which Postfix sleeps for a second
            answers = list(pool.map(lambda name: _expanded(mta, function, [name]), bad))
    for name, (theirs, reason) in zip(bad, answers, strict=True):
        assert theirs == [], name
        complaint = ascii_complaint(name)
        if complaint is not None:
            assert complaint.rpartition(" form: ")[2] == reason, name


def test_rules_of_2003() -> None:
    """enable_idna2003_compatibility has no effect any more."""
    need_reference()
    names = ["fa\u00df.de", "FA\u1e9e.de", "\u03c3\u03c2.x", "a\u200db\u00fc.x", "\u00df", "xn--fa-hia.\u00fc", "b\u00fccher.de"]
    with Instance("reference", main={"enable_idna2003_compatibility": "yes"}) as mta:
        theirs = _expanded(mta, "domain_to_ascii", names)[0]
    assert [domain_to_ascii(name) for name in names] == theirs
