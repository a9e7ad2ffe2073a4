"""A course of mail that uses every daemon of the main flow, for whichever mix of daemons an instance has."""

from __future__ import annotations

import re
import socket
from contextlib import suppress

from tests.kit.instance import TRUSTED, Instance
from tests.kit.peer import Peer
from tests.kit.processes import wait_until

MAIN = {
    "relay_transport": "discard:exercise",
    "transport_maps": "inline:{{later.example=retry:4.4.1 not now}, {refused.example=error:5.7.9 not wanted}}",
    "relay_recipient_maps": "proxy:inline:{gone@relay.example=x}",
    "fast_flush_domains": "later.example",
    "notify_classes": "",
    "address_verify_map": "",
}
"""What main.cf needs beside the standard of test instances."""

_PROBLEM = re.compile(r"\b(?:warning|error|fatal|panic): ")


_SLOW = re.compile(r"file system clock is \d+ seconds ahead of local clock|resetting file time stamps")
"""What Postfix's cleanup says when a busy machine lets it wait between its look at the clock and its file."""


def exercise(mta: Instance) -> None:
    """Send mail through every daemon of a started instance (configured with MAIN) and see it arrive.

    Raises AssertionError at the first thing that does not happen, and for any warning in the log at the end.
    """
    _refusals(mta)
    _deliveries(mta)
    _bounce(mta)
    _deferral(mta)
    _submission(mta)
    _verification(mta)
    _questions(mta)
    _no_problems(mta)


def _no_problems(mta: Instance) -> None:
    problems = [line for line in mta.log_lines() if _PROBLEM.search(line) and not _SLOW.search(line)]
    assert not problems, "warnings in the log:\n" + "\n".join(problems)


def transports(port: int) -> str:
    """Return transport_maps with next hops at *port* too, for ``relay``."""
    hop = f"[127.0.0.1]:{port}"
    return f"{MAIN['transport_maps'][:-1]}, {{smtp.example=smtp:{hop}}}, {{lmtp.example=lmtp:inet:{hop}}}}}"


def relay(mta: Instance, peer: Peer) -> None:
    """smtp, lmtp, and the notice about a recipient whom the server refuses; main.cf has ``transports(peer.port)``."""
    for service in ("smtp", "lmtp"):
        peer.reset({"RCPT no@": "550 5.1.1 unknown"}, lmtp=service == "lmtp")
        addresses = [f"yes@{service}.example", f"no@{service}.example"]
        queue_id = mta.send_message(addresses, "Subject: relay\n\n.dot\n", "second@ours.example")
        mta.wait_for_log(rf"{queue_id}: to=<yes@{service}\.example>, relay=127\.0\.0\.1\[127\.0\.0\.1\].*dsn=2\.0\.0, status=sent")
        mta.wait_for_log(rf"{queue_id}: to=<no@{service}\.example>, .*dsn=5\.1\.1, status=bounced \(host .* said: 550")
        mta.wait_for_log(rf"{queue_id}: sender non-delivery notification: ")
        mta.wait_for_log(rf"{queue_id}: removed")
        assert "..dot" in peer.seen()[0], peer.seen()
    _no_problems(mta)


def _refusals(mta: Instance) -> None:
    """smtpd, trivial-rewrite, anvil, and proxymap, which alone knows who is at relay.example."""
    replies = mta.dialogue(
        "EHLO client.example",
        "MAIL FROM:<sender@client.example>",
        "RCPT TO:<stranger@elsewhere.example>",
        "RCPT TO:<user@ours.example>",
        "RCPT TO:<nobodythere@ours.example>",
        "RCPT TO:<nobodythere@relay.example>",
        "RSET",
        "QUIT",
    )
    codes = [reply[:9] for reply in replies[1:]]
    assert codes == ["250 2.1.0", "554 5.7.1", "250 2.1.5", "550 5.1.1", "550 5.1.1", "250 2.0.0", "221 2.0.0"], replies


def _deliveries(mta: Instance) -> None:
    """cleanup, qmgr, local, virtual, discard."""
    recipients = ["user@ours.example", "mbox@ours.example", "nobody@mail.ours.example", "gone@relay.example"]
    content = "Subject: exercise\n\n.dot\nFrom here\n" + 300 * "a long line of text " + "\n"
    queue_id = mta.send_message(recipients, content)
    mta.wait_for_log(rf"{queue_id}: removed")
    mta.wait_for_log(rf"{queue_id}: to=<.*status=sent", count=len(recipients))
    lines = [line for line in mta.log_lines() if f"{queue_id}: to=<" in line]
    assert len(lines) == len(recipients), lines
    found = mta.deliveries()
    assert sorted(found) == ["mbox", "nobody", "user/"]
    (message,) = found["user/"]
    assert b"\n.dot\nFrom here\n" in message and b"Delivered-To: user@ours.example\n" in message
    assert b"\n.dot\n>From here\n" in found["mbox"][0]
    assert b"a long line of text " * 300 in message


def _bounce(mta: Instance) -> None:
    """error, bounce, and the notice through cleanup to virtual."""
    before = len(mta.deliveries().get("second/", []))
    done = mta.run("sendmail", "-f", "second@ours.example", "someone@refused.example", input=b"Subject: x\n\nx\n")
    assert done.returncode == 0 and done.stderr == b"", done
    queue_id = mta.wait_for_log(r"(\w+): to=<someone@refused\.example>, .*dsn=5\.7\.9, status=bounced")[1]
    mta.wait_for_log(rf"{queue_id}: sender non-delivery notification: ")
    mta.wait_for_log(rf"{queue_id}: removed")
    mta.wait_for_log(r"to=<second@ours\.example>.*status=sent")
    notices = mta.deliveries()["second/"][before:]
    assert len(notices) == 1 and b"not wanted" in notices[0] and b"multipart/report" in notices[0]


def _deferral(mta: Instance) -> None:
    """retry, defer, showq, flush, and the queue by postqueue and postsuper."""
    done = mta.run("sendmail", "-f", "second@ours.example", "someone@later.example", input=b"Subject: x\n\nx\n")
    assert done.returncode == 0 and done.stderr == b"", done
    deferred = r"(\w+): to=<someone@later\.example>, .*dsn=4\.4\.1, status=deferred \(not now\)"
    queue_id = mta.wait_for_log(deferred)[1]
    listing = mta.run("postqueue", "-p").stdout.decode()
    assert queue_id in listing and "(not now)" in listing, listing
    site = mta.queue_directory / "flush/later_example"
    assert wait_until(lambda: site.exists() and queue_id in site.read_text(), 5.0), "flush has not heard of the message"
    assert wait_until(lambda: queue_id in mta.queue().get("deferred", ()), 5.0), mta.queue()
    mark = mta.log_mark()
    assert mta.run("postqueue", "-s", "later.example").returncode == 0
    mta.wait_for_log(rf"{queue_id}: from=<.* \(queue active\)", since=mark)
    mta.wait_for_log(deferred, since=mark)
    assert wait_until(lambda: queue_id in mta.queue().get("deferred", ()), 5.0), mta.queue()
    assert mta.run("postsuper", "-d", queue_id).returncode == 0
    assert queue_id not in mta.run("postqueue", "-p").stdout.decode()


def _submission(mta: Instance) -> None:
    """sendmail, postdrop, pickup."""
    before = len(mta.deliveries()["user/"])
    done = mta.run("sendmail", "-f", "sender@client.example", "user@ours.example", input=b"Subject: local\n\nHello.\n")
    assert done.returncode == 0 and done.stderr == b"", done
    queue_id = mta.wait_for_log(r"(\w+): uid=\d+ from=<sender@client\.example>")[1]
    mta.wait_for_log(rf"{queue_id}: removed")
    assert b"Subject: local\n" in mta.deliveries()["user/"][before]


def _questions(mta: Instance) -> None:
    """What no mail of this course needs is asked: verify, which sends a probe that virtual reports on; tlsmgr; scache."""
    query = b"request\0query\0address\0user@ours.example\0\0"
    # What is known at first, in both forms of the list: it is being tried.
    _ask(mta, "private/verify", query, b"status\0003\0")
    known = rb"status\0000\0.*delivers to maildir"
    assert wait_until(lambda: re.search(known, _ask(mta, "private/verify", query, b"status\000")), 10.0), mta.log_lines()
    seed = _ask(mta, "private/tlsmgr", b"request\0seed\0size\00032\0\0", b"status\0000\0")
    assert len(seed) > 32
    nothing = b"request\0find_endp\0label\0nowhere\0\0"
    _ask(mta, "private/scache", nothing, b"status\0002\0property\0")


def _ask(mta: Instance, path: str, request: bytes, expected: bytes) -> bytes:
    """Send a request to a service and return what comes back until *expected* is in it."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10.0)
        client.connect(str(mta.queue_directory / path))
        client.sendall(request)
        reply = b""
        with suppress(TimeoutError):
            # The greeting, where there is one, is a list of its own.
            while not (expected in reply and reply.endswith(b"\0\0")) and (more := client.recv(4096)):
                reply += more
    assert expected in reply, f"{path}: {reply!r} for {request!r}"
    return reply


def _verification(mta: Instance) -> None:
    """trace, and the probe through cleanup and qmgr."""
    done = mta.run("sendmail", "-bv", "user@ours.example", "someone@refused.example")
    assert done.returncode == 0, done
    report = mta.wait_for_log(r"(\w+): sender delivery status notification: (\w+)")
    mta.wait_for_log(rf"{report[2]}: removed")
    replies = mta.dialogue("VRFY user@ours.example", "QUIT", client=TRUSTED)
    assert replies[0] == "252 2.0.0 user@ours.example"
