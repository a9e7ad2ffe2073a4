"""memcache: a real memcached, asked and changed by both sides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit import requirements, servers
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.tableservers import HANG_UP, TableServer

from .conftest import Both, make_old

pytestmark = [pytest.mark.reference, pytest.mark.root]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    try:
        with servers.memcached() as number:
            yield number
    except servers.ServerMissing as reason:
        requirements.missing(reason)


def configure(both: Both, port: int, **texts: str) -> None:
    """Write ``NAME.cf`` on both sides; keys are kept apart by a prefix for each."""
    for kind, place in both.folders.items():
        for name, text in texts.items():
            path = place / "work" / f"{name}.cf"
            server = "" if "memcache =" in text else f"memcache = inet:127.0.0.1:{port}\n"
            form = "" if "key_format" in text else "key_format = {kind}:%s\n"
            path.write_text((server + form + text).replace("{kind}", kind).replace("{work}", str(place / "work")))
            make_old(path)


KEYS = ["A", "none", "a b", "a\tb", "é", "", "x" * 300, "%s", "x@y"]


def test_lookups_and_changes(both: Both, port: int) -> None:
    """Set, replaced, looked up, deleted; keys that the server can't have.  Source: memcache_table(5)."""
    configure(both, port, t="", limit="data_size_limit = 2\n", line="line_size_limit = 10\n", short="data_size_limit = 3\n")
    table = "memcache:./t.cf"
    both.same("postmap", "-q", "a", table)
    both.same("postmap", "-i", table, given='A  v1 x\né ü\n"a b" v\nb\nlong 12345\n')
    both.all_same("postmap", [["-q", key, table] for key in ["a", *KEYS]])
    assert [both.run(kind, "postmap", "-q", "a", "memcache:./limit.cf").status for kind in both.folders] == [1, 1]
    for kind in both.folders:
        done = both.run(kind, "postmap", "-i", "memcache:./short.cf", given="s 1234\n")
        what = f"data for key {kind}:s is too long (data_size_limit=3) -- not stored"
        assert done.err == [f"postmap: warning: database memcache:./short.cf: {what}"]
    both.same("postmap", "-q", "s", table)
    both.same("postmap", "-i", table, given="a v2\n")
    both.all_same("postmap", [["-q", "a", table], ["-fq", "A", table], ["-q", "-", table], ["-s", table]], given="a\nnone\né\n")
    both.all_same("postmap", [["-s", table], [table], ["-q", "a", "memcache:./none.cf"], ["-q", "a", "memcache:nosuchname"]])
    for key in ("a", "a", "none", "a b", ""):
        both.same("postmap", "-d", key, table)
    both.same("postmap", "-q", "a", table)


def test_backup(both: Both, port: int) -> None:
    """The table behind the server is asked, changed and listed.  Source: memcache_table(5) backup."""
    configure(both, port, t="key_format = {kind}-b:%s\nbackup = btree:./bk\nttl = 100\n", dead="backup = btree:./bk\nmemcache = inet:127.0.0.1:1\n")
    configure(both, port, bad="backup = nosuch:x\n", ro="backup = static:x\nkey_format = {kind}-ro:%s\n")
    both.write("bk", "x y\nz w\n")
    both.same("postmap", "btree:bk")
    table = "memcache:./t.cf"
    both.all_same("postmap", [["-q", key, table] for key in ("x", "x", "none")] + [["-s", table]])
    both.same("postmap", "-i", table, given="n 1\nx new\n")
    both.all_same("postmap", [["-q", "n", table], ["-q", "x", table], ["-q", "n", "btree:./bk"], ["-s", table]])
    for key in ("n", "n"):
        both.same("postmap", "-d", key, table)
    both.all_same("postmap", [["-q", "n", table], ["-q", "n", "btree:./bk"], ["-q", "x", "memcache:./dead.cf"]])
    both.all_same("postmap", [["-q", "x", "memcache:./bad.cf"], ["-q", "x", "memcache:./ro.cf"], ["-q", "x", "memcache:./ro.cf"]])
    both.same("postmap", "-d", "z", "memcache:./dead.cf")
    both.same("postmap", "-s", "memcache:./dead.cf")


def test_nobody_there(both: Both) -> None:
    """Lookups and changes fail; nothing is "not found".  Source: memcache_table(5)."""
    configure(both, 1, t="", name="memcache = inet:nosuch.invalid:1\n", path="memcache = unix:/nonexistent\n")
    for name in ("t", "name", "path"):
        table = f"memcache:./{name}.cf"
        both.all_same("postmap", [["-q", "x", table], ["-d", "x", table], ["-i", table]], given="a b\n")


def test_keys(both: Both, port: int) -> None:
    """key_format, key_digest and domain.  Source: memcache_table(5)."""
    configure(
        both,
        port,
        dom="domain = example.com\nkey_format = {kind}-d:%u:%d:%1\n",
        dig="key_digest = sha256\n",
        dig2="key_digest = nosuch\n",
        bad="key_format = %z\n",
        const="key_format = {kind}-const\n",
        upper="key_format = {kind}-u%S%U%D\n",
    )
    for name in ("dom", "dig", "const", "upper"):
        table = f"memcache:./{name}.cf"
        both.same("postmap", "-i", table, given="u@example.com v\nu w\n@example.com x\nu@other y\n")
        both.all_same(
            "postmap",
            [["-q", key, table] for key in ("u@example.com", "U@Example.COM", "u@sub.example.com", "u", "@example.com", "u@other", "")],
        )
        both.same("postmap", "-d", "u", table)
    both.all_same("postmap", [["-q", "x", f"memcache:./{name}.cf"] for name in ("bad",)])
    ours = both.run("pyfix", "postmap", "-q", "x", "memcache:./dig2.cf")
    assert ours == both.run("pyfix", "postmap", "-q", "x", "memcache:./dig2.cf")
    assert ours.status == 1 and "key digest nosuch is not available" in ours.err[0]


@pytest.mark.parametrize(
    "setting",
    ["ttl = x", "timeout = x", "flags = x", "max_try = 0", "max_try = x", "retry_pause = 0", "line_size_limit = 0", "data_size_limit = 0",
     "memcache = foo:x", "memcache = inet:127.0.0.1", "memcache = x", "memcache =", "ttl = -1", "timeout = 0", "garbage"],
)  # fmt: skip
def test_bad_settings(both: Both, port: int, setting: str) -> None:
    """Source: memcache_table(5)."""
    configure(both, port, t=f"{setting}\n")
    both.same("postmap", "-q", "x", "memcache:./t.cf")


class Oddity(TableServer):
    """Answers whole lines."""

    def request(self, buffer: bytes) -> tuple[bytes, bytes] | None:
        line, newline, rest = buffer.partition(b"\r\n")
        return (line.rpartition(b":")[2], rest) if newline else None


ODD = {
    b"ok": b"VALUE x 0 2\r\nab\r\nEND\r\n", b"eof": HANG_UP, b"error": b"ERROR\r\n", b"server": b"SERVER_ERROR out of memory\r\n",
    b"lf": b"VALUE x 0 2\nab\nEND\n", b"noend": b"VALUE x 0 2\r\nab\r\nVALUE\r\n", b"size": b"VALUE x 0 3\r\nab\r\nEND\r\n",
    b"neg": b"VALUE x 0 -1\r\nab\r\nEND\r\n", b"nul": b"VALUE x 0 3\r\na\0b\r\nEND\r\n", b"empty": b"VALUE x 0 0\r\n\r\nEND\r\n",
    b"nosize": b"VALUE x 0\r\n", b"cas": b"VALUE x 0 2 7\r\nab\r\nEND\r\n", b"latin": b"VALUE x 0 1\r\n\xe9\r\nEND\r\n",
}  # fmt: skip


def test_odd_replies(both: Both) -> None:
    """Each form of reply, right and wrong.  Source: memcache_table(5)."""
    with Oddity(ODD, b"END\r\n") as server:
        configure(both, server.port, t="max_try = 1\n", twice="max_try = 2\n")
        both.all_same("postmap", [["-q", key.decode(), "memcache:./t.cf"] for key in ODD if key != b"size"])
        both.all_same("postmap", [["-q", key, "memcache:./twice.cf"] for key in ("error", "eof")])


def test_in_a_mail_system(parity: Parity, port: int) -> None:
    """smtpd and cleanup ask memcached in front of a table.  Source: memcache_table(5)."""

    def case(mta: Instance) -> None:
        for recipient in ("second@ours.example", "mbox@ours.example"):
            mta.dialogue("EHLO client.example", "MAIL FROM:<sender@client.example>", f"RCPT TO:<{recipient}>", "QUIT")
        mta.send_message("user@ours.example")
        mta.wait_until_empty()

    memcache = f"memcache = inet:127.0.0.1:{port}\n"
    parity(
        case,
        main={
            "smtpd_recipient_restrictions": "check_recipient_access memcache:{dir}/etc/access.cf",
            "virtual_alias_maps": "proxy:memcache:{dir}/etc/alias.cf",
            "proxy_read_maps": "proxy:memcache:{dir}/etc/alias.cf",
            "notify_classes": "",
        },
        files={
            "access.cf": f"{memcache}key_format = access:%s\nbackup = inline:{{second@ours.example=REJECT}}\n",
            "alias.cf": f"{memcache}key_format = alias:%s\nbackup = inline:{{user@ours.example=second@ours.example}}\n",
        },
        deliveries=True,
        logs="smtpd",
    )
