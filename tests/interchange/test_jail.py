"""All daemons in chroot environments, where neither pyfix nor Python nor a table can be read any more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interchange.test_one_daemon import DAEMONS
from tests.kit import exercise
from tests.kit.dnsworld import DnsWorld
from tests.kit.instance import Instance
from tests.kit.services import jailed

pytestmark = pytest.mark.root

TABLES = {
    "virtual_mailbox_maps": "cdb:{dir}/etc/users",
    "transport_maps": "cdb:{dir}/etc/transport",
    "smtpd_sender_restrictions": "check_sender_access cdb:{dir}/etc/senders, "
    "check_helo_access pcre:{dir}/etc/helo, check_sender_access regexp:{dir}/etc/helo",
}
FILES = {
    "users": "user@ours.example user/\nsecond@ours.example second/\nmbox@ours.example mbox\n",
    "transport": "later.example retry:4.4.1 not now\nrefused.example error:5.7.9 not wanted\n",
    "senders": "evil@client.example REJECT not you\n",
    "helo": "/^nobody$/ REJECT not there\n",
}


def prepared(mta: Instance) -> Instance:
    for name in ("users", "transport", "senders"):
        done = mta.run("postmap", f"cdb:{mta.config_directory}/{name}")
        assert done.returncode == 0, done
    return mta.start()


@pytest.mark.parametrize("kind", ["pyfix", pytest.param("reference", marks=pytest.mark.reference)])
def test_mail_flows_through_jailed_daemons(new_instance: Callable[..., Instance], kind: str) -> None:
    """With pyfix's master, which forks them, and with the real one, which starts each by exec."""
    replace = {} if kind == "pyfix" else dict.fromkeys(DAEMONS, "pyfix")
    arguments = {"main": exercise.MAIN | TABLES, "files": FILES, "master": jailed(), "replace": replace}
    mta = prepared(new_instance(kind, **arguments))
    exercise.exercise(mta)
    senders = mta.config_directory / "senders"
    senders.write_text("good@client.example REJECT not even you\n")
    assert mta.run("postmap", f"cdb:{senders}").returncode == 0
    with mta.connect() as client:
        client.say("EHLO client.example")  # what sees the change makes place for a process that knows the new table
    mta.wait_for_log(r"table cdb:\S+/senders\S* has changed -- restarting")
    replies = mta.dialogue("EHLO client.example", "MAIL FROM:<good@client.example>", "RCPT TO:<user@ours.example>", "QUIT")
    assert "not even you" in replies[2], replies
    problems = [line for line in mta.log_lines() if "warning: " in line or "error: " in line]
    assert not problems
    mta.stop()


def test_names_are_looked_up_in_a_jail(new_instance: Callable[..., Instance]) -> None:
    """resolv.conf is the jail's, as are the other files that the C library reads; nothing is loaded too late."""
    zones = {
        ".": "2.0.0.127.in-addr.arpa PTR client.example.\nclient.example A 127.0.0.2\ngood.example MX 10 client.example.\n"
        "3.0.0.127.bl.example A 127.0.0.2\n3.0.0.127.bl.example TXT listed"
    }
    main = {
        "smtpd_peername_lookup": "yes",
        "smtpd_sender_restrictions": "reject_unknown_sender_domain, reject_rbl_client bl.example, "
        "check_sender_mx_access inline:{127.0.0.2=DUNNO}",
    }
    with DnsWorld(zones) as world:
        mta = new_instance("pyfix", main=main, master=jailed())
        (mta.queue_directory / "etc").mkdir()
        for place, path in world.mounts.items():
            (mta.queue_directory / "etc" / Path(place).name).write_bytes(Path(path).read_bytes())
        mta.start()
        begin = ["EHLO client.example", "MAIL FROM:<a@good.example>", "RCPT TO:<user@ours.example>", "QUIT"]
        assert mta.dialogue(*begin, client="127.0.0.2")[2] == "250 2.1.5 Ok"
        assert mta.dialogue(*begin, client="127.0.0.3")[2].endswith("blocked using bl.example; listed")
        begin[1] = "MAIL FROM:<a@missing.example>"
        assert mta.dialogue(*begin)[2].endswith("Sender address rejected: Domain not found")
        mta.wait_for_log(r"connect from client\.example\[127\.0\.0\.2\]")
        mta.stop()
