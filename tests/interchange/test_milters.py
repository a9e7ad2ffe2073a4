"""Milters where smtpd(8) and cleanup(8) are one of each side: smtpd hands its connections to the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kit.instance import TRUSTED, Instance
from tests.kit.milter import (
    CONTINUE,
    SKIP,
    Script,
    ScriptedMilter,
    add_header,
    add_recipient,
    change_header,
    change_sender,
    delete_recipient,
    insert_header,
    replace_body,
)
from tests.kit.normalise import Normaliser

pytestmark = pytest.mark.reference

MIXES: dict[str, tuple[str, dict[str, str]]] = {
    "real smtpd, our cleanup": ("reference", {"cleanup": "pyfix"}),
    "our smtpd, real cleanup": ("reference", {"smtpd": "pyfix"}),
    "our master, real cleanup": ("pyfix", {"cleanup": "reference"}),
    "our master, real smtpd": ("pyfix", {"smtpd": "reference"}),
    "real qmgr and agents": ("pyfix", {"qmgr": "reference", "virtual": "reference"}),
    "our qmgr and agents": ("reference", {"qmgr": "pyfix", "virtual": "pyfix"}),
}
FIRST = Script(
    {
        "eom": [
            insert_header(0, "X-First", "1"), change_header(1, "X-Two", "changed"), add_header("X-Seen", "yes"),
            change_sender("<new@c.example>"), delete_recipient("<user@ours.example>"),
            add_recipient("<second@ours.example>"), replace_body(b"Another body,\r\nof two lines.\r\n" * 100), CONTINUE,
        ],
        "body": [SKIP],
    },
    symbols={0: "j {client_addr}", 3: "i {rcpt_addr}", 5: "i v", 6: "{x}"},
)  # fmt: skip
SECOND = Script({"eom": [change_header(1, "X-Seen", "twice"), CONTINUE]}, protocol=1 << 20 | 1 << 7)
MESSAGE = (
    "MAIL FROM:<a@b.example>", "RCPT TO:<user@ours.example>", "DATA", "Subject: x\r\nX-Two:  2\r\n\r\nhello\r\n.",
)  # fmt: skip


def run(mta: Instance, first: ScriptedMilter, second: ScriptedMilter) -> list[str]:
    """Bring two messages in one session; return what milters heard, the replies, and what was delivered."""
    for milter, script in ((first, FIRST), (second, SECOND)):
        milter.forget()
        milter.script = script
    mta.start()
    mta.dialogue("EHLO client.example", *MESSAGE, "RSET", *MESSAGE, "QUIT", client=TRUSTED)
    mta.wait_until_empty()
    normaliser = Normaliser(mta.directory, mta.port)
    normaliser.learn(mta.log_lines())
    seen = [normaliser.text(line) for line in (*mta.transcript, *first.events(), *second.events())]
    delivered = [f"{name}: {text!r}" for name, texts in mta.deliveries().items() for text in texts]
    return seen + sorted(normaliser.text(line) for line in delivered)


@pytest.fixture(scope="module")
def milters() -> list[ScriptedMilter]:
    return [ScriptedMilter(), ScriptedMilter()]


def main(milters: list[ScriptedMilter]) -> dict[str, str]:
    first, second = milters
    return {
        "smtpd_milters": f"{first.endpoint}, {{ {second.endpoint}, content_timeout=20s, default_action=tempfail }}",
        "milter_macro_defaults": "{x}=y, z=1",
    }


@pytest.fixture(scope="module")
def pure(milters: list[ScriptedMilter]) -> list[str]:
    """What the reference alone makes of it."""
    with Instance("reference", main=main(milters)) as mta:
        return run(mta, *milters)


@pytest.mark.parametrize("mix", MIXES)
def test_both_sides(
    new_instance: Callable[..., Instance], milters: list[ScriptedMilter], pure: list[str], mix: str
) -> None:
    kind, replace = MIXES[mix]
    mta = new_instance(kind, main=main(milters), replace=replace)
    assert run(mta, *milters) == pure
    mta.stop()


@pytest.mark.parametrize("mix", ["real smtpd, our cleanup", "our smtpd, real cleanup"])
def test_no_milter_takes_part(
    new_instance: Callable[..., Instance], milters: list[ScriptedMilter], mix: str
) -> None:
    """smtpd says that it has none; those of non_smtpd_milters are not for its mail."""
    kind, replace = MIXES[mix]
    other = {
        "smtpd_milters": "inet:127.0.0.1:1",
        "milter_default_action": "accept",
        "non_smtpd_milters": milters[1].endpoint,
    }
    mta = new_instance(kind, main=other, replace=replace)
    milters[1].forget()
    mta.start()
    mta.send_message()
    mta.wait_until_empty()
    assert not milters[1].events()
    assert len(mta.deliveries()["user/"]) == 1
    mta.stop()
