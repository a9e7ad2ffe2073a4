"""TLS with other people's programs, and with those who try what they must not.

openssl s_client, swaks and Python's smtplib deliver through our smtpd; sessions are resumed; what an attacker puts before
the handshake is never carried out behind it.
"""

from __future__ import annotations

import os
import shutil
import smtplib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.tls import TlsDialogue, World, client_context

MAIN = {
    "smtpd_tls_security_level": "may",
    "smtpd_tls_loglevel": "1",
    "smtpd_tls_received_header": "yes",
    "smtpd_client_connection_rate_limit": "0",
}


@pytest.fixture(scope="module")
def mta(world: World) -> Iterator[Instance]:
    main = {**MAIN, "smtpd_tls_cert_file": world.file("rsa.pem"), "smtpd_tls_key_file": world.file("rsa.key")}
    with Instance("pyfix", main=main) as made:
        yield made.start()


@pytest.fixture(autouse=True)
def fresh(mta: Instance) -> None:
    mta.forget()


def program(name: str) -> str:
    path = shutil.which(name)
    return path if path is not None else requirements.missing(f"{name} is not installed")


def delivered(mta: Instance) -> str:
    """Return the only message that has come."""
    mta.wait_until_empty()
    contents = [content for mailbox in mta.deliveries().values() for content in mailbox]
    assert len(contents) == 1
    return contents[0].decode()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl(mta: Instance, version: str) -> None:
    lines = ("EHLO x", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>", "DATA", "Subject: x\n\nfrom openssl\n.", "QUIT")
    argv = [program("openssl"), "s_client", "-starttls", "smtp", "-crlf", "-quiet", version, "-connect", f"127.0.0.1:{mta.port}"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as talk:
        assert talk.stdin is not None and talk.stdout is not None
        giving_up = threading.Timer(30, talk.kill)
        giving_up.start()
        replies = []
        for line in lines:
            talk.stdin.write(f"{line}\n")
            talk.stdin.flush()
            while (reply := talk.stdout.readline())[3:4] == "-":
                pass
            replies.append(reply)
        talk.stdin.close()
        giving_up.cancel()
    assert [reply[:3] for reply in replies] == ["250", "250", "250", "354", "250", "221"]
    assert "from openssl" in delivered(mta)


@pytest.mark.parametrize("flag", ["--tls", "--tlso"])
def test_swaks(mta: Instance, flag: str) -> None:
    argv = [program("swaks"), flag, "--server", "127.0.0.1", "--port", str(mta.port), "--from", "a@client.example", "--to", "user@ours.example", "--helo", "x"]
    done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-600:]
    assert "(using TLSv1.3 with cipher" in delivered(mta)


def test_smtplib(mta: Instance) -> None:
    content = "Subject: big\r\n\r\n" + "0123456789" * 7 + "\r\n"
    with smtplib.SMTP("127.0.0.1", mta.port, timeout=60) as client:
        client.starttls(context=client_context())
        client.sendmail("a@client.example", ["user@ours.example"], content + ("x" * 70 + "\r\n") * 30000)
    text = delivered(mta)
    assert text.count("x" * 70) == 30000 and "ESMTPS id" in text


@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(mta: Instance, highest: ssl.TLSVersion) -> None:
    context = client_context(highest=highest)
    session = None
    resumed = []
    for _ in range(3):
        with TlsDialogue(mta.host, mta.port, "127.0.0.1") as dialogue:
            dialogue.say_all(["EHLO x", "STARTTLS"])
            dialogue.secure(context, session=session)
            dialogue.say_all(["EHLO x", "NOOP", "QUIT"])
            connection = dialogue.socket
            assert isinstance(connection, ssl.SSLSocket)
            resumed.append(connection.session_reused)
            session = connection.session
    assert resumed == [False, True, True]


@pytest.mark.parametrize("gap", [0.0, 0.1])
@pytest.mark.parametrize("injected", [b"RSET\r\n", b"MAIL FROM:<evil@client.example>\r\nRCPT TO:<user@ours.example>\r\n", b"QUIT\r\n", b"x" * 20000])
def test_nothing_is_carried_over_the_handshake(mta: Instance, injected: bytes, gap: float) -> None:
    """Commands in the same packet as STARTTLS, or right behind it: dropped, or no TLS at all."""
    with TlsDialogue(mta.host, mta.port, "127.0.0.1") as dialogue:
        dialogue.say_all(["EHLO x"])
        dialogue.send(b"STARTTLS\r\n" + (b"" if gap else injected))
        if gap:
            time.sleep(gap)
            dialogue.send(injected)
        assert dialogue.reply().startswith("220 ")
        said = dialogue.secure(client_context())
        if said.startswith("TLS"):
            replies = dialogue.say_all(["DATA", "NOOP", "QUIT"])
            assert replies[0].startswith("503 5.5.1") and replies[1:] == ["250 2.0.0 Ok", "221 2.0.0 Bye"]
    mta.wait_for_log(r"disconnect from .* (?:starttls=1 |starttls=0/1 )")
    assert not mta.deliveries() or all(not mailbox for mailbox in mta.deliveries().values())


def test_many_at_once(mta: Instance) -> None:
    """Eighty clients that only half begin, and one that is served meanwhile."""
    waiting = []
    for _ in range(80):
        connection = socket.create_connection(("127.0.0.1", mta.port), 30)
        connection.recv(1000)
        connection.sendall(b"EHLO x\r\nSTARTTLS\r\n")
        waiting.append(connection)
    for connection in waiting[::2]:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01")
    test_swaks(mta, "--tls")
    for connection in waiting:
        connection.close()


def test_new_certificates_are_read_without_a_restart(mta: Instance, world: World, tmp_path: Path) -> None:
    """Files of root's alone that are replaced: the next client sees the new ones."""
    requirements.need_root()
    folder = mta.directory / "secret"
    folder.mkdir(mode=0o700)

    def put(name: str) -> None:
        for kind in ("key", "pem"):
            new = folder / f"new.{kind}"
            new.write_bytes(Path(world.file(f"{name}.{kind}")).read_bytes())
            os.replace(new, folder / f"used.{kind}")

    def seen() -> str:
        with TlsDialogue(mta.host, mta.port, "127.0.0.1") as dialogue:
            dialogue.say_all(["EHLO x", "STARTTLS"])
            said = dialogue.secure(client_context())
            dialogue.say_all(["QUIT"])
        return said.split()[-1]

    before = {name: mta.main[name] for name in ("smtpd_tls_cert_file", "smtpd_tls_key_file")}
    put("rsa")
    mta.write_main(smtpd_tls_cert_file=str(folder / "used.pem"), smtpd_tls_key_file=str(folder / "used.key"))
    mta.reload()
    assert seen() == "CN=rsa.example,O=Testing"
    put("ec")
    end = time.monotonic() + 20
    while (found := seen()) != "CN=ec.example,O=Testing":
        assert time.monotonic() < end, found
        time.sleep(0.1)
    mta.write_main(**before)
    mta.reload()


def test_a_client_that_was_not_trusted_stays_so(mta: Instance, world: World) -> None:
    """A certificate of nobody's is not trusted when its session is resumed: that opens no door."""
    before = dict.fromkeys(("smtpd_tls_ask_ccert", "smtpd_tls_CAfile", "smtpd_relay_restrictions"), "")
    before |= {"smtpd_tls_ask_ccert": "no", "smtpd_relay_restrictions": mta.main["smtpd_relay_restrictions"]}
    mta.write_main(
        smtpd_tls_ask_ccert="yes", smtpd_tls_CAfile=world.file("ca.pem"), smtpd_relay_restrictions="permit_tls_all_clientcerts, reject_unauth_destination"
    )  # fmt: skip
    mta.reload()
    for name, verdict in (("self", "554"), ("client", "250")):
        for highest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = client_context(certificate=(world.file(f"{name}.pem"), world.file(f"{name}.key")), highest=highest)
            session = None
            for resumed in (False, True):
                with TlsDialogue(mta.host, mta.port, "127.0.0.1") as dialogue:
                    dialogue.say_all(["EHLO x", "STARTTLS"])
                    dialogue.secure(context, session=session)
                    replies = dialogue.say_all(["EHLO x", "MAIL FROM:<a@client.example>", "RCPT TO:<x@elsewhere.example>", "QUIT"])
                    assert isinstance(dialogue.socket, ssl.SSLSocket) and dialogue.socket.session_reused is resumed
                    session = dialogue.socket.session
                assert replies[2][:3] == verdict, (name, highest, resumed)
    mta.write_main(**before)
    mta.reload()
