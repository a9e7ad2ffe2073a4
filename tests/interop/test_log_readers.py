"""Programs that read the log: of the same day they tell the same, whichever side wrote it.

pflogsumm, logwatch, fail2ban in each mode of its filter, munin's plugins and mtail's example, from Debian.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.kit import requirements
from tests.kit.dnsworld import DnsWorld
from tests.kit.instance import Instance
from tests.kit.tls import make_world

from . import busyday

pytestmark = [pytest.mark.reference, pytest.mark.root]

_PFLOGSUMM = ("--problems-first", "--rej-add-from", "--verbose-msg-detail", "--smtpd-stats", "--iso-date-time", "--zero-fill", "-e", "-u", "50", "-h", "50")
_MODES = ("normal", "auth", "rbl", "more", "ddos", "extra", "aggressive", "errors")
_MUNIN = Path("/usr/share/munin/plugins")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The log of each side, with times that are the same in both."""
    requirements.need_reference()
    folder = tmp_path_factory.mktemp("tls")
    for path in (folder, folder.parent):
        path.chmod(0o755)
    world = make_world(folder)
    main = {**busyday.MAIN, "smtpd_tls_cert_file": world.file("rsa.pem"), "smtpd_tls_key_file": world.file("rsa.key")}
    made = []
    with DnsWorld({"rbl.example": "66.0.0.127.rbl.example. 300 A 127.0.0.2\n66.0.0.127.rbl.example. 300 TXT listed\n"}) as names:
        for kind in ("reference", "pyfix"):
            with Instance(kind, main, busyday.MASTER, files=busyday.FILES, accounts=("alice",), mounts=names.mounts) as mta:
                mta.write("transport", "")
                mta.start()
                busyday.day(mta)
                made.append(tmp_path_factory.mktemp(kind) / "mail.log")
                # Of a message that is too large the reference's cleanup has more than its file may have (known_differences.py).
                lines = [line for line in mta.log_lines(whole=True) if not line.endswith("mail_stream_cleanup: close error")]
                made[-1].write_text("\n".join(_steady(mta, line) for line in lines) + "\n")
    return made


def _steady(mta: Instance, line: str) -> str:
    """Return a log line without what differs from run to run; queue ids stay."""
    line = re.sub(r"^\w{3} [ \d]\d [\d:]{8}", "Jan  2 03:04:05", line).replace(str(mta.directory), "DIR").replace(str(mta.daemon_directory), "DAEMONS")
    line = re.sub(r"\bdelay=[\d.]+, delays=[\d./]+", "delay=1, delays=0.5/0.2/0.1/0.2", line)
    return re.sub(r"127\.0\.0\.1(\]?):\d{4,5}", r"127.0.0.1\1:25", re.sub(r"(?<=, size=)\d+", "1000", line))


def both(logs: list[Path], *argv: str, environment: Mapping[str, str] | None = None, extra: str = "") -> list[str]:
    """Return what a program says of each log, given on standard input."""
    if shutil.which(argv[0]) is None:
        requirements.missing(f"the program {argv[0]} is not installed")
    found = []
    for log in logs:
        state = log.with_name("state")
        state.mkdir(exist_ok=True)
        surroundings = {"PATH": "/usr/bin:/bin:/usr/sbin", "LC_ALL": "C", "PERL_HASH_SEED": "0", "MUNIN_PLUGSTATE": str(state), "logdir": str(log.parent), "logfile": "mail.log"}
        words = [word.replace("{log}", str(log)).replace("{state}", str(state)) for word in argv]
        with log.open() as source:
            done = subprocess.run(words, stdin=source, env={**surroundings, **(environment or {})}, capture_output=True, text=True, timeout=60, check=True)
        found.append((done.stdout + done.stderr).replace(str(log), "LOG"))
    return found


def _without_ids(report: str) -> list[str]:
    """Return the lines of a report; those that have the ids of messages, or of processes, stand in the order of these."""
    return sorted(re.sub(r"\b[0-9A-F]{8,12}\b|\[\d+\]", "", report).splitlines())


def test_the_day_was_a_rich_one(logs: list[Path]) -> None:
    """What the readers are to find is there: a line of each kind."""
    text = logs[1].read_text()
    for wanted in (
        "Relay access denied", "User unknown", "blocked using rbl.example", "Helo command rejected", "too many errors after", "lost connection after", "SASL PLAIN authentication failed",
        "sasl_username=joe", "improper command pipelining", "status=deferred", "status=bounced", "status=sent (delivered to command", "status=sent (delivered to maildir)",
        "sender non-delivery notification", "expired, returned to sender", "warning: header Subject",
        "hold: ", "discard: ", "queue file size limit exceeded", "TLS connection established to", "removed", "relay=cmd",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_pflogsumm(logs: list[Path]) -> None:
    theirs, ours = both(logs, "pflogsumm", *_PFLOGSUMM, "{log}")
    assert "Relay access denied" in ours and "bounced" in ours
    assert _without_ids(ours) == _without_ids(theirs)


@pytest.mark.parametrize("detail", ["0", "5", "10"])
def test_logwatch(logs: list[Path], detail: str) -> None:
    script = Path("/usr/share/logwatch/scripts/services/postfix")
    if not script.exists():
        requirements.missing("needs the package logwatch")
    theirs, ours = both(logs, "perl", str(script), environment={"LOGWATCH_DETAIL_LEVEL": detail})
    assert "Placed on hold" in ours
    assert _without_ids(ours) == _without_ids(theirs)


_FAIL2BAN = """
import sys
from fail2ban.client.fail2banregex import exec_command_line
for mode in sys.argv[2:]:
    print("MODE", mode, flush=True)
    exec_command_line(["--print-all-matched", sys.argv[1], f"postfix[mode={mode}]"])
"""
"""fail2ban-regex for each mode, in one process: most of its time goes into its start."""


def test_fail2ban(logs: list[Path]) -> None:
    if shutil.which("fail2ban-regex") is None:
        requirements.missing("needs fail2ban-regex (package fail2ban)")
    theirs, ours = (text.split("MODE ")[1:] for text in both(logs, "/usr/bin/python3", "-c", _FAIL2BAN, "{log}", *_MODES))
    for mode, their, our in zip(_MODES, theirs, ours, strict=True):
        found = [sorted(re.findall(r"(?m)^\|  .*\]: (?:[0-9A-F]{8,}: )?(.*)", text)) for text in (their, our)]
        assert found[0] == found[1], mode
        counts = [re.findall(r"Lines: \d+ lines, \d+ ignored, (\d+) matched", text) for text in (their, our)]
        assert len(counts[0]) == 1 and counts[0] == counts[1], mode
        # What 3.11 logs of too many errors begins with NOQUEUE, which the filter does not know.
        assert (counts[1] == ["0"]) is (mode == "errors"), mode


@pytest.mark.parametrize("plugin", ["postfix_mailstats", "postfix_mailvolume"])
def test_munin(logs: list[Path], plugin: str) -> None:
    if not _MUNIN.exists():
        requirements.missing("needs the package munin-plugins-core")
    for word in ("", "config"):
        theirs, ours = both(logs, str(_MUNIN / plugin), *filter(None, [word]), environment={"MUNIN_LIBDIR": "/usr/share/munin"})
        assert ours == theirs and ours


def test_mtail(logs: list[Path]) -> None:
    program = Path("/usr/share/doc/mtail/examples/postfix.mtail")
    if not program.exists():
        requirements.missing("needs the package mtail")
    theirs, ours = (
        re.sub(r'"Time": \d+', '"Time": 0', text)
        for text in both(logs, "mtail", "-one_shot", "-progs", str(program), "-logs", "{log}", "-logtostderr=false", "-log_dir={state}")
    )
    assert "TLS_AES_256_GCM_SHA384" in ours
    assert sorted(ours.split('"Labels"')) == sorted(theirs.split('"Labels"'))
