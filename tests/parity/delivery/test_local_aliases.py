"""Aliases of every kind: addresses, files, commands, :include: files, owners, circles.

Source: aliases(5); local(8), ALIASES; postconf(5) alias_maps, owner_request_special, expand_owner_alias,
reset_owner_alias, allow_mail_to_commands, allow_mail_to_files, duplicate_filter_limit, frozen_delivered_to,
propagate_unmatched_extensions, luser_relay; the texts of the reference.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.parity.delivery.localmail import ACCOUNTS, MAIN, OURS, Written, deliver

pytestmark = [pytest.mark.reference, pytest.mark.root]

ALIASES = """\
plain alice
two alice, bob
cmd "|/bin/cat > {dir}/out/got"
cmd2 |"/bin/cat > /dev/null"
cmd3 |/bin/true x
file {dir}/out/file
file2 "{dir}/out/file two"
maildir {dir}/out/md/
inc :include:{dir}/out/list
inc2 ":INCLUDE:{dir}/out/list"
increl :include:list
incdir :include:{dir}/out
incown :include:{dir}/out/list, plain, "|/bin/true"
owner-incown carol
null /dev/null
nested plain, cmd2
bs \\\\alice
l1 l2
l2 l1
dup alice, Alice, alice@localhost, plain, alice+x, alice
tilde ~/foo
fail69 "|exit 69"
fail75 "|echo out; exit 75"
fail1 "|echo 5.7.9 hello; exit 1"
fail4 "|echo 4.7.9 later; exit 1"
fail0 "|echo 5.7.9 hello; exit 0"
signal "|kill -9 $$"
badfile {dir}/nodir/x
exe {dir}/out/exe
locked {dir}/out/locked
empty ,
bad <>
group "x: alice, bob;"
owned alice, x@disc.example
owner-owned bob@localhost, nosuch
own2 "|exit 1", {dir}/nodir/x, :include:/nosuch, \\\\nosuch, dave, frank
owner-own2 carol
list-request bob
self self
self2 self2, alice
alice2 alice, alice2
bq "|exit 1"
owner-bq alice
bqq bq+x
deep two, nested, owned
owner-deep erin
over l3+x, l4
l3 dave
l4 \\\\erin+y, "frank"
quoted "odd name"@disc.example, "erin"
many alice bob, carol
colon alice;bob
remote a@disc.example,b@disc.example,A@DISC.EXAMPLE
unknown nosuch, alice
syntax a..b@disc.example, "a b", @disc.example
"""
_MANY = "".join(f"a{n} a{n + 1}\n" for n in range(30))
MORE = {"aliases": ALIASES + _MANY}
_LISTS: Mapping[str, Written | str] = {
    "out/list": "# comment\nalice, bob\n  carol\n\"|/bin/true\"\n{dir}/out/file\n",
    "out/exe": Written("", mode=0o755),
    "out/locked": Written("x\n", mode=0o666),
    "out/locked.lock": "",
}
_NAMES = [line.split()[0] for line in ALIASES.splitlines()]


@pytest.mark.parametrize("name", [*_NAMES, "a0", "a5", "plain+ext", "two+Ext", "cmd+Ext", "owned+ext", "self+x", "bq+z"])
def test_each_kind(exchanged: Parity, name: str) -> None:
    def case(mta: Instance) -> None:
        deliver(mta, f"{name}@localhost", _LISTS)

    exchanged(case, main=MAIN, files=MORE, accounts=ACCOUNTS, replace=OURS)


_RISKY = {**MAIN, "allow_mail_to_commands": "include", "allow_mail_to_files": "include, forward"}
_BOBS = Written("dave, x@disc.example\n\"|/usr/bin/id; exit 1\"\n{dir}/out/f1\n~/f2\n", "bob")
_INCLUDES: dict[str, tuple[str, Mapping[str, Written | str]]] = {
    "root, 600": ("inc", {"out/list": Written("alice, \"|id; exit 1\"\n", mode=0o600)}),
    "a user's": ("inc", {"out/list": _BOBS}),
    "a user's, with an owner": ("incown", {"out/list": _BOBS}),
    "world writable": ("inc", {"out/list": Written("alice\n", "bob", 0o666)}),
    "group writable": ("inc", {"out/list": Written("alice\n", "bob", 0o664)}),
    "unreadable": ("inc", {"out/list": Written("alice\n", "bob", 0)}),
    "nested in a user's": ("inc", {"out/list": Written(":include:{dir}/out/l2\nplain\n", "carol"), "out/l2": _BOBS}),
    "nested, unreadable": ("inc", {"out/list": Written(":include:{dir}/out/l2\n", "carol"),
                                   "out/l2": Written("dave\n", "bob", 0o600)}),
    "circle": ("inc", {"out/list": ":include:{dir}/out/list, alice, inc\n"}),
    "empty": ("inc", {"out/list": "\n# x\n"}),
    "missing": ("inc", {}),
    "a folder": ("incdir", {}),
    "relative": ("increl", {}),
    "aliases in it": ("inc", {"out/list": "plain, self2, cmd2, owned, l1\n"}),
    "aliases in a user's": ("inc", {"out/list": Written("plain, self2, cmd2, owned\n", "dave")}),
    "its owner": ("inc", {"out/list": Written("dave, plain\n", "dave")}),
    "backslash": ("inc", {"out/list": Written("\\dave, \\nosuch\n", "dave")}),
    "odd lines": ("inc", {"out/list": "alice bob; carol\n\"dave\" <erin>,,,\n(comment) frank\n \"e f\"\n"}),
    "long lines": ("inc", {"out/list": "dave, " * 30 + "carol\n" + "bob," * 700 + "frank\n"}),
}  # fmt: skip


@pytest.mark.parametrize("name", _INCLUDES)
def test_include_files(exchanged: Parity, name: str) -> None:
    """With whose rights they are read, and what is in them is done."""
    alias, files = _INCLUDES[name]

    def case(mta: Instance) -> None:
        deliver(mta, f"{alias}@localhost", files)

    exchanged(case, main=_RISKY, files=MORE, accounts=ACCOUNTS, replace=OURS)


_TREE = """\
list in, dave, "|exit 1"
owner-list carol
in bob, dave, "|exit 1"
odd bob
owner-odd carol,erin
al alice
"""
_SETTINGS: dict[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "reset": ({"reset_owner_alias": "yes"}, ("list", "odd")),
    "not reset": ({}, ("list", "odd", "list+x")),
    "expanded": ({"expand_owner_alias": "yes"}, ("list", "odd")),
    "no owners": ({"owner_request_special": "no"}, ("list",)),
    "not frozen": ({"frozen_delivered_to": "no"}, ("list", "in", "al")),
    "few remembered": ({"duplicate_filter_limit": "2"}, ("in", "list")),
    "extensions": ({"propagate_unmatched_extensions": "alias, include, forward"}, ("al+x", "al+X+y", "list+z", "al")),
    "hyphen": ({"recipient_delimiter": "-+"}, ("al-x", "al+x", "in-a+b", "owner-list", "list-request")),
    "no headers": ({"prepend_delivered_header": ""}, ("list", "al")),
    "nothing allowed": ({"allow_mail_to_commands": "", "allow_mail_to_files": ""}, ("in",)),
    "relay": ({"luser_relay": "$user+$local+$domain+$extension@disc.example"}, ("nosuch", "nosuch+x", "postmaster")),
    "relay here": ({"luser_relay": "al+$recipient_delimiter"}, ("nosuch", "nosuch+x", "x/y")),
    "relay unknown": ({"luser_relay": "nobody1"}, ("nosuch", "odd", "x+y")),
    "relay to a command": ({"luser_relay": "|/bin/true"}, ("nosuch",)),
    "relay to two": ({"luser_relay": "a@disc.example, bob"}, ("nosuch",)),
    "relay growing": ({"luser_relay": "x$user"}, ("nosuch",)),
    "a table that fails": ({"alias_maps": "fail:x texthash:{dir}/etc/aliases"}, ("al", "alice")),
    "a user's table": ({"alias_maps": "inline:{{fine=alice}} texthash:{dir}/out/aliases"}, ("fine", "cmd", "inc")),
    "no aliases": ({"alias_maps": ""}, ("al", "alice")),
}  # fmt: skip


@pytest.mark.parametrize("name", _SETTINGS)
def test_settings(exchanged: Parity, name: str) -> None:
    settings, recipients = _SETTINGS[name]

    def case(mta: Instance) -> None:
        table = Written("cmd \"|id; exit 1\"\ninc :include:{dir}/out/l\n", "bob")
        files = {"out/aliases": table, "out/l": Written("alice, \"|id; exit 1\"\n", "carol")}
        for recipient in recipients:
            deliver(mta, f"{recipient}@localhost", files)

    exchanged(case, main={**MAIN, **settings}, files={"aliases": _TREE}, accounts=ACCOUNTS, replace=OURS)
