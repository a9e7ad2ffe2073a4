"""testssl.sh finds the same in our smtpd as in the real one.

By default a short set of its checks runs; ``PYFIX_TESTSSL=whole`` runs all of them (three minutes a side).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.kit import requirements
from tests.kit.instance import Instance
from tests.kit.tls import World

pytestmark = [pytest.mark.reference, pytest.mark.root]

SHORT: Final = ("--renegotiation", "--ccs-injection", "--heartbleed", "--crime", "--tls-fallback")
WHOLE: Final = os.environ.get("PYFIX_TESTSSL", "") == "whole"
UNSTEADY: Final = frozenset(("scanTime", "engine_problem", "TLS_timestamp", "cert_expirationStatus", "TLS_extensions"))
"""What is another each time, or of the machine: the library of another release prefers another group."""
_ON_PURPOSE: Final = ("cert", "cipher")
"""Beginnings of findings that are about the test's certificates, and about ciphers that Postfix offers by default."""


def findings(mta: Instance, folder: Path) -> dict[str, str]:
    """Return what testssl.sh says of a server, by the name of the check."""
    program = shutil.which("testssl") or shutil.which("testssl.sh")
    if program is None:
        requirements.missing("testssl.sh is not installed")
    result = folder / f"{mta.kind}.json"
    done = subprocess.run(
        [
            program, "--quiet", "--warnings", "batch", "--color", "0", "--nodns", "none", "--openssl-timeout", "20", "--connect-timeout", "20",
            "--starttls", "smtp", "--jsonfile", str(result), *(() if WHOLE else SHORT), f"127.0.0.1:{mta.port}",
        ],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=900, check=False,
    )  # fmt: skip
    assert result.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    return {found["id"]: f"{found['severity']}: {found['finding']}" for found in json.loads(result.read_text()) if found["id"] not in UNSTEADY}


@pytest.mark.timeout(2000)
def test_findings(new_instance: Callable[..., Instance], world: World, tmp_path: Path) -> None:
    main = {
        "smtpd_tls_security_level": "may",
        "smtpd_tls_chain_files": f"{world.file('rsa.chain')}, {world.file('ec.chain')}",
        "smtpd_client_connection_rate_limit": "0",
        "smtpd_client_connection_count_limit": "0",
    }
    theirs, ours = (findings(new_instance(kind, main=main).start(), tmp_path) for kind in ("reference", "pyfix"))
    if WHOLE:
        Path(os.environ.get("PYFIX_TESTSSL_RESULT", os.devnull)).write_text(json.dumps({"reference": theirs, "pyfix": ours}, indent=1))
    assert len(ours) > (80 if WHOLE else 5), ours
    # s_client sometimes ends with an error when the server has left, whosever that is; then nothing was tried.
    tried = {name for name in ours | theirs if "check failed because of connect problem" not in f"{ours.get(name)} {theirs.get(name)}"}
    assert {name: ours.get(name) for name in tried} == {name: theirs.get(name) for name in tried}
    assert not {name: text for name, text in ours.items() if text.startswith(("HIGH", "CRITICAL")) and not name.startswith(_ON_PURPOSE)}
