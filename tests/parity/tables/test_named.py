"""Tables that are in their name: inline, static, environ, internal, unix, fail, and those made of other tables."""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

from .conftest import Both

pytestmark = [pytest.mark.reference, pytest.mark.root]

KEYS = ["a", "A", "b", "root", "nobody", "0", "65534", "root:", "PATH", "ü", "x,y"]
PAIRS = [
    "", "{}", "{ }", "{,}", "{a=b}", "{a=b", "a=b}", "a=b", "{a}", "{=b}", "{a=}", "{a = b}", "{{a=b}}", "{{a = b c}}", "{{a = b c}, {b=d}}",
    "{ {a=b}c }", "{a=b, a=c}", "{A=b}", "{a=b,b=c}x", "{{a=b}", "{{a}}", "{{=}}", "{{a=b=c}}", "{a==}", "{ {a={x}} }", "{{a=b}{b=c}}",
    "{a=b }, {b=c}", "{{ }}", "{{a=b},{}}", "{a=$x}", "{x,y=z}", "{{x,y=z}}", "{{root=r}}", "{{ a b = c }}", "{{a b=c}}", "{{=b c}}",
    "{a=\\b}", "{'a'=b}",
]  # fmt: skip
TEXTS = ["a b", "{a b}", "{ a b }", "{a", "a}", "{a} b", "{{a}}", " a", "{ü}"]
TABLES = [
    "", "{}", "{ }", "{,}", "{static:x}", "{static:x", "static:x", "{static:x}y", "{static:x static:y}", "{static:x, inline:{a=b}}",
    "{inline:{a=b}, static:x}", "{ inline:{a=b,b=c} }", "{{static:x}}", "{{static:x y}, static:z}", "{x}", "{x:y}", "{fail:x}",
    "{static:x, fail:y}", "{fail:y, static:x}", "{inline:{a=b}, fail:y}", "{static:a, inline:{a=b}}",
    "{inline:{a=b}, inline:{b=c}, inline:{c=d}}", "{inline:{a=b,b=c},inline:{a=d}}", "{texthash:nosuch}", "{texthash:empty, static:x}",
    "{static:{}}", "{static:{}, static:y}", "{static:y, static:{}}", "{static:{}, static:{}}", "{inline:{a=}}", "{:x}", "{static:}", "{hash}",
    "{static:x,,static:y}", "{regexp:{{/a/ b}}, inline:{b=x}}", "{inline:{A=b}, regexp:{{/a/ b}}}", "{inline:{a=b c}, static:z}",
    "{unionmap:{static:x,static:y}, pipemap:{static:a,inline:{a=q}}}", "{randmap:{q}}", "{environ:x}", "{unix:passwd.byname}",
    "{debug:static:x}", "{debug:regexp:{{/A/ x}}}", "{inline:{a=ü}}",
]  # fmt: skip
NAMES = [
    *(f"inline:{text}" for text in PAIRS),
    *(f"static:{text}" for text in [*PAIRS[:10], *TEXTS]),
    *(f"{kind}:{text}" for kind in ("unionmap", "pipemap") for text in TABLES),
    *(f"randmap:{text}" for text in ["", "{}", "{ }", "{,}", "{x}", "{x", "x", "{x}y", "{x,x}", "{{x}}", "{{x y}}", "{ü}", "{x:y}", "{{}}"]),
    "debug:", "debug:x", "debug:static:x", "debug:static:", "debug:fail:x", "debug:nosuch:x", "debug:inline:{a=b}", "debug:debug:static:y",
    "debug:regexp:{{/a/ b}}", "debug:texthash:nosuch", "debug:{static:x}", "debug:unionmap:{static:x, fail:y}", "debug:inline:{A=ü}",
    "environ:", "environ:x", "fail:", "fail:a b", "fail:{x}", "internal:", "internal:x", "unix:", "unix:x", "unix:passwd.byname",
    "unix:group.byname", "unix:passwd.byuid", "texthash:", "texthash:nosuch", "texthash:.", "texthash:table", ":x", "x:", "nosuch:x", "",
    "cidr:", "regexp:", "pcre:", "hash:nosuch", "lmdb:nosuch", "cdb:nosuch",
]  # fmt: skip


def test_lookups(both: Both) -> None:
    """Source: DATABASE_README, postmap(1)."""
    both.write("table", 'a b\nA c\n\tcont\nü x\nkey: v\nq\n"x y" z\n a\nb\\ c d\n')
    both.write("empty", "")
    both.all_same_in_turn("postmap", [["-q", "-", name] for name in NAMES], given="".join(f"{key}\n" for key in KEYS))


def test_lists(both: Both) -> None:
    """Source: postmap(1) option -s."""
    names = ["inline:{a=b}", "inline:{{=}}", "inline:{a=}", "static:x", "fail:x", "environ:x", "unix:passwd.byname", "unionmap:{static:x}",
             "debug:inline:{a=b}", "debug:static:x", "debug:debug:static:y", "debug:fail:x", "internal:x", "regexp:{{/a/ b}}"]  # fmt: skip
    both.all_same("postmap", [["-s", name] for name in names])


def test_changes(both: Both) -> None:
    """Source: postmap(1) options -d and -i."""
    names = ["inline:{a=b}", "static:x", "unix:passwd.byname", "debug:inline:{a=b}", "debug:debug:static:y", "debug:unionmap:{static:x, fail:y}"]
    both.all_same("postmap", [["-d", "a", name] for name in [*names, ":x", "x:", "fail:x", "internal:x"]])
    both.all_same("postmap", [["-i", name] for name in [*names, "environ:x", "internal:x"]], given="a b\n")


def test_parts_of_addresses(parity: Parity) -> None:
    """The first member decides whether a table of tables is asked for parts of addresses.  Source: virtual(5), DATABASE_README."""

    user = "user@ours.example"
    tables = {
        "u1": f"unionmap:{{inline:{{@u1.example={user}}}, regexp:{{{{/zz@u1/ {user}}}}}}}",
        "u2": f"unionmap:{{regexp:{{{{/zz@u2/ {user}}}}}, inline:{{@u2.example={user}}}}}",
        "u3": f"unionmap:{{regexp:{{{{/^@u3/ {user}}}, {{/zz@u3/ {user}}}}}}}",
        "u4": f"unionmap:{{inline:{{x=y}}, regexp:{{{{/^@u4/ {user}}}, {{/zz@u4/ {user}}}}}}}",
        "p1": f"pipemap:{{inline:{{@p1.example=x}}, regexp:{{{{/^x/ {user}}}}}}}",
        "p2": f"pipemap:{{regexp:{{{{/^@p2/ x}}, {{/zz@p2/ x}}}}, inline:{{x={user}}}}}",
        "p3": f"pipemap:{{regexp:{{{{/^@p3/ x}}, {{/zz@p3/ x}}}}, regexp:{{{{/^x/ {user}}}}}}}",
        "d1": f"debug:inline:{{@d1.example={user}}}",
        "d2": f"debug:regexp:{{{{/^@d2/ {user}}}, {{/zz@d2/ {user}}}}}",
    }

    def case(mta: Instance) -> None:
        asked = [f"RCPT TO:<{user}@{domain}.example>" for domain in tables for user in ("a", "zz")]
        mta.dialogue("EHLO client.example", "MAIL FROM:<sender@client.example>", *asked, "QUIT")

    domains = ", ".join(f"{domain}.example" for domain in tables)
    parity(
        case,
        main={
            "virtual_alias_domains": domains, "virtual_alias_maps": ", ".join(tables.values()),
            "smtpd_recipient_limit": "100", "smtpd_hard_error_limit": "100", "smtpd_soft_error_limit": "90",
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    ["[127.0.0.0/8]", "[127.0.0.0]/8", "[127.0.0.1", "[127.0.0.1]x", "[127.0.0.1]", "[]", "[]/8", "[127.0.0.1/33]", "[127.0.0.0/8]/8",
     "[127.0.0.0/8]x", "[127.0.0.0/x]", "[:/8]", "[::1/8]", "127.0.0.0/33"],
)
def test_brackets_in_lists(parity: Parity, words: str) -> None:
    """Where networks and addresses may have brackets.  Source: postconf(5) mynetworks."""

    def case(mta: Instance) -> None:
        mta.write_main(mynetworks=words)
        mta.reload()
        mta.dialogue("EHLO client.example", "MAIL FROM:<sender@client.example>", "RCPT TO:<user@ours.example>", "QUIT")

    parity(case, main={"smtpd_relay_restrictions": "permit_mynetworks, reject"})
