"""Each command of one side on a system of the other side."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kit import exercise
from tests.kit.instance import Instance
from tests.kit.processes import wait_until

COMMANDS = ("postcat", "postdrop", "postqueue", "postsuper", "sendmail")
OTHER = {"reference": "pyfix", "pyfix": "reference", "reference37": "pyfix"}

pytestmark = pytest.mark.reference


@pytest.mark.parametrize("kind", list(OTHER))
@pytest.mark.parametrize("command", COMMANDS)
def test_mail_by_the_other_sides_command(new_instance: Callable[..., Instance], kind: str, command: str) -> None:
    """Submission, queue listing, flush and deletion work with one command of the other side."""
    mta = new_instance(kind, main=_main(kind), replace={command: OTHER[kind]}).start()
    exercise.exercise(mta)
    mta.stop()


@pytest.mark.parametrize("kind", list(OTHER))
def test_the_whole_queue_by_the_other_sides_commands(new_instance: Callable[..., Instance], kind: str) -> None:
    """A message is shown, held, released, put back and deleted by the other side's commands; both see the same."""
    others = dict.fromkeys(COMMANDS, OTHER[kind])
    mta = new_instance(kind, main=_main(kind), replace=others).start()
    content = "Subject: shown\n\nA line of text.\n.\n"
    for recipient in ("one@later.example", "two@later.example"):
        done = mta.run("sendmail", "-i", "-f", "sender@client.example", recipient, input=content.encode())
        assert done.returncode == 0, done
    mta.wait_for_log(r"status=deferred \(not now\)", count=2)
    mta.settle()
    first, second = sorted(mta.queue()["deferred"])
    shown = mta.run("postcat", "-q", first).stdout.decode()
    assert "\nSubject: shown\n" in shown and "\n\nA line of text.\n.\n" in shown
    assert "\nsender: sender@client.example\n" in shown
    done = mta.run("postsuper", "-h", first)
    assert done.returncode == 0 and f"{first}: placed on hold" in _said(mta, done.stderr)
    assert mta.queue()["hold"] == [first]
    listing = mta.run("postqueue", "-p").stdout.decode()
    assert f"{first}!" in listing and f"{second} " in listing
    assert mta.run("postsuper", "-H", first).returncode == 0
    assert sorted(mta.queue()["deferred"]) == [first, second]
    assert mta.run("postsuper", "-r", second).returncode == 0
    assert mta.queue() == {"maildrop": [second], "deferred": [first]}
    mark = mta.log_mark()
    assert mta.run("postqueue", "-f").returncode == 0
    mta.wait_for_log(r"status=deferred \(not now\)", count=2, since=mark)
    assert wait_until(lambda: len(mta.queue().get("deferred", ())) == 2, 5.0), mta.queue()
    assert mta.run("postsuper", "-d", "ALL").returncode == 0
    assert mta.queue() == {}
    mta.stop()


def _main(kind: str) -> dict[str, str]:
    return exercise.MAIN | ({"pyfix_internal_protocol": "3.7"} if kind == "reference37" else {})


def _said(mta: Instance, stderr: bytes) -> str:
    return stderr.decode() + "\n".join(mta.log_lines())
