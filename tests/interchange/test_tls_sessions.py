"""Sessions of one process are resumed by another, of ours and of the reference: tickets, sessions that tlsmgr keeps.

The parts are mixed: our smtpd with the real tlsmgr and the reverse, real smtpd before and ours behind it.
"""

from __future__ import annotations

import os
import re
import signal
import ssl
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from pyfix.formats.attributes import decode_pairs
from tests.kit.instance import Instance
from tests.kit.programs import daemon_directory
from tests.kit.reference import reference
from tests.kit.tls import TlsDialogue, World, client_context
from tests.parity.services.asking import ask

pytestmark = [pytest.mark.reference, pytest.mark.root]

OLD = ssl.TLSVersion.TLSv1_2
NEW = ssl.TLSVersion.TLSv1_3


def settings(world: World, **more: str) -> dict[str, str]:
    return {
        "smtpd_tls_security_level": "may",
        "smtpd_tls_loglevel": "cache, summary",
        "smtpd_tls_cert_file": world.file("rsa.pem"),
        "smtpd_tls_key_file": world.file("rsa.key"),
        "tls_append_default_CA": "no",
        "service_throttle_time": "1s",  # a process that ends by a signal and has not told master of a client is a failure
        **more,
    }


def plugins(replace: dict[str, str]) -> dict[str, str]:
    """Return what a real daemon needs to find its plugin for lmdb in a system of ours."""
    if "reference" not in replace.values():
        return {}
    where = reference().settings()
    return {name: where[name] for name in ("meta_directory", "shlib_directory")}


class Client:
    """One client, whose session goes from one server to the next."""

    def __init__(self, highest: ssl.TLSVersion) -> None:
        self._context = client_context(highest=highest)
        self._session: ssl.SSLSession | None = None

    def visit(self, mta: Instance, port: int = 0) -> bool:
        """Say a few words in TLS; tell whether the session before went on."""
        with TlsDialogue(mta.host, port or mta.port, "127.0.0.1") as dialogue:
            dialogue.say_all(["EHLO x", "STARTTLS"])
            dialogue.secure(self._context, session=self._session)
            assert dialogue.say_all(["EHLO x", "NOOP", "QUIT"])[-1].startswith("221")
            connection = dialogue.socket
            assert isinstance(connection, ssl.SSLSocket)
            self._session = connection.session
            return bool(connection.session_reused)


@pytest.mark.parametrize("highest", [OLD, NEW])
@pytest.mark.parametrize(
    ("kind", "replace"),
    [("pyfix", {}), ("pyfix", {"tlsmgr": "reference"}), ("reference", {"tlsmgr": "pyfix"}), ("reference", {"smtpd": "pyfix"})],
    ids=["ours", "real tlsmgr", "our tlsmgr", "our smtpd"],
)
def test_tickets_outlive_the_process(
    new_instance: Callable[..., Instance], world: World, kind: str, replace: dict[str, str], highest: ssl.TLSVersion
) -> None:
    """Each client is served by a process of its own."""
    mta = new_instance(kind, main=settings(world), replace=replace).start()
    client = Client(highest)
    for resumed in (False, True, True):
        assert client.visit(mta) is resumed
        renew(mta, "smtpd")
    processes = set(re.findall(r"smtpd\[(\d+)\]: .*TLS connection established", mta.log_path.read_text()))
    assert len(processes) == 3
    text = mta.log_path.read_text()
    assert text.count("Issuing session ticket, key expiration: ") == 1
    assert text.count("Reusing old session (RFC 5077 session ticket)") == 2


@pytest.mark.parametrize("kind", ["pyfix", "reference"])
def test_tickets_of_the_other_side(new_instance: Callable[..., Instance], world: World, kind: str) -> None:
    """Two servers beside each other, ours and the real one, with one tlsmgr: each can open the tickets of both.

    Each resumes only what was agreed on under its own conditions, of which the real one has a digest in its sessions:
    from one to the other a client begins anew, and is served.
    """
    ours, real = daemon_directory("pyfix") / "smtpd", daemon_directory("reference") / "smtpd"
    other = {"pyfix": "reference", "reference": "pyfix"}[kind]
    mta = new_instance(kind, main=settings(world), replace={"smtpd": other})
    (mta.directory / "daemons" / "smtpd2").symlink_to(ours if other == "reference" else real)
    port = mta.another_port()
    path = mta.config_directory / "master.cf"
    mta.write("master.cf", f"{path.read_text()}127.0.0.1:{port} inet n - n - - smtpd2\n")
    mta.start()
    for highest in (OLD, NEW):
        client = Client(highest)
        found = [client.visit(mta, at) for at in (mta.port, mta.port, port, port, mta.port)]
        assert found == [False, True, False, True, False]
    assert len(set(re.findall(r"\[(\d+)\]: .*Decrypting session ticket", mta.log_path.read_text()))) >= 2


@pytest.mark.parametrize("highest", [OLD, NEW])
@pytest.mark.parametrize(
    ("kind", "replace"),
    [("pyfix", {}), ("pyfix", {"tlsmgr": "reference"}), ("reference", {"tlsmgr": "pyfix"}), ("reference", {"smtpd": "pyfix"})],
    ids=["ours", "real tlsmgr", "our tlsmgr", "our smtpd"],
)
def test_sessions_that_tlsmgr_keeps(
    new_instance: Callable[..., Instance], world: World, kind: str, replace: dict[str, str], highest: ssl.TLSVersion
) -> None:
    """Without tickets; the table is that of either side's tlsmgr."""
    kept = {"smtpd_tls_session_cache_database": "lmdb:{dir}/data/sessions", "tls_ssl_options": "NO_TICKET"}
    mta = new_instance(kind, main=settings(world, **kept, **plugins(replace)), replace=replace).start()
    client = Client(highest)
    for resumed in (False, True, True):
        assert client.visit(mta) is resumed
        renew(mta, "smtpd")
    text = mta.log_path.read_text()
    assert len(set(re.findall(r"smtpd\[(\d+)\]: .*TLS connection established", text))) == 3
    assert text.count("Reusing old session\n") == 2 and "ticket" not in text
    ids = re.findall(r"reloaded session ([0-9A-F]{64}&s=\S+&l=\d+) from smtpd cache", text)
    assert len(ids) >= 2 and all(f"save session {cache_id} to smtpd cache" in text for cache_id in ids)


def test_the_table(new_instance: Callable[..., Instance], world: World) -> None:
    """Both write the same into it, and begin with an empty one."""
    replace = {"tlsmgr": "reference"}
    main = settings(world, smtpd_tls_session_cache_database="lmdb:{dir}/data/sessions", **plugins(replace))
    mta = new_instance("pyfix", main=main, replace=replace)
    link = mta.directory / "daemons" / "tlsmgr"
    entry = [("cache_type", "smtpd"), ("cache_id", "one&s=x")]

    def found() -> list[str]:
        done = mta.run("postmap", "-s", f"lmdb:{mta.data_directory}/sessions")
        return [re.sub("\t[0-9A-F]{16}", "\t<time>", line) for line in done.stdout.decode().splitlines()]

    for side in ("pyfix", "reference", "pyfix"):
        link.unlink()
        link.symlink_to(daemon_directory(side) / "tlsmgr")
        mta.start()
        assert dict(decode_pairs(ask(mta, "private/tlsmgr", [("request", "lookup"), *entry])[1]))["status"] == "4294967295"
        assert found() == []
        ask(mta, "private/tlsmgr", [("request", "update"), *entry, ("session", "aGVsbG8=")])
        mta.stop()
        assert found() == ["one&s=x\t<time>68656C6C6F"]


def renew(mta: Instance, program: str) -> None:
    """End the processes of a program, so that the next client gets another one."""
    for pid in set(re.findall(rf"/{program}\[(\d+)\]", mta.log_path.read_text())):
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGTERM)
            for _ in range(200):
                os.kill(int(pid), 0)
                time.sleep(0.02)


SENT = "MAIL FROM:<a@client.example>", "RCPT TO:<user@relay.example>", "DATA", "Subject: x\r\n\r\nx\r\n."


@pytest.mark.parametrize("protocol", ["<=TLSv1.2", ">=TLSv1.3"])
@pytest.mark.parametrize(
    ("kind", "replace"),
    [("pyfix", {}), ("pyfix", {"tlsmgr": "reference"}), ("reference", {"tlsmgr": "pyfix"}), ("reference", {"smtp": "pyfix"})],
    ids=["ours", "real tlsmgr", "our tlsmgr", "our smtp"],
)
def test_smtp_resumes_sessions(
    new_instance: Callable[..., Instance], world: World, kind: str, replace: dict[str, str], protocol: str
) -> None:
    """Each message is sent by a process of its own; the server is ours."""
    server = new_instance("pyfix", main=settings(world, relay_domains="", virtual_mailbox_domains="relay.example",
                          virtual_mailbox_maps="static:user/")).start()  # fmt: skip
    main = {
        "relayhost": f"[127.0.0.1]:{server.port}", "smtp_tls_security_level": "may", "smtp_tls_loglevel": "cache, summary",
        "smtp_tls_session_cache_database": "lmdb:{dir}/data/sessions", "smtp_tls_protocols": protocol,
        "tls_append_default_CA": "no", "service_throttle_time": "1s", **plugins(replace),
    }  # fmt: skip
    mta = new_instance(kind, main=main, replace=replace).start()
    for _ in range(3):
        mta.dialogue("HELO x", *SENT, "QUIT")
        mta.wait_until_empty()
        renew(mta, "smtp")
    text = mta.log_path.read_text()
    processes = re.findall(r"/smtp\[(\d+)\]: .*TLS connection established", text)
    assert len(processes) == len(set(processes)) == 3
    assert text.count(": Reusing old session\n") == 2
    name = re.compile(r"looking for session (relay&\[127.0.0.1\]:\d+&127.0.0.1&127.0.0.1&1&&&[0-9A-F]{64}) in smtp cache")
    ids = name.findall(text)
    assert len(ids) == 3 and len(set(ids)) == 1
    assert f"save session {ids[0]} to smtp cache" in text and text.count(f"reloaded session {ids[0]} from smtp cache") == 2
