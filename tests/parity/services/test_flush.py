"""flush answers as the reference's does, keeps the same files and moves the same messages."""

from __future__ import annotations

import os
import time

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until
from tests.parity.services.asking import Client, ask, pairs

pytestmark = [pytest.mark.reference, pytest.mark.root]
PATH = "public/flush"
MAIN = {
    "fast_flush_domains": "site.example, .wide.example, [192.0.2.1]",
    "transport_maps": "inline:{{site.example=retry:4.3.0 later}, {sub.site.example=retry:4.3.0 later}}",
    "relay_domains": "site.example",
    "smtpd_reject_unlisted_recipient": "no",
}


@pytest.mark.parametrize(
    "request_",
    [
        "request=add site=site.example queue_id=BADBEEF1",
        "request=add site=Site.Example queue_id=BADBEEF1",
        "request=add site=sub.site.example queue_id=BADBEEF1",
        "request=add site=x.wide.example queue_id=BADBEEF1",
        "request=add site=other.example queue_id=BADBEEF1",
        "request=add site=[192.0.2.1] queue_id=BADBEEF1",
        "request=add site=[192.0.2.2] queue_id=BADBEEF1",
        "request=add site=site.example queue_id=no-id",
        "request=add site=site.example queue_id=",
        "request=add site= queue_id=BADBEEF1",
        "request=add site=-bad- queue_id=BADBEEF1",
        "request=send_site site=site.example",
        "request=send_site site=other.example",
        "request=send_site site=-bad-",
        "request=send_site site=",
        "request=send_file queue_id=BADBEEF1",
        "request=send_file queue_id=../../etc",
        "request=rfrsh",
        "request=purge",
        "request=bogus",
    ],
)
def test_replies(parity: Parity, request_: str) -> None:
    parity(lambda mta: ask(mta, PATH, pairs(request_)), main=MAIN)


@pytest.mark.parametrize(
    "request_", ["request=add site=site.example", "request=add", "request=send_site", "request=send_file", "site=x"]
)
def test_complaints(parity: Parity, request_: str) -> None:
    def case(mta: Instance) -> list[object]:
        replies = ask(mta, PATH, pairs(request_))
        return [*replies, mta.wait_for_log(r"/flush\[\d+\]: (warning: .*)")[1]]

    parity(case, main=MAIN)


def test_one_request_a_connection(parity: Parity) -> None:
    request = pairs("request=add site=site.example queue_id=BADBEEF1")
    parity(lambda mta: ask(mta, PATH, request, request), main=MAIN)


@pytest.mark.parametrize("site", ["site.example", "Sub.Site.example", "[192.0.2.1]", "x_y.wide.example"])
def test_files(parity: Parity, site: str) -> None:
    def case(mta: Instance) -> list[tuple[str, str]]:
        for queue_id in ("BADBEEF1", "BADBEEF2", "BADBEEF1"):
            ask(mta, PATH, [("request", "add"), ("site", site), ("queue_id", queue_id)])
        root = mta.queue_directory / "flush"
        return [(str(path.relative_to(root)), path.read_text()) for path in sorted(root.rglob("*")) if path.is_file()]

    parity(case, main=MAIN)


@pytest.mark.parametrize("request_", ["request=rfrsh", "request=purge"])
@pytest.mark.parametrize("days", [1, 8])
def test_empty_files_of_sites_that_nothing_waits_for(parity: Parity, request_: str, days: int) -> None:
    def case(mta: Instance) -> bool:
        ask(mta, PATH, pairs("request=add site=site.example queue_id=BADBEEF1"))
        (path,) = [path for path in (mta.queue_directory / "flush").rglob("*") if path.is_file()]
        path.write_bytes(b"")
        os.utime(path, (time.time() - days * 86400,) * 2)
        ask(mta, PATH, pairs(request_))
        mta.settle()
        return path.exists()

    parity(case, main=MAIN)


def deferred(mta: Instance) -> str:
    """Return the id of a message that waits for site.example."""
    mta.send_message("a@site.example")
    mta.wait_for_log("status=deferred", count=1)
    wait_until(lambda: "deferred" in mta.queue(), 5)
    logs = mta.queue_directory / "flush"
    wait_until(lambda: any(path.is_file() and path.stat().st_size for path in logs.rglob("*")), 5)
    return mta.queue()["deferred"][0]


@pytest.mark.parametrize("how", ["send_site", "send_file", "postqueue -s", "postqueue -i", "ETRN"])
def test_waiting_message_is_tried_again(parity: Parity, how: str) -> None:
    def case(mta: Instance) -> object:
        queue_id = deferred(mta)
        said: object = None
        match how:
            case "send_site":
                said = ask(mta, PATH, pairs("request=send_site site=site.example"))
            case "send_file":
                said = ask(mta, PATH, pairs(f"request=send_file queue_id={queue_id}"))
            case "postqueue -s":
                said = mta.run("postqueue", "-s", "site.example").returncode
            case "postqueue -i":
                said = mta.run("postqueue", "-i", queue_id).returncode
            case "ETRN":
                mta.dialogue("EHLO x", "ETRN site.example", "ETRN other.example", "ETRN -bad-", "ETRN", "QUIT")
        mta.wait_for_log("status=deferred", count=2)
        return said

    parity(case, main=MAIN, fresh=True)


@pytest.mark.parametrize("data", [b"W", b"W\0"])
def test_trigger(parity: Parity, data: bytes) -> None:
    """A wake-up by master: the messages of sites that were not tried for long are tried again."""

    def case(mta: Instance) -> None:
        deferred(mta)
        time.sleep(2.2)
        with Client(mta, PATH) as client:
            client.send_bytes(data)
            client.finish()
            mta.wait_for_log("status=deferred", count=2)

    parity(case, main={**MAIN, "fast_flush_refresh_time": "1s"}, fresh=True)


def test_purge_tries_all_again(parity: Parity) -> None:
    def case(mta: Instance) -> object:
        deferred(mta)
        time.sleep(2.2)
        said = ask(mta, PATH, pairs("request=purge"))
        mta.wait_for_log("status=deferred", count=2)
        return said

    parity(case, main=MAIN, fresh=True)


@pytest.mark.parametrize("option", ["-s", "-i"])
def test_qmgr_of_another_name(parity: Parity, option: str) -> None:
    """postconf(5) queue_service_name: it is told of what flush has moved."""

    def case(mta: Instance) -> int:
        done = mta.run("sendmail", "a@site.example", input=b"Subject: x\n\nx\n")
        assert done.returncode == 0
        queue_id = mta.wait_for_log(r"(\w+): to=<a@site\.example>.*status=deferred")[1]
        site = mta.queue_directory / "flush/site_example"
        assert wait_until(lambda: queue_id in mta.queue().get("deferred", ()) and site.exists(), 5.0)
        said = mta.run("postqueue", option, {"-s": "site.example", "-i": queue_id}[option]).returncode
        mta.wait_for_log("status=deferred", count=2)
        return said

    master = {"qmgr": "manager unix n - n 300 1 qmgr"}
    parity(case, main={**MAIN, "queue_service_name": "manager"}, master=master, fresh=True)


OLD = {
    "compatibility_level": "1",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "mydestination": "site.example, mail.ours.example",
    "local_recipient_maps": "",
    "smtpd_reject_unlisted_recipient": "no",
    "transport_maps": MAIN["transport_maps"],
}


def test_mail_that_only_an_old_default_flushes() -> None:
    """Programs that note a deferred message, or flush a site, tell of relay_domains=$mydestination."""
    found = []
    for kind in ("reference", "pyfix"):
        with Instance(kind, main=OLD) as mta:
            mta.main.pop("relay_domains", None)
            mta.write_main()
            mta.start()
            mta.send_message("a@site.example")
            mta.wait_for_log(r"a@site\.example.*status=deferred")
            said = [mta.wait_for_log(r"(\w+)\[\d+\]: (using backwards-compatible .* to update .*)").groups()]
            for site in ("site.example", "sub.site.example", "other.example", "[192.0.2.1]"):
                done = mta.run("postqueue", "-s", site)
                said.append((done.returncode, done.stderr.decode().partition(": ")[2]))
            found.append(said)
    assert found[1] == found[0]
    assert len(found[0]) == 5
