"""A lookup that waits stops nobody else: other sessions and messages of the same processes go on meanwhile."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from glob import glob
from pathlib import Path

import pytest

from tests.kit import programs, smtp
from tests.kit.double import Double
from tests.kit.instance import TRUSTED, Instance
from tests.kit.peer import Peer
from tests.kit.tableservers import TcpServer
from tests.kit.tls import make_world

pytestmark = [pytest.mark.root]

PATIENCE = 20.0
"""Seconds after which others are taken to be stopped."""
SLOW_CLIENT = "127.0.0.3"
_FOUND = {b"mail.ours.example", b"ours.example", TRUSTED.encode()}


class Others:
    """A client that sends message after message, each when the one before has been delivered."""

    def __init__(self, mta: Instance, recipient: str) -> None:
        self._mta = mta
        self._recipient = recipient
        self._ended = False
        self._delivered = 0
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._ended:
            queue_id = self._mta.send_message(self._recipient)
            self._mta.wait_for_log(f"{queue_id}: to=.* status=sent", 2 * PATIENCE)
            with self._news:
                self._delivered += 1
                self._news.notify_all()

    def __enter__(self) -> Others:
        self._thread.start()
        assert self.go_on()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._thread.join(3 * PATIENCE)

    def go_on(self) -> bool:
        """Wait until a message has been delivered that was sent after this call; tell whether that came about."""
        with self._news:
            enough = self._delivered + 2  # the next one may be under way
            return self._news.wait_for(lambda: self._delivered >= enough, PATIENCE)


class SlowServer(TcpServer):
    """Answers what has to do with the slow client when a message of others has been delivered meanwhile."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        super().__init__(answers)
        self.waited: list[bytes] = []
        self.stopped: list[bytes] = []
        """Keys whose lookup has stopped the others."""
        self.others: Others | None = None

    def request(self, buffer: bytes) -> tuple[bytes, bytes] | None:
        found = super().request(buffer)
        if found is not None and (b"slow" in found[0] or found[0] in (SLOW_CLIENT.encode(), b"relay")):
            self.waited.append(found[0])
            if self.others is not None and not self.stopped and not self.others.go_on():
                self.stopped.append(found[0])
        return found


TABLE = "tcp:127.0.0.1:{number}"
LISTS = dict.fromkeys(("smtpd_authorized_xclient_hosts", "smtpd_authorized_xforward_hosts", "smtpd_authorized_verp_clients", "debug_peer_list", "smtpd_forbid_bare_newline_exclusions", "smtpd_client_event_limit_exceptions", "smtpd_discard_ehlo_keyword_address_maps", "smtpd_milter_maps", "smtpd_noop_commands", "smtpd_forbidden_commands", "fast_flush_domains", "mynetworks", "mydestination", "virtual_alias_maps", "canonical_maps", "masquerade_exceptions", "relay_domains", "recipient_bcc_maps"), TABLE)  # fmt: skip


@pytest.fixture
def server() -> Iterator[SlowServer]:
    with SlowServer(dict.fromkeys(_FOUND, b"200 DISABLE\n")) as server:  # a word that smtpd_milter_maps knows
        yield server


@pytest.fixture
def transports() -> Iterator[SlowServer]:
    with SlowServer({}) as server:
        yield server


@pytest.mark.parametrize("manager", ["qmgr", "oqmgr"])
def test_other_clients_go_on(server: SlowServer, transports: SlowServer, manager: str) -> None:
    """While one client's lookups wait, by turns in smtpd, cleanup and trivial-rewrite, another sends message after message.

    The last of them is made for the queue manager, which has no tables of its own.
    """
    main = {name: text.format(number=server.port) for name, text in LISTS.items()} | {
        "masquerade_domains": "ours.example",
        "local_header_rewrite_clients": f"check_address_map {TABLE.format(number=server.port)}",
        "smtpd_recipient_restrictions": f"check_sender_access {TABLE.format(number=server.port)}, permit_mynetworks, reject_unauth_destination",
        "virtual_mailbox_domains": "virtual.example",
        "virtual_mailbox_maps": "static:user",
        "transport_maps": TABLE.format(number=transports.port),
    }
    with Instance("pyfix", main=main, master={"qmgr": f"qmgr unix n - n 300 1 {manager}"}) as mta:
        mta.start()
        with Others(mta, "user@virtual.example") as server.others:
            transports.others = server.others
            envelope = ("EHLO slow.example", "MAIL FROM:<slow@slow.example> XVERP", "MAIL FROM:<slow@slow.example>")
            words = (*envelope, "RCPT TO:<slow@virtual.example>", "ETRN slow.example", "SLOW", "DATA", "Subject: x\r\n\r\n.", "QUIT")
            replies = mta.dialogue(*words, client=SLOW_CLIENT)
            mta.wait_for_log("to=<slow@virtual.example>.*status=sent", 2 * PATIENCE)
            asked = len(transports.waited)
            mta.run("sendmail", "-f", "user@virtual.example", "slow@virtual.example", input=b"Subject: x\n\nx\n")
            mta.wait_for_log("to=<slow@virtual.example>.*status=sent", 2 * PATIENCE, count=2)
    assert len(transports.waited) > asked and not transports.stopped, "nobody but the queue manager asks for the way of this one"
    assert len(server.waited) >= 15 and not server.stopped, (server.waited, server.stopped)
    assert [reply[:3] for reply in replies[1:4]] == ["555", "250", "250"] and replies[-2].startswith("250 2.0.0 Ok: queued"), replies


CHECKS = dict.fromkeys(("header_checks", "mime_header_checks", "nested_header_checks", "body_checks", "smtp_header_checks", "smtp_mime_header_checks", "smtp_nested_header_checks", "smtp_body_checks", "smtp_reply_filter", "smtp_generic_maps", "smtpd_reject_footer_maps", "smtpd_reject_filter_maps", "smtpd_log_access_permit_actions", "tls_server_sni_maps"), TABLE)  # fmt: skip
PARTS = (
    b"a.slow.example", b".slow.example", b"relay", b"554%205.7.1%20<refused@slow", b"Subject:%20slow", b"boundary=slow", b"X:%20slow", b"--slow--",
    b"from%20slow", b"250%202.1.5%20slow",
)  # fmt: skip
"""Of what is asked with regard to the slow client."""
CONTENT = (
    b"Subject: slow\nContent-Type: multipart/mixed; boundary=slow\n\n--slow\nContent-Type: message/rfc822\n\nX: slow\n\n"
    b"slow\nx\n--slow--\n"
)


def test_content_replies_and_handshakes_of_others_go_on(server: SlowServer, tmp_path: Path) -> None:
    """The same for what is looked up amid content, replies and handshakes: in cleanup, smtp, and smtpd."""
    world = make_world(tmp_path / "tls")
    server.default = b"500 slow%20or%20not\n"
    script = {"RCPT slow@": "250 2.1.5 slow"}
    with Peer(script) as peer, Instance("pyfix") as mta:
        mta.write_main(
            **{name: text.format(number=server.port) for name, text in CHECKS.items()},
            relayhost=f"[127.0.0.1]:{peer.port}",
            smtp_tls_security_level="none",
            smtpd_tls_security_level="may",
            smtpd_tls_chain_files=world.file("rsa.chain"),
            smtpd_recipient_restrictions="check_recipient_access inline:{{refused@slow.example=REJECT}}, check_sender_access inline:{{slow@slow.example=RELAY}}, permit_mynetworks, reject",
        )
        mta.start()
        with Others(mta, "user@fast.example") as server.others:
            with mta.connect(TRUSTED) as client:
                client.say("EHLO slow.example")
                client.say("STARTTLS")
                context = ssl.create_default_context(cafile=world.file("ca.pem"))
                context.check_hostname = False
                client.socket = context.wrap_socket(client.socket, server_hostname="a.slow.example")
            asked = list(server.waited)
            words = ["EHLO slow", "RCPT TO:<x@x>", "MAIL FROM:<slow@slow.example>", "RCPT TO:<refused@slow.example>", "RCPT TO:<slow@slow.example>", "DATA"]
            replies = mta.dialogue(*words, smtp.dot_stuffed(CONTENT), "RCPT TO:<slow@slow.example>", "QUIT", client=TRUSTED)
            queue_id = replies[-3].rpartition(" ")[2]
            mta.wait_for_log(f"{queue_id}: to=<slow@slow.example>.*status=sent", 6 * PATIENCE)
    assert len(asked) >= 2 and not server.stopped, (asked, server.stopped)
    for part in PARTS:
        assert any(part in key for key in server.waited), (part, server.waited)


class Stalled(Double):
    """Says nothing to whoever comes until a message of others has been delivered; then it hangs up."""

    others: Others | None = None

    def __init__(self) -> None:
        self.waited = 0
        self.stopped = 0
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        self.waited += 1
        if self.others is not None and not self.others.go_on():
            self.stopped += 1


_SQL = "hosts = 127.0.0.1:{port}\nuser = x\npassword = x\ndbname = x\nquery = SELECT '%s'\n"
DATABASES = {"mysql": _SQL, "pgsql": _SQL, "ldap": "server_host = ldap://127.0.0.1:{port}\nsearch_base = x\n", "memcache": "memcache = inet:127.0.0.1:{port}\n"}


def test_servers_of_databases() -> None:
    """One that says nothing stops nobody else: smtpd asks it, and cleanup does, which puts off the one message."""
    with Stalled() as stalled:
        tables = {kind: f"{kind}:{{dir}}/etc/{kind}.cf" for kind in DATABASES}
        main = {f"ask_{kind}": f"check_recipient_access {table}, reject" for kind, table in tables.items()}
        main |= {
            "smtpd_restriction_classes": ", ".join(main),
            "smtpd_relay_restrictions": "permit",
            "smtpd_recipient_restrictions": "check_recipient_access inline:{"
            + ", ".join(f"{kind}.slow.example=ask_{kind}" for kind in DATABASES) + "}, permit_mynetworks, reject",
            "header_checks": "pipemap:{regexp:{{/^Subject: slow/ x}}, mysql:{dir}/etc/mysql.cf}",
        }  # fmt: skip
        files: dict[str, str | bytes] = {f"{kind}.cf": text.format(port=stalled.port) for kind, text in DATABASES.items()}
        with Instance("pyfix", main=main, files=files) as mta:
            mta.start()
            with Others(mta, "user@ours.example") as stalled.others:
                rcpt = [f"RCPT TO:<user@{kind}.slow.example>" for kind in DATABASES]
                replies = mta.dialogue("EHLO slow.example", "MAIL FROM:<a@b.example>", *rcpt, "QUIT", client=SLOW_CLIENT)
                asked = stalled.waited
                words = ("EHLO x.example", "MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", "DATA", "Subject: slow\r\n\r\n.", "QUIT")
                content = mta.dialogue(*words, client=TRUSTED)
    assert [reply[:3] for reply in replies[2:-1]] == ["451"] * len(DATABASES), replies
    assert content[-2].startswith("451 4.3.0 "), content
    assert len(DATABASES) <= asked < stalled.waited and not stalled.stopped


def test_accounts(tmp_path: Path) -> None:
    """The system's own accounts, where nsswitch.conf names a server: asked by smtpd, proxymap, and local."""
    libraries = glob("/lib/*-linux-gnu/libnss_hesiod.so.2")
    assert len(libraries) == 1, "a module of the C library in whose place ours can be"
    (tmp_path / "nsswitch.conf").write_text("passwd: files hesiod\ngroup: files\nhosts: files dns\n")
    with Stalled() as stalled:
        source, module = Path(programs.__file__).with_name("slownss.c"), tmp_path / "slownss.so"
        argv = ["gcc", "-shared", "-fPIC", "-nostdlib", f"-DPORT={stalled.port}", "-o", module, source]
        subprocess.run(argv, check=True, timeout=60)
        main = {"local_recipient_maps": "unix:passwd.byname, proxy:unix:passwd.byname", "proxy_read_maps": "proxy:unix:passwd.byname"}
        mounts = {"/etc/nsswitch.conf": str(tmp_path / "nsswitch.conf"), libraries[0]: str(module)}
        with Instance("pyfix", main=main, mounts=mounts) as mta:
            mta.start()
            with Others(mta, "nobody@mail.ours.example") as stalled.others:
                words = ("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<slow@mail.ours.example>", "QUIT")
                replies = mta.dialogue(*words, client=SLOW_CLIENT)
                asked = stalled.waited
                mta.run("sendmail", "-f", "nobody@mail.ours.example", "slow@mail.ours.example", input=b"Subject: x\n\nx\n")
                mta.wait_for_log("local.*to=<slow@mail.ours.example>.*status=bounced", 3 * PATIENCE)
    assert replies[2].startswith("550 5.1.1 "), replies
    assert 2 <= asked < stalled.waited and not stalled.stopped, (asked, stalled.waited, stalled.stopped)
