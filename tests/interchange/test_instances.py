"""Two instances of one site, each with a queue, a port and a log name of its own."""

from __future__ import annotations

import pytest

from tests.kit import smtp
from tests.kit.instance import TRUSTED
from tests.kit.processes import wait_until
from tests.kit.site import Site

pytestmark = pytest.mark.root


@pytest.mark.parametrize("kind", ["pyfix", pytest.param("reference", marks=pytest.mark.reference)])
def test_mail_through_two_instances(kind: str) -> None:
    """Made by postmulti and started by one ``postfix start``, each takes mail, and gets it to its own recipients."""
    with Site(kind) as site:
        assert site.run("postmulti", "-e", "init").returncode == 0
        assert site.run("postmulti", "-e", "create", "-I", "postfix-out", "-G", "out").returncode == 0
        port = site.set_port("postfix-out")
        settings = {name: site.main[name] for name in ("virtual_mailbox_domains", "virtual_uid_maps", "virtual_gid_maps", "biff")}
        settings |= {name: site.main[name] for name in ("mynetworks", "smtpd_peername_lookup", "virtual_mailbox_base")}
        settings |= {"maillog_file": f"{site.directory}/log/out", "maillog_file_prefixes": str(site.directory)}
        settings |= {"virtual_mailbox_maps": "static:out/", "master_service_disable": ""}
        words = [f"{name}={value}" for name, value in settings.items()]
        assert site.run("postconf", "-c", "/etc/postfix-out", "-e", *words).returncode == 0
        assert site.run("postmulti", "-e", "enable", "-i", "postfix-out").returncode == 0
        site.start()
        for number in (site.port, port):
            lines = ["EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<user@ours.example>", "DATA", f"To {number}\r\n.", "QUIT"]
            _, replies = smtp.dialogue("127.0.0.1", number, lines, TRUSTED)
            assert "queued as" in replies[-2], replies
        boxes = ("user/", "out/")
        assert wait_until(lambda: all(len(site.deliveries().get(box, ())) == 1 for box in boxes), 15), site.log_lines(whole=True)
        for box, number in zip(boxes, (site.port, port), strict=True):
            assert f"To {number}".encode() in site.deliveries()[box][0]
        log = (site.directory / "log/out").read_text()
        assert "postfix-out/qmgr[" in log and " postfix/qmgr[" not in log
        assert not any("postfix-out/" in line for line in site.log_lines(whole=True))
        site.stop()
