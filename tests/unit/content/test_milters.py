from __future__ import annotations

from pyfix.content.milter_connection import Milter
from pyfix.content.milter_settings import MilterSpec
from pyfix.content.milters import Milters
from pyfix.protocols.milter.verdict import Refuse, Verdict
from tests.kit.milter import ACCEPT, Script, ScriptedMilter, reply
from tests.unit.clients.server import run

STAGES = ("connect", "helo", "mail", "rcpt", "data", "end_of_header", "end_of_data", "unknown")


def test_one_after_the_other() -> None:
    with ScriptedMilter() as first, ScriptedMilter() as second:
        first.script = Script({"helo": [ACCEPT]})
        second.script = Script({"rcpt": [reply("550 5.7.1 no")]}, symbols={1: "{x}"})
        members = [Milter(MilterSpec(one.endpoint, 5, 5, 5, "accept", "6")) for one in (first, second)]
        lists = dict.fromkeys(STAGES, ("j", "{nothing}", "y"))
        milters = Milters(members, lists, {"{x}": "1", "{y}": "2"}, {"{j}": "host"}.get)

        async def go() -> list[Verdict | None]:
            found = [
                await milters.connect("client", 10, "2001:db8::1", "25"),
                await milters.helo("name"),
                await milters.mail(["<a@b>", "SIZE=1"]),
                await milters.rcpt(["<c@d>"]),
            ]
            assert milters.active == [members[1]]
            milters.quit()
            return found

        assert run(go()) == [None, None, None, Refuse("550 5.7.1 no")]
        assert [line for line in first.events() if not line.startswith(("macro", "--", "optneg"))] == [
            "connect client 6 <PORT> b'IPv6:2001:db8::1\\x00'", "helo name|",
        ]  # fmt: skip
        heard = second.events()
    assert "macro H {x}=1" in heard
    assert "macro M j=host y=2" in heard
    assert "mail <a@b>|SIZE=1|" in heard
