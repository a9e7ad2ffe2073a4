"""What smtp and lmtp say of the defaults that an old compatibility_level keeps in use.

Source: COMPATIBILITY_README; postconf(5) smtp_tls_security_level, smtp_tls_fingerprint_digest.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.parity import InstancePool, Parity
from tests.kit.peer import Peer
from tests.parity.known_differences import KNOWN_DIFFERENCES

pytestmark = [pytest.mark.reference, pytest.mark.root]

LEVELS = ("0", "3.6", "3.10", "3.11")
SITES: dict[str, dict[str, str]] = {
    "nothing said": {},
    "old parameters": {"smtp_use_tls": "yes", "lmtp_use_tls": "yes", "smtp_tls_loglevel": "2", "lmtp_tls_loglevel": "2"},
    "empty level": {"smtp_tls_security_level": "", "smtp_tls_policy_maps": "static:{fingerprint match=AA:BB}"},
    "level of sites": {"smtp_tls_per_site": "static:may", "lmtp_tls_per_site": "static:must_nopeermatch"},
    "fingerprints": {
        "smtp_tls_security_level": "fingerprint", "smtp_tls_fingerprint_cert_match": "AA:BB",
        "lmtp_tls_security_level": "fingerprint", "lmtp_tls_fingerprint_cert_match": "AA:BB",
    },
    "no fingerprints": {"smtp_tls_security_level": "fingerprint", "lmtp_tls_security_level": "encrypt"},
    "two lists": {"smtp_tls_security_level": "may", "smtp_tls_policy_maps": "inline:{{[127.1.0.1]:{port}=fingerprint match=AA:BB match=CC|DD}}"},
    "default list": {"smtp_tls_security_level": "fingerprint", "smtp_tls_fingerprint_cert_match": "AA|BB, AABBcc, :AA, AA:B:B, zz, CC:"},
    "digest said": {
        "smtp_tls_security_level": "fingerprint", "smtp_tls_fingerprint_digest": "md5", "smtp_tls_fingerprint_cert_match": "AA:BB",
        "lmtp_tls_security_level": "may", "lmtp_tls_fingerprint_digest": "md5",
    },
}  # fmt: skip


@pytest.mark.parametrize("site", SITES)
def test_levels(instance_pool: InstancePool, peer: Peer, site: str) -> None:
    """Two messages by each of the two, to a server without TLS; what the server offers makes no difference."""
    requirements.need_reference("reference")

    def case(mta: Any) -> list[list[str]]:
        said = []
        for level in LEVELS:
            mta.write_main(compatibility_level=level)
            mta.reload()
            mark = mta.log_mark()
            for transport in ("smtp", "lmtp", "smtp", "lmtp"):
                peer.reset({}, lmtp=transport == "lmtp")
                queue_id = mta.send_message(f"a@{transport}.example", sender="")
                mta.wait_for_log(rf"{queue_id}: to=<")
            mta.run("postsuper", "-d", "ALL")
            lines = [line for line in mta.log_lines(mark) if "/smtp[" in line or "/lmtp[" in line]
            said.append([line.partition("]: ")[2] for line in lines if re.search("backwards|initializing|fingerprint sec|malformed", line)])
        return said

    main = {
        "transport_maps": f"inline:{{smtp.example=smtp:[127.1.0.1]:{peer.port}, lmtp.example=lmtp:inet:[127.1.0.1]:{peer.port}}}",
        **{name: value.replace("{port}", str(peer.port)) for name, value in SITES[site].items()},
    }
    replaced = {"smtp": "pyfix", "lmtp": "pyfix"}
    seen = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))(case, main=main, replace=replaced, fresh=True)
    assert isinstance(seen.result, list)
    assert any(seen.result) == (site not in ("digest said",)), seen.result
