"""The dialogue with a filter before the queue; parity is in tests/parity/filters."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.parameters.smtpd import SmtpdSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.smtpd.proxyfilter import ProxyFilter, ProxyMessage
from pyfix.formats.records import TEXT, UNTERMINATED, encode_record
from pyfix.runtime.task import sleep
from tests.kit.smtpfilter import SmtpFilter
from tests.unit.runtime.forked import on_loop


class _Client:
    name, printed_address, port = "client.example", "192.0.2.7", "77"


class _Transaction:
    helo_name, protocol = "helo.example", "ESMTP"


class _Session:
    client, transaction, rewrites_locally = _Client(), _Transaction(), False
    forwarded: ClassVar[dict[str, str]] = {}
    mail_line = "MAIL FROM:<a@x>"


def settings(**main: str) -> SmtpdSettings:
    return SmtpdSettings(Snapshot({"myhostname": "mail.example", **main}, process_name="smtpd"))


async def dialogue(options: str, replies: dict[str, bytes]) -> object:
    with SmtpFilter() as server:
        server.replies = replies
        main = {"smtpd_proxy_filter": f"127.0.0.1:{server.port}", "smtpd_proxy_options": options}
        session: Any = _Session()
        new = ProxyMessage(session, ProxyFilter(settings(**main)))
        said = [await new.begin()]
        if not said[0]:
            said += [await new.tell("RCPT TO:<b@y>", "2"), await new.tell("DATA", "3")]
            new.write(encode_record(TEXT, b".dot") + encode_record(UNTERMINATED, b"long ") + encode_record(TEXT, b".line"))
            await new.relieve()
            said += [repr(await new.end())]
        new.cancel()
        for _ in range(500):
            if server.ended == server.begun:
                break
            await sleep(0.01)
        return said, server.heard


@pytest.mark.parametrize("options", ["", "speed_adjust"])
def test_a_message(options: str) -> None:
    said, heard = on_loop(dialogue, options, {})  # type: ignore[misc]  # what on_loop returns is an object
    assert said == ["", "", "", "(True, '250 2.0.0 from the filter: ok')"]
    assert heard == [
        "EHLO mail.example",
        "XFORWARD NAME=client.example ADDR=192.0.2.7 PORT=77 HELO=helo.example IDENT=[UNAVAILABLE] PROTO=ESMTP SOURCE=REMOTE",
        "MAIL FROM:<a@x>", "RCPT TO:<b@y>", "DATA", "..dot", "long .line", ".", "QUIT",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "reply", "said"),
    [
        ("greeting", b"554 no\r\n", ["451 4.3.0 Error: queue file write error"]),
        ("MAIL", b"550-no\r\n550 sender\r\n", ["550-no\n550 sender"]),
        ("RCPT", b"550 no\r\n", ["", "550 no", "", "(True, '250 2.0.0 from the filter: ok')"]),
        (".", b"550 spam\r\n", ["", "", "", "(False, '550 spam')"]),
        (".", b"", ["", "", "", "(False, '451 4.3.0 Error: queue file write error')"]),
    ],
)
def test_refusals(command: str, reply: bytes, said: list[str]) -> None:
    assert on_loop(dialogue, "", {command: reply})[0] == said  # type: ignore[index]  # the result of case


@pytest.mark.parametrize("main", [{"smtpd_proxy_filter": "unix:"}, {"smtpd_proxy_filter": "h:1", "smtpd_proxy_options": "fast"}])
def test_faults(main: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        ProxyFilter(settings(**main))
