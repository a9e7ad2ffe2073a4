from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pyfix.access.transaction import Client, Transaction
from pyfix.access.verdict import Reject
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtpd.milters import MilterSetup, SessionMilters
from pyfix.tls.facts import TlsFacts
from tests.kit.milter import CONTINUE, DISCARD, REJECT, SHUTDOWN, TEMPFAIL, Script, ScriptedMilter, quarantine, reply
from tests.unit.clients.server import run
from tests.unit.daemons.smtpd.fakes import MAIN, Resolver

EVERY = "i j v _ {client_addr} {client_resolve} {mail_addr} {mail_host} {rcpt_addr} {rcpt_host} {rcpt_mailer} {cipher} {auth_authen}"


def session(endpoint: str) -> Any:
    """Return what SessionMilters need of a session."""
    main = {**MAIN, "smtpd_milters": endpoint, "milter_rcpt_macros": EVERY}
    settings = SmtpdSettings(Snapshot(main))
    client = Client("client.example", "192.0.2.1", "25", reverse_name="other.example")
    policy = SimpleNamespace(resolver=Resolver(), log_form=lambda address: address)
    found = SimpleNamespace(
        settings=settings, client=client, transaction=Transaction(policy, client), connections=2,  # type: ignore[arg-type]  # all that is needed of it
        server=SimpleNamespace(resolver=Resolver()), message=None, blame=lambda problem: None,
    )  # fmt: skip
    found.milters = MilterSetup(settings).of(found, None)  # type: ignore[arg-type]  # as above
    return found


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ([CONTINUE], ""),
        ([REJECT], "550 5.7.1 Command rejected"),
        ([TEMPFAIL], "451 4.7.1 Service unavailable - try again later"),
        ([SHUTDOWN], "421 4.7.0 Server closing connection"),
        ([reply("554-5.1.1 a\r\n554 5.1.1 b")], "554-5.1.1 a\n554 5.1.1 b"),
        ([DISCARD], ""),
        ([quarantine("x"), CONTINUE], ""),
    ],
)
def test_replies(answer: list[Any], wanted: str) -> None:
    with ScriptedMilter() as server:
        server.script = Script({"rcpt": answer})
        found = session(server.endpoint)

        async def go() -> str:
            milters: SessionMilters = found.milters
            assert not await milters.connect()
            assert not await milters.helo("name")
            found.transaction.sender = "a@b.example"
            found.transaction.recipient = "user@ours.example"
            assert not await milters.mail(["<a@b.example>"])
            said = await milters.rcpt(["<user@ours.example>"], None)
            milters.leave()
            return said

        assert run(go()) == wanted
        heard = server.events()
    assert found.transaction.discard == (answer == [DISCARD])
    assert found.transaction.hold == (len(answer) > 1)
    macros = next(line for line in heard if line.startswith("macro R"))
    assert "_=other.example [192.0.2.1] (may be forged)" in macros
    assert "{mail_host}=b.example" in macros
    assert "{rcpt_addr}=user@ours.example {rcpt_host}=ours.example" in macros


def test_refused_recipients_and_tls() -> None:
    with ScriptedMilter() as server:
        server.script = Script(protocol=1 << 11)
        found = session(server.endpoint)
        found.transaction.tls = TlsFacts("TLSv1.3", "CIPHER", 256, 256)

        async def go() -> None:
            milters: SessionMilters = found.milters
            await milters.connect()
            refusal = Reject(550, "5.1.1", "<x@ours.example>: Recipient address rejected: nobody")
            assert not await milters.rcpt(["<x@ours.example>"], refusal)
            milters.leave()

        run(go())
        heard = server.events()
    assert any("{rcpt_addr}=Recipient address rejected: nobody {rcpt_host}=5.1.1 {rcpt_mailer}=error {cipher}=CIPHER" in line for line in heard)


def test_who_has_which() -> None:
    settings = SmtpdSettings(Snapshot({**MAIN, "smtpd_milters": "inet:127.0.0.1:1"}))
    setup = MilterSetup(settings)
    found: Any = SimpleNamespace()
    assert setup.of(found, "DISABLE") is None
    assert setup.of(found, None) is not None
    other = setup.of(found, "inet:127.0.0.1:2, inet:127.0.0.1:3")
    assert other is not None
    assert [one.spec.name for one in other._milters.members] == ["inet:127.0.0.1:2", "inet:127.0.0.1:3"]


def test_a_client_that_was_refused() -> None:
    with ScriptedMilter() as server:
        server.script = Script({"connect": [reply("550 5.7.1 not you")]})
        found = session(server.endpoint)
        assert run(found.milters.connect()) == "550 5.7.1 not you"
    assert found.milters.refusal_of_command == "550 5.7.1 not you"
