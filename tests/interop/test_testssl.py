"""testssl.sh finds the same in our smtpd as in the real one, on port 25 and in the services for users' own programs.

By default a short set of its checks runs; ``PYFIX_TESTSSL=whole`` runs all of them (three minutes a side).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.kit import requirements
from tests.kit.authdouble import AuthDouble, encoded
from tests.kit.instance import Instance
from tests.kit.reference import reference
from tests.kit.smtp import Line
from tests.kit.tls import TlsDialogue, World, client_context

pytestmark = [pytest.mark.reference, pytest.mark.root]

SHORT: Final = ("--renegotiation", "--ccs-injection", "--heartbleed", "--crime", "--tls-fallback")
BY_OPENSSL: Final = ("--ssl-native", "--renegotiation", "--ccs-injection", "--heartbleed", "--tls-fallback")
"""What the machine's openssl can ask (it has no compression): with fewer connections, as testssl.sh has fewer questions beforehand."""
WHOLE: Final = os.environ.get("PYFIX_TESTSSL", "") == "whole"
UNSTEADY: Final = frozenset(("scanTime", "engine_problem", "TLS_timestamp", "cert_expirationStatus", "TLS_extensions"))
"""What is another each time, or of the machine: the library of another release prefers another group."""
_ON_PURPOSE: Final = ("cert", "cipher")
"""Beginnings of findings that are about the test's certificates, and about ciphers that Postfix offers by default."""


def findings(mta: Instance, folder: Path, port: int, checks: Sequence[str] = SHORT, *, wrapped: bool = False) -> dict[str, str]:
    """Return what testssl.sh says of a server, by the name of the check."""
    program = shutil.which("testssl") or shutil.which("testssl.sh")
    if program is None:
        requirements.missing("testssl.sh is not installed")
    result = folder / f"{mta.kind}.{port}.json"
    done = subprocess.run(
        [
            program, "--quiet", "--warnings", "batch", "--color", "0", "--nodns", "none", "--openssl-timeout", "20", "--connect-timeout", "20",
            *(() if wrapped else ("--starttls", "smtp")), "--jsonfile", str(result), *(() if WHOLE else checks), f"127.0.0.1:{port}",
        ],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=900, check=False,
    )  # fmt: skip
    assert result.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    return {found["id"]: f"{found['severity']}: {found['finding']}" for found in json.loads(result.read_text()) if found["id"] not in UNSTEADY}


def compare(theirs: dict[str, str], ours: dict[str, str]) -> None:
    """Fail unless the same was found, and nothing bad."""
    assert len(ours) > (80 if WHOLE else 5), ours  # of a server that does not answer there is one
    # s_client sometimes ends with an error when the server has left, whosever that is; then nothing was tried.
    tried = {name for name in ours | theirs if "check failed because of connect problem" not in f"{ours.get(name)} {theirs.get(name)}"}
    assert {name: ours.get(name) for name in tried} == {name: theirs.get(name) for name in tried}
    assert not {name: text for name, text in ours.items() if text.startswith(("HIGH", "CRITICAL")) and not name.startswith(_ON_PURPOSE)}


UNLIMITED: Final = {"smtpd_client_connection_rate_limit": "0", "smtpd_client_connection_count_limit": "0"}


@pytest.mark.timeout(2000)
def test_findings(new_instance: Callable[..., Instance], world: World, tmp_path: Path) -> None:
    main = UNLIMITED | {"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": f"{world.file('rsa.chain')}, {world.file('ec.chain')}"}
    sides = [new_instance(kind, main=main).start() for kind in ("reference", "pyfix")]
    theirs, ours = (findings(mta, tmp_path, mta.port) for mta in sides)
    if WHOLE:
        Path(os.environ.get("PYFIX_TESTSSL_RESULT", os.devnull)).write_text(json.dumps({"reference": theirs, "pyfix": ours}, indent=1))
    compare(theirs, ours)


def uncommented(name: str) -> list[str]:
    """Return the service that Debian's master.cf has in comments, without these."""
    lines = (reference("reference").root / "usr/share/postfix/master.cf.dist").read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(f"#{name} "))
    end = next(number for number, line in enumerate(lines[begin + 1 :], begin + 1) if not line.startswith("#  "))
    return [line[1:] for line in lines[begin:end] if not line.startswith("#     ")]


@pytest.mark.timeout(2000)
@pytest.mark.parametrize("name", ["submission", "submissions"])
def test_services_for_users(new_instance: Callable[..., Instance], world: World, tmp_path: Path, name: str) -> None:
    """Debian's services as they are, but for their ports, which known_tcp_ports gives; who logs in there may send."""
    lines = uncommented(name)
    assert any("smtpd_sasl_auth_enable=yes" in line for line in lines), lines
    found = []
    for kind in ("reference", "pyfix"):
        main = UNLIMITED | {
            "smtpd_tls_cert_file": world.file("rsa.pem"), "smtpd_tls_key_file": world.file("rsa.key"), "smtpd_tls_security_level": "may",
            "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth",
        }  # fmt: skip
        mta = new_instance(kind, main=main)
        port = mta.another_port()
        mta.write_main(known_tcp_ports=f"smtp=25, {name}={port}")
        mta.write("master.cf", (mta.config_directory / "master.cf").read_text() + "\n".join(lines) + "\n")
        with AuthDouble(mta.queue_directory / "private/auth"):
            mta.start()
            found.append(findings(mta, tmp_path, port, BY_OPENSSL, wrapped=name == "submissions"))
            mta.transcript += sent_by(mta, port, wrapped=name == "submissions")
            mta.wait_for_log(rf"postfix/{name}/smtpd\[\d+\]: \w+: client=\S+, sasl_method=PLAIN, sasl_username=joe")
        found[-1] |= {"session": "\n".join(re.sub(r"queued as \w+", "queued", line) for line in mta.transcript)}
    compare(*found)
    assert "554 5.7.1" in found[0]["session"] and "250 2.0.0 Ok: queued" in found[0]["session"]


def sent_by(mta: Instance, port: int, *, wrapped: bool) -> list[str]:
    """Send mail as a program of a user does, before and behind AUTH; return the replies."""
    context = client_context()
    mail: list[Line] = ["MAIL FROM:<joe@ours.example>", "RCPT TO:<user@ours.example>"]
    with TlsDialogue(mta.host, port, "127.0.0.1", wrapped=context if wrapped else None) as client:
        said = [client.greeting]
        if not wrapped:
            said += client.say_all(["EHLO client.example", *mail, "STARTTLS"])
            said.append(client.secure(context))
        said += client.say_all(["EHLO client.example", *mail, "RSET", f"AUTH PLAIN {encoded('', 'joe', 'pw')}"])
        return said + client.say_all([*mail, "DATA", b"Subject: x\r\n\r\nHello.\r\n.\r\n", "QUIT"])
