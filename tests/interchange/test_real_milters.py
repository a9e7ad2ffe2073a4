"""Milters that sites use, from Debian's packages: opendkim, opendmarc, rspamd."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.kit.instance import STRANGER, Instance
from tests.kit.ports import ReservedPort
from tests.kit.requirements import missing
from tests.kit.servers import ServerMissing, give_away, own_folder, program, running

pytestmark = pytest.mark.root

_CONTENT = """\
From: Somebody  <sender@client.example>
To: user@ours.example
Subject:  two blanks,\tand a tab
X-Folded: one
\ttwo
  three
Message-Id: <1@client.example>
Date: Mon, 1 Jan 2024 00:00:00 +0000

hello,  world\x20\x20

.a dot, and lines at the end


"""


def programs(*names: tuple[str, str]) -> list[str]:
    """Return paths; skip the test where a package is not there."""
    try:
        return [program(name, package) for name, package in names]
    except ServerMissing as reason:
        missing(reason)


@pytest.fixture(scope="module")
def opendkim() -> Iterator[tuple[str, str]]:
    """Two of them: one signs what comes from everywhere, the other verifies with a key of a file."""
    (path,) = programs(("opendkim", "opendkim"))
    signer, verifier = ReservedPort(), ReservedPort()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    lines = public.decode().strip().split("\n")[1:-1]
    with own_folder() as folder:
        (folder / "key").write_bytes(private)
        (folder / "key").chmod(0o600)
        give_away(folder / "key")
        (folder / "keys").write_text(f"sel._domainkey.client.example v=DKIM1; k=rsa; p={''.join(lines)}\n")
        (folder / "hosts").write_text("0.0.0.0/0\n")
        (folder / "nobody").write_text("192.0.2.1\n")
        common = "Syslog no\nRequireSafeKeys no\nBackground no\nOversignHeaders From\nCanonicalization simple/simple\nAlwaysAddARHeader yes\n"
        (folder / "sign.conf").write_text(
            f"{common}Mode s\nDomain client.example\nSelector sel\nKeyFile {folder}/key\nInternalHosts {folder}/hosts\n"
            f"Socket inet:{signer.number}@127.0.0.1\n"
        )
        (folder / "verify.conf").write_text(
            f"{common}Mode v\nTestPublicKeys {folder}/keys\nInternalHosts {folder}/nobody\nAuthservID mail.ours.example\n"
            f"Socket inet:{verifier.number}@127.0.0.1\n"
        )
        with (
            running([path, "-f", "-x", folder / "sign.conf"], signer.number, folder / "sign.log"),
            running([path, "-f", "-x", folder / "verify.conf"], verifier.number, folder / "verify.log"),
        ):
            yield f"inet:127.0.0.1:{signer.number}", f"inet:127.0.0.1:{verifier.number}"
    signer.release()
    verifier.release()


def sent(mta: Instance, content: str = _CONTENT) -> str:
    """Send a message and return it as it is delivered."""
    mta.start()
    mta.send_message(content=content, client=STRANGER)
    mta.wait_until_empty()
    (text,) = mta.deliveries()["user/"]
    return text.decode()


@pytest.mark.parametrize("kind", ["pyfix", pytest.param("reference", marks=pytest.mark.reference)])
def test_a_signature_is_made_and_found_good(
    new_instance: Callable[..., Instance], opendkim: tuple[str, str], kind: str
) -> None:
    """The second milter sees exactly what the first has signed, blank for blank."""
    text = sent(new_instance(kind, main={"smtpd_milters": " ".join(opendkim)}))
    assert "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=client.example;" in text
    results = re.search(r"^Authentication-Results: mail\.ours\.example;((?:.*\n)(?:[ \t].*\n)*)", text, re.MULTILINE)
    assert results is not None, text
    assert "dkim=pass" in results[1]


def test_local_mail_is_signed(new_instance: Callable[..., Instance], opendkim: tuple[str, str]) -> None:
    mta = new_instance("pyfix", main={"non_smtpd_milters": " ".join(opendkim), "myorigin": "client.example"})
    mta.start()
    mta.run("sendmail", "-f", "sender@client.example", "user@ours.example", input=_CONTENT.encode())
    mta.wait_for_log("removed")
    (text,) = mta.deliveries()["user/"]
    assert b"dkim=pass" in text


@pytest.fixture(scope="module")
def opendmarc() -> Iterator[str]:
    (path,) = programs(("opendmarc", "opendmarc"))
    port = ReservedPort()
    with own_folder() as folder:
        (folder / "conf").write_text(
            f"Socket inet:{port.number}@127.0.0.1\nBackground no\nSyslog no\nAuthservID mail.ours.example\n"
            "TrustedAuthservIDs mail.ours.example\nRejectFailures no\nSPFIgnoreResults yes\nSPFSelfValidate no\n"
        )
        with running([path, "-f", "-c", folder / "conf"], port.number, folder / "log"):
            yield f"inet:127.0.0.1:{port.number}"
    port.release()


def test_opendmarc_behind_opendkim(
    new_instance: Callable[..., Instance], opendkim: tuple[str, str], opendmarc: str
) -> None:
    """There is no DNS for it to find a policy in; it lets the message pass, and the conversation is in order."""
    mta = new_instance("pyfix", main={"smtpd_milters": " ".join((*opendkim, opendmarc))})
    text = sent(mta)
    assert "dkim=pass" in text
    assert not [line for line in mta.log_lines() if "warning: milter" in line]


@pytest.fixture(scope="module")
def rspamd() -> Iterator[str]:
    (path,) = programs(("rspamd", "rspamd"))
    port, worker = ReservedPort(), ReservedPort()
    with own_folder() as folder:
        for name in ("db", "run"):
            (folder / name).mkdir()
            give_away(folder / name)
        _rspamd_conf(folder, port.number, worker.number)
        with running([path, "-f", "-i", "-c", folder / "rspamd.conf"], port.number, folder / "log"):
            yield f"inet:127.0.0.1:{port.number}"
    port.release()
    worker.release()


def _rspamd_conf(folder: Path, port: int, worker: int) -> None:
    """Write a small configuration: a proxy that scans by itself, and one rule."""
    (folder / "rules.lua").write_text(
        "rspamd_config:register_symbol({ name = 'IS_SPAM', score = 20.0, callback = function(task)\n"
        "  local subject = task:get_header('Subject')\n"
        "  return subject ~= nil and subject:find('GTUBE') ~= nil\n"
        "end })\n"
    )
    (folder / "rspamd.conf").write_text(
        "options { "
        f'pidfile = "{folder}/run/pid"; dns {{ nameserver = ["127.0.0.1"]; timeout = 0.1s; retransmits = 1; }} '
        "filters = []; }\n"
        f'logging {{ type = "console"; level = "notice"; }}\nlua = "{folder}/rules.lua";\n'
        'metric { name = "default"; actions { reject = 15; add_header = 6; greylist = 100; } group "x" { symbol "IS_SPAM" { weight = 20; } } }\n'
        f'worker "rspamd_proxy" {{ bind_socket = "127.0.0.1:{port}"; milter = yes; timeout = 60s; count = 1; '
        'upstream "local" { default = yes; self_scan = yes; } }\n'
    )


def test_rspamd(new_instance: Callable[..., Instance], rspamd: str) -> None:
    mta = new_instance("pyfix", main={"smtpd_milters": rspamd})
    mta.start()
    mta.send_message(content=_CONTENT, client=STRANGER)
    replies = mta.dialogue(
        "EHLO client.example", "MAIL FROM:<x@client.example>", "RCPT TO:<user@ours.example>", "DATA",
        "Subject: GTUBE\r\n\r\nspam\r\n.", "QUIT",
    )  # fmt: skip
    assert replies[4].startswith("554 5.7.1 "), replies
    mta.wait_until_empty()
    assert len(mta.deliveries()["user/"]) == 1
    assert any("milter-reject: END-OF-MESSAGE from" in line for line in mta.log_lines())
