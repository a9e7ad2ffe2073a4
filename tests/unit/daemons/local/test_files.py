"""Files that aliases name; mailboxes are in test_daemon.py."""

from __future__ import annotations

import pytest

from pyfix.daemons.local import daemon as local
from tests.unit.daemons.local.test_daemon import configure, mail, ours
from tests.unit.daemons.requests import bounce_service, deliver, is_final
from tests.unit.daemons.running import System, running
from tests.unit.daemons.services import Rewrite

__all__ = ["mail"]


@pytest.mark.parametrize(
    ("path", "mode", "status", "reason"),
    [
        ("out", None, "2.0.0", "delivered to file: {path}"),
        ("box/", None, "2.0.0", "delivered to maildir"),
        ("none/out", None, "5.2.0", "cannot append message to file {path}: cannot create file exclusively: "),
        ("program", 0o777, "5.7.1", "cannot append message to file {path}: file is executable"),
    ],
)
def test_files(mail: System, path: str, mode: int | None, status: str, reason: str) -> None:
    Rewrite(mail)
    full = f"{mail.folder}/mail/{path}"
    if mode is not None:
        (mail.folder / "mail" / path).touch(mode)
        (mail.folder / "mail" / path).chmod(mode)
    configure(mail, alias_maps="inline:{{f=" + full + "}}")
    bounce_service(mail, "bounce")
    with running(local.main, mail, "local") as daemon:
        assert is_final(deliver(daemon, ours(mail, "f")))
    line = mail.logged("status=")[-1]
    assert f"dsn={status}, " in line and f"({reason.format(path=full)}" in line


def test_a_device(mail: System) -> None:
    Rewrite(mail)
    configure(mail, alias_maps="inline:{{f=/dev/null}}")
    with running(local.main, mail, "local") as daemon:
        assert is_final(deliver(daemon, ours(mail, "f")))
    assert mail.logged("status=")[-1].endswith("status=sent (delivered to file: /dev/null)")
