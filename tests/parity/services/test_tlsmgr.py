"""tlsmgr answers as the reference's does, apart from what is random."""

from __future__ import annotations

import base64
import re

import pytest

from pyfix.formats.attributes import decode_pairs
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.parity.services.asking import Client, ask, pairs

pytestmark = [pytest.mark.reference, pytest.mark.root]
PATH = "private/tlsmgr"
CACHED = {
    **{f"{kind}_tls_session_cache_database": f"lmdb:{{dir}}/data/{kind}" for kind in ("smtpd", "smtp", "lmtp")},
    "smtpd_tls_session_cache_timeout": "7200s", "smtp_tls_session_cache_timeout": "7201s", "lmtp_tls_session_cache_timeout": "7202s",
}  # fmt: skip
SESSION = base64.b64encode(b"a session\0of bytes").decode()


@pytest.mark.parametrize("size", [-1, 0, 1, 32, 255, 256, 1000])
def test_seed(parity: Parity, size: int) -> None:
    def case(mta: Instance) -> tuple[object, ...]:
        _greeting, reply = ask(mta, PATH, pairs(f"request=seed size={size}"))
        found = dict(decode_pairs(reply))
        return found["status"], len(base64.b64decode(found["seed"]))

    parity(case)


@pytest.mark.parametrize("main", [{}, CACHED])
@pytest.mark.parametrize("kind", ["smtpd", "smtp", "lmtp", "nonsense", ""])
def test_policy(parity: Parity, kind: str, main: dict[str, str]) -> None:
    parity(lambda mta: ask(mta, PATH, [("request", "policy"), ("cache_type", kind)]), main=main)


def entry(request: str, kind: str, name: str, session: str | None = None) -> list[tuple[str, str]]:
    found = [("request", request), ("cache_type", kind), ("cache_id", name)]
    return found if session is None else [*found, ("session", session)]


@pytest.mark.parametrize("kind", ["smtpd", "smtp", "nonsense"])
def test_cache(parity: Parity, kind: str) -> None:
    parity(
        lambda mta: ask(
            mta, PATH,
            entry("lookup", kind, "id&s=1"),
            entry("update", kind, "id&s=1", SESSION),
            entry("lookup", kind, "id&s=1"),
            entry("lookup", kind, "other"),
            entry("update", kind, "id&s=1", base64.b64encode(b"newer").decode()),
            entry("lookup", kind, "id&s=1"),
            entry("delete", kind, "id&s=1"),
            entry("lookup", kind, "id&s=1"),
            entry("delete", kind, "id&s=1"),
        ),
        main=CACHED,
    )  # fmt: skip


def test_another_client_sees_the_session(parity: Parity) -> None:
    def case(mta: Instance) -> list[bytes]:
        ask(mta, PATH, entry("update", "smtpd", "shared", SESSION))
        with Client(mta, PATH) as client:
            return [client.receive(), client.ask(*entry("lookup", "smtpd", "shared"))]

    parity(case, main=CACHED)


def ticket_key(mta: Instance, name: bytes) -> tuple[str, bytes]:
    request = [("request", "tktkey"), ("keyname", base64.b64encode(name).decode())]
    found = dict(decode_pairs(ask(mta, PATH, request)[1]))
    return found["status"], base64.b64decode(found["keybuf"])


def test_ticket_keys(parity: Parity) -> None:
    def case(mta: Instance) -> list[object]:
        status, key = ticket_key(mta, b"")
        again = ticket_key(mta, b"")
        named = ticket_key(mta, key[:16])
        return [status, len(key), again == (status, key), named == (status, key), ticket_key(mta, b"x" * 16)]

    parity(case, main=CACHED)


def test_complaint(parity: Parity) -> None:
    def case(mta: Instance) -> str:
        ask(mta, PATH, pairs("request=policy"))
        return re.sub(r".*warning: ", "", mta.wait_for_log(r"/tlsmgr\[\d+\]: (warning: missing.*)")[1])

    parity(case)
