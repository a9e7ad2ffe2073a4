"""A spool is stopped under one side and started under the other: nothing is lost, times and reasons stay."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest

from tests.kit import exercise
from tests.kit.instance import Instance
from tests.kit.processes import wait_until

pytestmark = pytest.mark.reference

SIDES = [("reference", "pyfix"), ("pyfix", "reference"), ("reference37", "pyfix"), ("pyfix", "reference37")]


def hand_over(source: Instance, target: Instance) -> None:
    """Move the queue of a stopped instance into another that is not running."""
    for name in ("maildrop", "incoming", "active", "deferred", "hold", "defer", "bounce", "trace", "flush"):
        shutil.rmtree(target.queue_directory / name)
        # A move within the file system keeps the inodes, on which short queue ids stand.
        os.rename(source.queue_directory / name, target.queue_directory / name)


@pytest.mark.parametrize(("first", "second"), SIDES)
def test_deferred_held_and_maildrop_mail(new_instance: Callable[..., Instance], first: str, second: str) -> None:
    source = new_instance(first, main=exercise.MAIN).start()
    submitted = "Subject: waits\n\nHello.\n"
    done = source.run("sendmail", "-f", "second@ours.example", "someone@later.example", input=submitted.encode())
    assert done.returncode == 0, done
    deferred = source.wait_for_log(r"(\w+): to=<someone@later\.example>.*status=deferred \(not now\)")[1]
    assert wait_until(lambda: source.queue().get("deferred") == [deferred], 5.0), source.queue()
    source.write_main(defer_transports="virtual")
    source.reload()
    held = source.send_message("user@ours.example", "Subject: held\n\nHello.\n")
    source.wait_for_log(rf"{held}: to=<user@ours\.example>.*status=deferred")
    assert wait_until(lambda: held in source.queue().get("deferred", []), 5.0), source.queue()
    assert source.run("postsuper", "-h", held).returncode == 0
    both = source.send_message(["mbox@ours.example", "gone@relay.example"], "Subject: half done\n\nHello.\n")
    source.wait_for_log(rf"{both}: to=<mbox@ours\.example>.*status=deferred")
    source.wait_for_log(rf"{both}: to=<gone@relay\.example>.*status=sent")
    assert wait_until(lambda: both in source.queue().get("deferred", []), 5.0), source.queue()
    source.stop()
    done = source.run("sendmail", "-f", "second@ours.example", "user@ours.example", input=b"Subject: dropped\n\nHi.\n")
    assert done.returncode == 0, done
    assert len(source.queue()["maildrop"]) == 1
    times = {queue_id: source.spool_file(queue_id).stat().st_mtime for queue_id in (deferred, both)}
    reasons = (source.queue_directory / "defer").rglob(deferred)
    assert any("not now" in path.read_text() for path in reasons)

    target = new_instance(second, main=exercise.MAIN)
    hand_over(source, target)
    target.start()
    target.wait_for_log(r"to=<user@ours\.example>.*status=sent")
    for queue_id, seconds in times.items():
        assert target.spool_file(queue_id).stat().st_mtime == seconds, "the time of the next attempt was not kept"
    listing = target.run("postqueue", "-p").stdout.decode()
    assert "(not now)" in listing and f"{held}!" in listing
    assert target.run("postsuper", "-H", held).returncode == 0
    assert target.run("postqueue", "-f").returncode == 0
    target.wait_for_log(rf"{held}: to=<user@ours\.example>.*status=sent")
    target.wait_for_log(rf"{both}: to=<mbox@ours\.example>.*status=sent")
    target.wait_for_log(rf"{deferred}: to=<someone@later\.example>.*status=deferred \(not now\)")
    assert not [line for line in target.log_lines() if f"{both}: to=<gone@relay" in line], "delivered twice"
    assert wait_until(lambda: target.queue() == {"deferred": [deferred]}, 5.0), target.queue()
    found = target.deliveries()
    assert b"Subject: half done" in found["mbox"][0]
    assert sorted(b"Subject: dropped" in message for message in found["user/"]) == [False, True]
    target.stop()


@pytest.mark.parametrize(("first", "second"), SIDES)
def test_incoming_and_active_mail(new_instance: Callable[..., Instance], first: str, second: str) -> None:
    """Mail that one queue manager had taken, or not yet, is delivered by the other."""
    source = new_instance(first, main=exercise.MAIN, master={"qmgr": None, "pickup": None}).start()
    ids = [source.send_message(content=f"Subject: number {number}\n\nHello.\n") for number in range(3)]
    assert source.queue() == {"incoming": sorted(ids)}
    source.stop()
    os.rename(source.queue_directory / "incoming" / ids[0], source.queue_directory / "active" / ids[0])
    target = new_instance(second, main=exercise.MAIN)
    hand_over(source, target)
    target.start()
    for queue_id in ids:
        target.wait_for_log(rf"{queue_id}: to=<user@ours\.example>.*status=sent")
    target.wait_until_empty()
    assert len(target.deliveries()["user/"]) == 3
    target.stop()
