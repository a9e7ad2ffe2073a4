"""Tables of addresses, with results that are odd, many, long, without end: both cleanups make the same of them."""

from __future__ import annotations

import pytest

from .side import CompareAll, Submission, lines, record
from .test_by_hand import BODY, E, M, R, T, X

pytestmark = pytest.mark.reference

FILES = {
    "aliases": "\n".join([
        "a@v b@w, c@x", "list@v a@v, d, e+f", "self@v self@v, o@x", "grow@v grow@v, grow@v", "l1@v l2@v", "l2@v l1@v", "m1@v m2@v, m3@v",
        "m3@v m1@v", "@wild @target", "@wild2 @target, more@x", "ext@v t@w", "luser remote@w", 'q@v "a b"@w', "long@v " + "x" * 90 + "@w",
        "long2@v a@b, " + "y" * 120 + "@w, c@d", "many@v " + ", ".join(f"u{number}@w" for number in range(30)), "two@v many@v, many@v",
        "none@v ,", *(f"d{number}@v d{number + 1}@v" for number in range(7)), "case@v CASE@V", "empty@v <>", "utf@v \u00e9@w", "nodom@v foo",
        "lit@v a@[1.2.3.4]", "nul2@v <>, a@b", "at@v @", 'quo@v ""', "comm@v (x)", "",
    ]),
    "canonical": "\n".join([
        "a@c b@d", "l1@c l2@c", "l2@c l1@c", "mv@c x@y, z@w", "@cd @ce", "user canuser@x", "none@c ,", "self@c self@c", "from@c f@g",
        "s@x.example sender@y", "r@x.example rcpt@z", "ext@c q@r", '"a b"@c u@v', "nul@c <>", "nul2@c a@b, <>", "at@c @", 'quo@c ""', '"" null@x', '"m v"@c a@b, c@d',
        '"l 1"@c "l 2"@c', '"l 2"@c "l 1"@c', '"no address"@c (x)', "",
    ]),
    "copies": "r@x.example copy@x\ns@x.example scopy\na@v two@x, three@y\n@c dom@x\nuser ub@x\nnul@c <>\nat@c @\n",
}  # fmt: skip
ALIASES = {
    "virtual_alias_maps": "texthash:{dir}/etc/aliases", "virtual_alias_address_length_limit": "100", "virtual_alias_expansion_limit": "40",
    "virtual_alias_recursion_limit": "5", "recipient_delimiter": "+",
}  # fmt: skip
CANONICAL = {"canonical_maps": "texthash:{dir}/etc/canonical", "recipient_delimiter": "+"}
COPIES = {"sender_bcc_maps": "texthash:{dir}/etc/copies", "recipient_bcc_maps": "texthash:{dir}/etc/copies", "always_bcc": "all@x"}
CONFIGURATIONS: dict[str, dict[str, str]] = {
    "aliases": ALIASES,
    "canonical": CANONICAL,
    "all": ALIASES | CANONICAL | COPIES,
    "no extensions": ALIASES | CANONICAL | {"propagate_unmatched_extensions": "", "enable_original_recipient": "no"},
    "classes": {
        "sender_canonical_maps": "texthash:{dir}/etc/canonical", "recipient_canonical_maps": "texthash:{dir}/etc/canonical",
        "masquerade_domains": "x.example !y.x.example", "sender_canonical_classes": "envelope_sender",
        "recipient_canonical_classes": "header_recipient",
    },
    "failing aliases": {"virtual_alias_maps": "fail:x"},
    "failing canonical": {"canonical_maps": "fail:x"},
    "failing copies": {"recipient_bcc_maps": "fail:x"},
    "failing copies of senders": {"sender_bcc_maps": "fail:x"},
    "failing exceptions": {"masquerade_domains": "x", "masquerade_exceptions": "fail:x"},
    "soft bounce": ALIASES | {"soft_bounce": "yes"},
}  # fmt: skip
ADDRESSES = [
    "a@v", "A@V", "list@v", "self@v", "grow@v", "l1@v", "m1@v", "u@wild", "u+x@wild", "u@wild2", "ext+foo@v", "luser", "luser@localhost",
    "luser+x", "q@v", "long@v", "long2@v", "many@v", "two@v", "none@v", "d0@v", "d1@v", "d4@v", "case@v", "empty@v", "utf@v", "nodom@v", "lit@v",
    "nul2@v", "at@v", "quo@v", "comm@v", "", "nobody@q", "user+ext@mail.ours.example", "a@c", "l1@c", "mv@c", "x@cd", "none@c", "self@c",
    "ext+1@c", "a b@c", "r@x.example", "nul@c", "nul2@c", "nul+x@c", "at@c", "quo@c", "m v@c", "l 1@c", "no address@c",
]  # fmt: skip
HEADER = lines(
    b"Received: x", b"Date: x", b"Message-Id: <z>", b"From: self@c", b"To: a@c, B <l1@c>, mv@c, user, foo@cd, nul@c", b"Cc: a@v", b"Resent-To: from@c",
    b"", b"b",
)  # fmt: skip
MAPPED = 2 | 4 | 16 | 32
SUCCESS, NEVER = record("A", "notify_flags=2"), record("A", "notify_flags=1") + record("A", "dsn_orig_rcpt=rfc822;o@o") + record("O", "orig@o")


def messages() -> dict[str, Submission]:
    """Return what to bring: each address as recipient and sender, with all that may be said of it."""
    made = {}
    before = T + record("S", "s@x.example")
    for address in ADDRESSES:
        one = record("R", address)
        made[address] = Submission(before + one + M + HEADER + X + E, MAPPED)
        made[f"{address}, success"] = Submission(before + SUCCESS + one + M + BODY + X + E, MAPPED)
        made[f"{address}, never"] = Submission(before + NEVER + one + M + BODY + X + E, MAPPED)
        made[f"{address}, not mapped"] = Submission(before + one + M + HEADER + X + E, 4)
        made[f"{address}, sender and late"] = Submission(T + record("S", address) + R + M + HEADER + X + one + record("R", "a@v") + E, MAPPED)
        made[f"{address}, of pickup"] = Submission(before + one + record("R", "second@v") + M + BODY + X + E, MAPPED | 1)
    return made


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_tables(compare_all: CompareAll, configuration: str) -> None:
    compare_all(messages(), main=CONFIGURATIONS[configuration], files=FILES)
