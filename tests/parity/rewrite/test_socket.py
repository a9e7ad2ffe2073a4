"""Our trivial-rewrite as a process: alone, as master(8) would start it, and under Postfix's own master."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyfix.tables.build import build_table
from tests.kit.instance import Instance

from .questions import CONFIGURATIONS, FILES, Question, questions
from .service import Client, Reply, RewriteService

pytestmark = [pytest.mark.reference, pytest.mark.root]


def ask(client: Client, question: Question) -> Reply:
    request, second, address = question
    if request == "rewrite":
        return client.rewrite(second, address)
    return client.resolve(request, second, address)


@pytest.mark.parametrize("name", ["plain", "verify", "sender both", "relocated"])
def test_same_answers_over_the_socket(name: str) -> None:
    """Asked twice, so that answers that were kept are compared too."""
    main = CONFIGURATIONS[name] + "\n"
    with RewriteService("reference", main, FILES) as theirs, RewriteService("pyfix", main, FILES) as ours:
        assert ours.client.greeting == theirs.client.greeting
        for question in [*questions(name), *questions(name)]:
            assert ask(ours.client, question) == ask(theirs.client, question), question
        assert ours.log() == theirs.log()


@pytest.mark.parametrize(
    "request_list",
    [("request", "rewrite", "rule", "nowhere", "address", "user"), ("request", "dance", "rule", "local")],
)
def test_nonsense_ends_the_connection(request_list: tuple[str, ...]) -> None:
    """The same warning, and no reply."""
    logs = []
    for kind in ("reference", "pyfix"):
        with RewriteService(kind, "") as service:
            with pytest.raises((EOFError, ConnectionError)):
                service.client.ask(*request_list)
            logs.append(service.log())
    assert logs[0] == logs[1]


@pytest.fixture
def table() -> Iterator[Path]:
    """A table that the mail system's own user can read."""
    folder = Path(tempfile.mkdtemp(prefix="pyfix-rewrite-"))
    folder.chmod(0o755)
    build_table("cdb", str(folder / "transport"), [("one.example", "first:")])
    yield folder / "transport"
    shutil.rmtree(folder)


def test_changed_table_is_seen(table: Path) -> None:
    """The reply tells the client to go, the process ends, and the log has Postfix's line."""
    lines = []
    for kind in ("reference", "pyfix"):
        with RewriteService(kind, f"transport_maps = cdb:{table}\n") as service:
            assert service.client.resolve("resolve", "", "user@two.example")[1] == "smtp"
            build_table("cdb", str(table), [("one.example", "first:"), ("two.example", f"second:{kind}")])
            changed = time.time() + 60
            os.utime(f"{table}.cdb", (changed, changed))
            deadline = time.monotonic() + 20
            while service.process.poll() is None and time.monotonic() < deadline:
                try:
                    service.client.rewrite("local", "user")
                except (EOFError, ConnectionError):
                    break
                time.sleep(0.1)
            assert service.process.wait(20) == 0
            lines.append(service.log())
            build_table("cdb", str(table), [("one.example", "first:")])
    assert lines[0] == lines[1]
    assert "has changed -- restarting" in lines[1][0]


def test_under_postfixs_master(new_instance: Callable[..., Instance]) -> None:
    """Postfix's master starts ours; all other programs are Postfix's and mail goes through."""
    main = {"transport_maps": "inline:{elsewhere.example=discard:}", "relocated_maps": "inline:{gone@ours.example=x@y}"}
    theirs = new_instance("reference", main=main).start()
    ours = new_instance("reference", main=main, replace={"trivial-rewrite": "pyfix"}).start()
    clients = [Client(mta.queue_directory / "private/rewrite") for mta in (theirs, ours)]
    for question in questions("master"):
        replies = [ask(client, question) for client in clients]
        assert replies[0] == replies[1], question
    ours.send_message("user@ours.example")
    deadline = time.monotonic() + 20
    while not any(ours.deliveries().values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert any(ours.deliveries().values())
