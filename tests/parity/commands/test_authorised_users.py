"""Which users may list the queue, have it delivered, and send mail.

Source: postconf(5) authorized_mailq_users, authorized_flush_users, authorized_submit_users; postqueue(1), postdrop(1), sendmail(1).
"""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit import programs
from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

LISTS = (
    "static:anyone", "", "nobody", "NOBODY", "root, daemon", "!nobody, static:all", "!!nobody", "!daemon static:anyone", "static:no",
    "{dir}/etc/names", "!{dir}/etc/names, static:all", "/nonexistent", "inline:{nobody=OK}", "inline:{{unknown=x}}, daemon", "!inline:{nobody=x} static:anyone",
    "regexp:{{/^no/ x}}", "texthash:/nonexistent", "nonsense:x", "nonsense", "fail:x", "fail:x, nobody", "unknown", "4711", "uid:4711", "!", "nobody, # a comment", "*",
)  # fmt: skip
USERS = {"nobody": 65534, "daemon": 1, "nobody knows him": 4711, "root": 0}
NAMES = "# people\nbin\nnobody\n"


def _as(mta: Instance, name: str, command: str, *words: str) -> str:
    """Run a command as a user, with the group of set-gid commands so that it trusts the environment; what it said."""
    program = mta.command_directory / command
    if not program.exists():
        program = mta.command_directory.parent / "bin" / command
    before = ("setpriv", f"--reuid={USERS[name]}", "--regid=postdrop", "--clear-groups")
    done = subprocess.run(
        [*before, program, *words], input=b"Subject: x\n\nx\n", env={**mta.environment, **programs.hasty(mta.kind)}, cwd="/",
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    text = (done.stdout + done.stderr).decode().replace(f"{mta.command_directory}/", "").replace(str(mta.directory), "<DIR>")
    text = re.sub(r"(?<=queue_id\0)\w+", "<ID>", re.sub(r"\[\d+\]", "[PID]", text)).replace("\0", " ").strip()
    return f"{name}: {' '.join((command, *words))}: {done.returncode} {text}"


def test_lists(parity: Parity) -> None:
    """Each form of a list, for users in it, not in it, and without a name."""

    def case(mta: Instance) -> str:
        said: list[str] = []
        with ThreadPoolExecutor(4) as pool:
            for patterns in LISTS:
                value = patterns.replace("{dir}", str(mta.directory))
                mta.write_main(authorized_mailq_users=value, authorized_flush_users=value, authorized_submit_users=value)
                asked = [(user, *words) for words in (("postqueue", "-p"), ("postdrop", "-r")) for user in USERS]
                asked += [("nobody", "postqueue", "-f"), ("root", "postqueue", "-f")]
                said += [f"{patterns!r} {text}" for text in pool.map(lambda words: _as(mta, *words), asked)]
        return "\n".join(said)

    parity(case, files={"names": NAMES}, fresh=True)


REQUESTS = (
    ("postqueue", "-j"), ("mailq",), ("sendmail", "-bp"), ("postqueue", "-i", "ABCDEF"), ("postqueue", "-i", "bad/id"), ("postqueue", "-s", "site.example"),
    ("postqueue", "-s", "other.example"), ("postqueue", "-s", "[192.0.2.1]"), ("postqueue", "-s", "192.0.2.1"), ("postqueue", "-s", "x.failing.example"), ("postqueue", "-s", "-bad-"), ("sendmail", "-q"), ("sendmail", "-qIABCDEF"), ("sendmail", "-qRsite.example"), ("sendmail", "-qRbad site"),
    ("sendmail", "user@ours.example"), ("sendmail", "-t"), ("sendmail", "-bv", "user@ours.example"), ("sendmail",), ("sendmail", "-bv", "-t"), ("sendmail", "-f", "a@b.example", "user@ours.example"), ("sendmail", "-bs"), ("sendmail", "-bs", "x"), ("sendmail", "-bv", "-N", "success", "x"), ("sendmail", "-bi", "-oAstatic:x"), ("postsuper", "-d", "ALL"), ("postqueue", "-c", "/nonexistent", "-p"),
)  # fmt: skip


@pytest.mark.parametrize("runs", [True, False])
def test_requests(parity: Parity, runs: bool) -> None:
    """Each request, by one who may and one who may not; with the mail system running or not."""

    def case(mta: Instance) -> str:
        if not runs:
            mta.stop()
        with ThreadPoolExecutor(4) as pool:
            asked = [(user, *words) for user in ("nobody", "daemon", "nobody knows him") for words in REQUESTS]
            return "\n".join(pool.map(lambda words: _as(mta, *words), asked))

    main = dict.fromkeys(("authorized_mailq_users", "authorized_flush_users", "authorized_submit_users"), "!daemon, static:anyone")
    parity(case, main={**main, "fast_flush_domains": "site.example, [192.0.2.1], pcre:{{/failing/ x}}"}, fresh=True)
