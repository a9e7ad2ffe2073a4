"""postcat, postqueue and postsuper print, log and return what the reference's do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence

import pytest

from pyfix.formats import queueid
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.processes import wait_until

pytestmark = [pytest.mark.reference, pytest.mark.root]

MAIN = {
    "transport_maps": "inline:{{later.example=retry:4.3.0 later}, {gone.example=discard:}}",
    "relay_domains": "later.example, gone.example",
    "relay_recipient_maps": "",
    "smtpd_reject_unlisted_recipient": "no",
}

_TIMES = re.compile(r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d( \d{4})?")
_OFFSET = re.compile(r"^ {2,}\d+ (?=[A-Za-z*\t\n])|(?<=message_size: )( +\d+) +\d+", re.M)
"""Offsets depend on how many digits the microseconds of the arrival time have."""
_EPOCH = re.compile(r"\b1\d{9}\b")
_PORT = re.compile(r"(client_port|server_port)=\d+")


def shown(mta: Instance, queue_ids: Sequence[str], command: str, *arguments: str, input: bytes | None = None) -> str:
    """Run a command and return its output and status, without what differs between any two runs."""
    done = mta.run(command, *arguments, input=input)
    text = f"{done.stdout.decode()}\n--\n{done.stderr.decode()}\n-- {done.returncode}"
    for number, queue_id in enumerate(queue_ids):
        text = text.replace(queue_id, f"<ID{number}>     "[: len(queue_id)]).replace(
            f"/{queue_id[0]}/<ID{number}>", f"/h/<ID{number}>"
        )
    text = text.replace(str(mta.command_directory) + "/", "")
    text = _PORT.sub(r"\1=port", _EPOCH.sub("EPOCH", _TIMES.sub("TIME", text)))
    text = _OFFSET.sub(r"\1 OFFSET ", text)
    text = re.sub(r"2026\d{10}", "STAMP", text)
    return "\n".join([line for line in text.split("\n") if "name_mask:" not in line and "inet_addr_local:" not in line])


def deferred(mta: Instance, recipients: Sequence[str] = ("c@later.example", "d@gone.example")) -> str:
    """Queue a message one of whose recipients cannot be delivered now."""
    queue_id = mta.send_message(list(recipients), "Subject: test\n\nHello\n" + "x" * 3000 + "\n")
    mta.wait_for_log(rf"{queue_id}: to=<c@later\.example>.*status=deferred")
    if "d@gone.example" in recipients:
        mta.wait_for_log(rf"{queue_id}: to=<d@gone\.example>.*status=sent")
    assert wait_until(lambda: queue_id in mta.queue().get("deferred", []), 5.0)
    return queue_id


@pytest.mark.parametrize(
    "options", [(), ("-v",), ("-v", "-o"), ("-h",), ("-b",), ("-e",), ("-d",), ("-f",), ("-e", "-h"), ("-r", "-o")]
)
def test_postcat(parity: Parity, options: tuple[str, ...]) -> None:
    def case(mta: Instance) -> str:
        queue_id = deferred(mta)
        return shown(mta, [queue_id], "postcat", *options, "-q", queue_id)

    parity(case, main=MAIN)


@pytest.mark.parametrize("arguments", [("-q", "NOSUCH"), ("-q", "a/b"), ("-q", ""), ("/etc/passwd",), ("/nonexistent",), ("-x",)])
def test_postcat_of_what_is_not_there(parity: Parity, arguments: tuple[str, ...]) -> None:
    def case(mta: Instance) -> str:
        text = shown(mta, [], "postcat", *arguments)
        return text.partition("usage:")[0] if "-x" in arguments else text

    parity(case, main=MAIN)


@pytest.mark.parametrize("left", [2, 130, 400, 3300])
def test_postcat_of_half_a_file(parity: Parity, left: int) -> None:
    def case(mta: Instance) -> str:
        queue_id = deferred(mta)
        half = mta.directory / "half"
        half.write_bytes(mta.spool_file(queue_id).read_bytes()[:-left])
        return shown(mta, [queue_id], "postcat", str(half)).replace(str(mta.directory), "DIR")

    parity(case, main=MAIN)


def test_postqueue_lists(parity: Parity) -> None:
    def case(mta: Instance) -> list[str]:
        empty = shown(mta, [], "postqueue", "-p")
        queue_id = deferred(mta)
        return [
            empty,
            shown(mta, [queue_id], "postqueue", "-p"),
            shown(mta, [queue_id], "postqueue", "-j"),
            shown(mta, [queue_id], "mailq"),
        ]

    parity(case, main=MAIN)


def test_hold_release_expire_and_delete(parity: Parity) -> None:
    def case(mta: Instance) -> list[str]:
        queue_id = deferred(mta)
        ids = [queue_id]
        results = [
            shown(mta, ids, "postsuper", "-h", queue_id),
            shown(mta, ids, "postqueue", "-p"),
            shown(mta, ids, "postsuper", "-h", queue_id),
            shown(mta, ids, "postsuper", "-H", queue_id),
            shown(mta, ids, "postsuper", "-e", queue_id),
            shown(mta, ids, "postqueue", "-p"),
            shown(mta, ids, "postsuper", "-e", queue_id),
            shown(mta, ids, "postsuper", "-d", "-", input=f"NOSUCH\nABC/DEF\n{queue_id}\n".encode()),
            shown(mta, ids, "postqueue", "-p"),
        ]
        assert not mta.queue().get("deferred")
        return results

    parity(case, main=MAIN, logs="postsuper", fresh=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("-d", "ALL"),
        ("-h", "ALL", "deferred"),
        ("-f", "ALL"),
        ("-x",),
        ("-d", "ALL", "nosuchqueue"),
        (),
    ],
)
def test_postsuper_of_an_empty_queue(parity: Parity, arguments: tuple[str, ...]) -> None:
    def case(mta: Instance) -> str:
        return shown(mta, [], "postsuper", *arguments)

    parity(case, main=MAIN)


@pytest.mark.parametrize("names", [("zz", "ABCDE"), ("ABCDE1",), ("Azzzz1", "12345678901", "zz")], ids="-".join)
def test_names_that_are_none_of_messages(parity: Parity, names: tuple[str, ...]) -> None:
    """Files in a queue that no mail system made, or that a backup brought back."""

    def case(mta: Instance) -> object:
        hold = mta.queue_directory / "hold"
        inodes: list[str] = []
        for name in names:
            (hold / name).write_bytes(b"x")
            shutil.copystat(mta.queue_directory / "active", hold / name)
            shutil.chown(hold / name, "postfix")
            inodes.append(f"{(hold / name).stat().st_ino:X}")

        def anonymous(text: str) -> str:
            return re.sub("|".join(inodes), "INODE", text)

        lines = {anonymous(line) for line in shown(mta, [], "postsuper", "hold").splitlines()}
        return lines, sorted(anonymous(path.name) for path in hold.iterdir())

    parity(case, main=MAIN, fresh=True)


def test_requeue(parity: Parity) -> None:
    def case(mta: Instance) -> str:
        queue_id = deferred(mta, ["c@later.example"])
        result = shown(mta, [queue_id], "postsuper", "-r", queue_id)
        mta.run("postqueue", "-f")
        mta.wait_for_log(rf"uid=\d+ from=<sender@client\.example> orig_id={queue_id}")
        mta.wait_for_log(r"to=<c@later\.example>.*status=deferred", count=2)
        mta.run("postsuper", "-d", "ALL")
        return result

    parity(case, main=MAIN, logs=("postsuper", "pickup"), fresh=True)


@pytest.mark.parametrize(
    "arguments",
    [(), ("-x",), ("-i", "bad/id"), ("-i", "ABCDEF"), ("-s", "not a site"), ("-s", "example.com"), ("-f",), ("-p", "x"), ("-s", "[later.example]"),
     ("-s", "[127.0.0.1]"), ("-s", "127.0.0.1"), ("-s", "")],
)
def test_postqueue_requests(parity: Parity, arguments: tuple[str, ...]) -> None:
    def case(mta: Instance) -> str:
        return shown(mta, [], "postqueue", *arguments)

    parity(case, main=MAIN)


def test_queue_is_listed_while_the_system_is_down(parity: Parity) -> None:
    def case(mta: Instance) -> list[str]:
        queue_id = deferred(mta)
        mta.stop()
        return [
            shown(mta, [queue_id], "postqueue", "-p"),
            shown(mta, [queue_id], "postqueue", "-j"),
            shown(mta, [queue_id], "postqueue", "-f"),
        ]

    parity(case, main=MAIN, fresh=True)


def _each(commands: Sequence[tuple[str, ...]]) -> Callable[[Instance], list[str]]:
    def case(mta: Instance) -> list[str]:
        return [shown(mta, [], *command) for command in commands]

    return case


def test_words_of_small_commands(parity: Parity) -> None:
    """postlog(1) -p in any case, postlock(1) -l with several methods."""
    parity(
        _each(
            [
                ("postlog", "-p", "INFO", "a"), ("postlog", "-p", "Warn", "a"), ("postlog", "-p", "worse", "a"), ("postlog", "-t", "tag", "a", "b"),
                ("postlock", "-l", "flock, dotlock", "/tmp/nosuch/mailbox", "true"),
            ]
        ),
        main=MAIN,
    )  # fmt: skip


def test_half_a_submission(parity: Parity) -> None:
    """postdrop that reads something else than records, half a record, and nothing."""

    def case(mta: Instance) -> list[object]:
        seen: list[object] = []
        for data in (b"garbage\n", b"R", b"S\x85\x01x", b"", b"S\x01s"):
            done = mta.run("postdrop", "-r", input=data)
            said = done.stdout.partition(b"queue_id")[0]
            seen.append((done.returncode, said, done.stderr.decode(), list((mta.queue_directory / "maildrop").iterdir())))
        return seen

    parity(case, main=MAIN)


def test_bad_offset_and_folder(parity: Parity) -> None:
    parity(
        _each(
            [
                ("postcat", "-s", "x", "-q", "ABCDEF0123"),
                ("postcat", "-c", "/nonexistent", "-q", "ABCDEF0123"),
                ("sendmail", "-C", "/nonexistent", "x"),
                ("postqueue", "-c", "/nonexistent", "-p"),
                ("postsuper", "-c", "/nonexistent", "-d", "ALL"),
            ]
        ),
        main=MAIN,
    )


def test_services_that_are_none(new_instance: Callable[..., Instance]) -> None:
    """postkick, and flushing while nothing ever ran."""
    seen = []
    for kind in ("reference", "pyfix"):
        mta = new_instance(kind, main=MAIN)
        commands = [("postqueue", "-f"), ("sendmail", "-q"), ("postkick", "public", "pickup", ""), ("postkick", "nosuch", "x", "y")]
        commands += [("postkick", service_class, name, "x") for service_class, name in (("public", ""), ("public", "/"), ("", ""), ("public", "nosuch"))]
        seen.append(_each(commands)(mta))
    assert seen[1] == seen[0]


def test_usage_of_sendmail(parity: Parity) -> None:
    parity(
        _each(
            [
                ("sendmail", "-Q"),
                ("sendmail", "-bx", "u@x.example"),
                ("sendmail", "-n", "x"),
                ("sendmail", "-bp", "x"),
                ("sendmail", "-bh"),
                ("sendmail", "-q30m"),
                ("sendmail", "-qX"),
                ("sendmail", "-bv", "-t"),
            ]
        ),
        main=MAIN,
    )


@pytest.mark.parametrize("long_ids", ["no", "yes"])
@pytest.mark.parametrize("arguments", [("-s",), ("-S",), ()])
def test_long_and_short_ids(parity: Parity, long_ids: str, arguments: tuple[str, ...]) -> None:
    """postsuper -s: ids of another disk, and long ones while there shall be none; logs go along."""

    def case(mta: Instance) -> object:
        mta.stop()
        inodes: dict[int, str] = {}

        def put(queue: str, what: str, long: bool, ahead: int) -> None:
            path = mta.queue_directory / queue / "new"
            path.write_bytes(b"x")
            path.chmod(0o700)
            shutil.chown(path, "postfix")
            inode = path.stat().st_ino
            microseconds = 111111 + len(inodes)
            number = inode + ahead
            name = queueid.long_id(1700000000, microseconds, number) if long else queueid.short_id(microseconds, number)
            inodes[inode] = what
            path.rename(path.with_name(name))
            log = mta.queue_directory / "bounce" / name
            log.write_text(what)
            shutil.chown(log, "postfix")

        for queue in ("incoming", "hold", "maildrop"):
            for long in (False, True):
                put(queue, f"{queue} {long}", long, 0)
                put(queue, f"{queue} {long}, of another disk", long, 100_000)
        said = mta.run("postsuper", *arguments)
        found = {}
        for queue in ("incoming", "hold", "maildrop"):
            for path in (mta.queue_directory / queue).iterdir():
                inode, name = path.stat().st_ino, path.name
                log = mta.queue_directory / "bounce" / name
                kind = name[:10] if queueid.is_long(name) else name[:5]
                fits = queueid.inode_of(name) == inode
                found[inodes[inode]] = (kind, fits, log.read_text() if log.exists() else "")
        return said.returncode, sorted(said.stderr.decode().replace(f"{mta.command_directory}/", "").splitlines()), found

    parity(case, main={"enable_long_queue_ids": long_ids}, fresh=True)
