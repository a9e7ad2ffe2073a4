"""~/.forward files: what may be in them, who may own them, where they are looked for.

Source: local(8), USER FORWARDING; postconf(5) forward_path, forward_expansion_filter, recipient_delimiter,
propagate_unmatched_extensions, frozen_delivered_to, require_home_directory; the texts of the reference.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity
from tests.parity.delivery.localmail import (
    ACCOUNTS,
    BACK,
    MAIN,
    OURS,
    Written,
    clean,
    compare,
    deliver,
    send,
    settle,
    write,
)

pytestmark = [pytest.mark.reference, pytest.mark.root]

ALIASES = """\
al alice+ext
plain bob
self self, alice
list alice, dave
owner-list erin
cmd "|/bin/true"
"""
FILES: dict[str, str | bytes] = {"aliases": ALIASES}
_SHOW = "/usr/bin/env | sort >&2; /usr/bin/id >&2; pwd >&2; cat >&2; exit 1"

Files = Mapping[str, Written | str]
CASES: dict[str, tuple[str, Files]] = {
    "somebody else": ("alice", {"~alice/.forward": "bob\n"}),
    "and oneself": ("alice", {"~alice/.forward": "alice, bob\n"}),
    "backslash": ("alice", {"~alice/.forward": "\\alice, bob\n"}),
    "backslash, others": ("alice", {"~alice/.forward": "\\bob, \\nosuch, \\plain\n"}),
    "full address": ("alice", {"~alice/.forward": "alice@localhost\n"}),
    "own extension": ("alice", {"~alice/.forward": "alice+x\n"}),
    "own alias": ("alice", {"~alice/.forward": "al, plain, self\n"}),
    "outside": ("alice", {"~alice/.forward": "x@disc.example, Y@disc.example\nx@DISC.example\n"}),
    "unknown": ("alice", {"~alice/.forward": "nosuch\n"}),
    "mutual": ("alice", {"~alice/.forward": "bob\n", "~bob/.forward": "alice\n"}),
    "chain": ("alice", {"~alice/.forward": "bob\n", "~bob/.forward": "carol, \\bob\n", "~carol/.forward": "dave\n"}),
    "command": ("alice", {"~alice/.forward": f"\\alice\n\"|{_SHOW}\"\n"}),
    "command, extension": ("alice+Foo-b#r", {"~alice/.forward": f"\"|{_SHOW}\"\n"}),
    "commands": ("alice", {"~alice/.forward": '|"/bin/echo hi", |/bin/true , "| /bin/cat x"\n"|/bin/true"\n'}),
    "own files": ("alice", {"~alice/.forward": "~/one, ~/dir/\n{dir}/out/f2\n~/one, ~/none/x, ~\n"}),
    "another's file": ("alice", {"~alice/.forward": "{dir}/home/bob/f, ~bob/f\n", "~bob/f": "x\n"}),
    "another's folder": ("alice", {"~alice/.forward": "{dir}/home/bob/f, {dir}/home/bob/dir/\n"}),
    "include": ("alice", {"~alice/.forward": ":include:{dir}/home/alice/l\n", "~alice/l": 'bob, "|true", /dev/null\n'}),
    "include of another": ("alice", {"~alice/.forward": ":include:{dir}/home/bob/l\n", "~bob/l": "carol, ~/x\n"}),
    "include of another, 600": ("alice", {"~alice/.forward": ":include:{dir}/home/bob/l\n",
                                          "~bob/l": Written("carol\n", mode=0o600)}),
    "include, missing": ("alice", {"~alice/.forward": ":include:{dir}/home/alice/l, bob\n"}),
    "odd lines": ("alice", {"~alice/.forward": 'a b c, d\n"e f"\n<g@disc.example> "bob"\n,,\n(x)\nalice: bob;\n'}),
    "long lines": ("alice", {"~alice/.forward": "dave, " * 30 + "carol\n" + "# " + "x" * 2044 + "yy, erin\n"
                             + "bob," * 700 + "frank\n"}),
    "no newline": ("alice", {"~alice/.forward": "bob"}),
    "crlf": ("alice", {"~alice/.forward": "bob\r\ncarol\r\n"}),
    "null bytes": ("alice", {"~alice/.forward": "bob\0carol\ndave\n"}),
    "8 bits": ("alice", {"~alice/.forward": "b\u00f6b, dave\n"}),
    "empty": ("alice", {"~alice/.forward": ""}),
    "comments": ("alice", {"~alice/.forward": "# nothing\n\n #bob\n"}),
    "only a comment": ("alice", {"~alice/.forward": "# nothing\n\n"}),
    "for an extension": ("alice+foo", {"~alice/.forward+foo": "bob\n", "~alice/.forward": "carol\n"}),
    "for another extension": ("alice+bar", {"~alice/.forward+foo": "bob\n", "~alice/.forward": "carol\n"}),
    "for any extension": ("alice+bar", {"~alice/.forward": "carol\n"}),
    "extension, backslash": ("alice+bar", {"~alice/.forward": "\\alice, \\alice+bar\n"}),
    "extension, self": ("alice+bar", {"~alice/.forward": "alice\n"}),
    "capitals": ("ALICE", {"~alice/.forward": "bob\n"}),
    "empty extension": ("alice+", {"~alice/.forward+": "carol\n", "~alice/.forward": "bob\n"}),
    "slash in extension": ('"alice+a/b"', {"~alice/.forward": "bob\n"}),
    "dots in extension": ("alice+..", {"~alice/.forward": "bob\n", "~alice/.forward+..": "carol\n"}),
    "world writable": ("alice", {"~alice/.forward": Written("bob\n", mode=0o666)}),
    "group writable": ("alice", {"~alice/.forward": Written("bob\n", mode=0o664)}),
    "root's": ("alice", {"~alice/.forward": Written("bob, ~/f, \"|id >&2; exit 1\"\n", "root")}),
    "root's, 600": ("alice", {"~alice/.forward": Written("bob\n", "root", 0o600)}),
    "another's": ("alice", {"~alice/.forward": Written("bob\n", "carol")}),
    "unreadable": ("alice", {"~alice/.forward": Written("bob\n", mode=0)}),
    "executable": ("alice", {"~alice/.forward": Written("bob\n", mode=0o755)}),
    "bad first, good second": ("alice+x", {"~alice/.forward+x": Written("bob\n", mode=0o666), "~alice/.forward": "carol\n"}),
    "empty first, good second": ("alice+x", {"~alice/.forward+x": "", "~alice/.forward": "carol\n"}),
    "by alias": ("al", {"~alice/.forward": "bob\n"}),
    "by alias, command": ("al", {"~alice/.forward": f"\"|{_SHOW}\"\n"}),
    "by a list with an owner": ("list", {"~alice/.forward": "bob, \"|exit 1\"\n", "~dave/.forward": "\\dave\n"}),
    "alias of a command": ("alice", {"~alice/.forward": "cmd, cmd+x\n"}),
    "fails and delivers": ("alice", {"~alice/.forward": "\"|exit 75\", bob, \\alice\n"}),
    "fails for good and delivers": ("alice", {"~alice/.forward": "\"|exit 69\", bob, \\alice\n"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_kind(exchanged: Parity, name: str) -> None:
    recipient, files = CASES[name]

    def case(mta: Instance) -> None:
        deliver(mta, f"{recipient}@localhost", files)

    exchanged(case, main=MAIN, files=FILES, accounts=ACCOUNTS, replace=OURS)


@pytest.mark.parametrize("what", ["link", "dangling", "folder", "fifo", "closed home", "no home"])
def test_what_is_no_file(exchanged: Parity, what: str) -> None:
    def case(mta: Instance) -> None:
        clean(mta)
        home = mta.directory / "home/alice"
        path = home / ".forward"
        match what:
            case "link":
                write(mta, "~alice/real", "bob\n")
                path.symlink_to(home / "real")
            case "dangling":
                path.symlink_to(home / "none")
            case "folder":
                path.mkdir()
            case "fifo":
                os.mkfifo(path, 0o644)
                os.chown(path, home.stat().st_uid, -1)
            case _:
                write(mta, "~alice/.forward", "bob\n")
                home.chmod(0)
        send(mta, "alice@localhost")
        home.chmod(0o755)
        compare(mta)

    main = {**MAIN, "require_home_directory": "yes" if what == "no home" else "no"}
    exchanged(case, main=main, files=FILES, accounts=ACCOUNTS, replace=OURS)


_SETTINGS: dict[str, tuple[Mapping[str, str], tuple[str, ...], Files]] = {
    "extensions": (
        {"propagate_unmatched_extensions": "canonical, alias, forward, include"},
        ("alice+e2", "alice+e3", "bob+e4", "carol+e5"),
        {"~alice/.forward": "bob, x@disc.example, bob+y\n", "~alice/.forward+e3": "dave\n",
         "~bob/.forward": ":include:{dir}/home/bob/l\n", "~bob/l": "carol\n", "~carol/.forward": "\"|echo $EXTENSION; exit 1\"\n"},
    ),
    "delimiters": (
        {"recipient_delimiter": "-+", "forward_path": "$home/.f${recipient_delimiter}$extension,$home/.f$extension,$home/.forward"},
        ("alice-a", "alice+a", "alice+b-c", "alice-b+c", "alice"),
        {"~alice/.f-a": "bob\n", "~alice/.fa": "carol\n", "~alice/.f+b-c": "dave\n", "~alice/.f": "erin\n"},
    ),
    "all names": (
        {"forward_path": "{dir}/home/$user/f-$local-$domain-$recipient-${extension}-$recipient_delimiter$shell"},
        ("alice", "alice+x"),
        {"~alice/f-alice-localhost-alice@localhost--+/bin/sh": "bob\n",
         "~alice/f-alice+x-localhost-alice+x@localhost-x-+/bin/sh": "carol\n"},
    ),
    "conditions": (
        {"forward_path": "$home/${extension?{e-$extension}:{plain}}"},
        ("alice", "alice+x"),
        {"~alice/plain": "bob\n", "~alice/e-x": "carol\n"},
    ),
    "filter": (
        {"forward_path": "/$home/.f-$extension", "forward_expansion_filter": "/abcdefghijklmnopqrstuvwxyz0123456789_-"},
        ("alice+x#Y",),
        {"~alice/.f-x__": "bob\n"},
    ),
    "malformed": ({"forward_path": "/x/${user, $home/.forward"}, ("alice",), {"~alice/.forward": "bob\n"}),
    "unknown name": ({"forward_path": "$home/$nosuch.forward"}, ("alice",), {"~alice/.forward": "bob\n"}),
    "none": ({"forward_path": ""}, ("alice",), {"~alice/.forward": "bob\n"}),
    "not frozen": (
        {"frozen_delivered_to": "no"}, ("alice", "bob+x"),
        {"~alice/.forward": "\\alice, bob\n", "~bob/.forward": "bob, carol, \"|grep ^Deliv; exit 1\"\n"},
    ),
    "no commands": ({"allow_mail_to_commands": "alias", "allow_mail_to_files": "include"}, ("alice",),
                    {"~alice/.forward": "\"|true\", ~/x, cmd, :include:{dir}/home/alice/l\n", "~alice/l": "~/y, \"|true\"\n"}),
    "no headers": ({"prepend_delivered_header": "file"}, ("alice",),
                   {"~alice/.forward": "bob, \\alice, \"|grep ^Deliv; exit 1\"\n"}),
    "soft": ({"soft_bounce": "yes"}, ("alice", "nosuch"), {"~alice/.forward": "bob, \"|exit 1\"\n"}),
    "home Maildir": ({"home_mailbox": "Maildir/"}, ("alice", "bob"), {"~alice/.forward": "\\alice, bob\n"}),
}  # fmt: skip


@pytest.mark.parametrize("name", _SETTINGS)
def test_settings(exchanged: Parity, name: str) -> None:
    settings, recipients, files = _SETTINGS[name]

    def case(mta: Instance) -> None:
        for recipient in recipients:
            deliver(mta, f"{recipient}@localhost", files)

    exchanged(case, main={**MAIN, **settings}, files=FILES, accounts=ACCOUNTS, replace=OURS)


@pytest.mark.parametrize("notify", ["SUCCESS", "SUCCESS,FAILURE,DELAY", "NEVER", "FAILURE"])
def test_reports_of_success(exchanged: Parity, notify: str) -> None:
    """RFC 3461: whom a .forward file leads to is told of, or the turn in the way."""

    def case(mta: Instance) -> None:
        files = {
            "~alice/.forward": "bob, \\alice, x@disc.example\n", "~bob/.forward": "\"|true\", \"|exit 1\"\n",
            "~carol/.forward": ":include:{dir}/home/carol/l\n", "~carol/l": "dave, ~/f\n",
        }  # fmt: skip
        for recipient in ("alice", "al", "bob", "carol", "list", "dave"):
            clean(mta)
            for name, file in files.items():
                write(mta, name, file)
            mta.dialogue(
                "EHLO client.example", "MAIL FROM:<erin@localhost> ENVID=x+2By RET=HDRS",
                f"RCPT TO:<{recipient}@localhost> NOTIFY={notify} ORCPT=rfc822;First+40x", "DATA",
                "Subject: x\r\n\r\nx\r\n.", "QUIT", client=TRUSTED,
            )  # fmt: skip
            settle(mta)
            compare(mta)

    exchanged(case, main=MAIN, files=FILES, accounts=ACCOUNTS, replace=OURS)


def test_what_if(exchanged: Parity) -> None:
    """sendmail -bv: nothing is delivered, all is told."""

    def case(mta: Instance) -> None:
        clean(mta)
        for name, file in {
            "~alice/.forward": "bob, \"|true\", /dev/null, ~/d/, \\alice, :include:{dir}/home/alice/l\n", "~alice/l": "dave\n",
        }.items():  # fmt: skip
            write(mta, name, file)
        for recipient in ("al", "alice", "bob", "nosuch", "list", "cmd", "self+x"):
            mta.run("sendmail", "-bv", "-f", BACK, recipient, input=b"")
            settle(mta)
        compare(mta)

    exchanged(case, main=MAIN, files=FILES, accounts=ACCOUNTS, replace=OURS)
