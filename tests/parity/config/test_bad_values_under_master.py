"""Each daemon with bad values of each kind, started by master: its fatal line, its end, and what master makes of it.

Source: the log lines of the reference.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from pyfix.config.parameter import Parameter
from pyfix.config.parameters.mail import MailSettings
from pyfix.config.parameters.tls import TlsSettings
from tests.kit import programs
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.startups import complaints_at_startup, number_of_fatal
from tests.kit.syslog import SystemLog
from tests.parity.config.test_daemon_values import ASKED_FIRST, DAEMONS, views

pytestmark = [pytest.mark.reference, pytest.mark.root]

FOR_ALL = {
    "no number": "hash_queue_depth=abc",
    "out of range": "hash_queue_depth=0",
    "no unit": "daemon_timeout=10q",
    "no yes or no": "soft_bounce=maybe",
}
OF_SERVICES = {
    "pipe": ("command_time_limit=1y",),
    "spawn": ("{}_time_limit=10q", "{}_time_limit=0", "{}_time_limit=", "command_time_limit=1y"),
    "postlogd": ("maillog_file_prefixes=", "postlogd_watchdog_timeout=9", "postlogd_watchdog_timeout=10q"),
}
"""What has the service's name in its own, which ``{}`` stands for, and what test_daemon_values.py does not know."""

WITH_TLS = TlsSettings.parameters().keys()
"""What is read only where TLS is used."""


def _bad(kind: str, parameter: Parameter[object]) -> str | None:
    """Return a bad value of that kind, or None where the parameter can't have one."""
    least = parameter.minimum
    match kind, parameter.kind:
        case "no number", "int" | "long":
            return "abc"
        case "out of range", "int" | "long" if least is not None:
            return str(least - 1)
        case "no unit", "time":
            return "10q"
        case "no yes or no", "bool":
            return "maybe"
    return None


def _overrides(program: str, service: str) -> Iterator[str]:
    """Yield one override of each kind, of the program's own parameters where it has one, then of the families."""
    shared = MailSettings.parameters()
    own = [
        found
        for attribute, found in (views(program).parameters() if program in DAEMONS else {}).items()
        if attribute not in shared and found.is_read_by(program) and attribute not in WITH_TLS
        and not (found.legacy or found.own or found.name in ASKED_FIRST)
    ]
    for kind, common in FOR_ALL.items():
        chosen = next(((one.name, bad) for one in own if (bad := _bad(kind, one)) is not None), None)
        yield common if chosen is None else "=".join(chosen)
    for form in OF_SERVICES.get(program, ()):
        yield form.format(service)


def _services() -> dict[str, tuple[str, str]]:
    """Return program and override by the name of the service."""
    found = {}
    there = {path.name for path in programs.daemon_directory("pyfix").iterdir()}
    for program in sorted({*DAEMONS, "postlogd"} & there):
        for number, override in enumerate(_overrides(program, f"{program}%")):
            found[f"{program}{number}"] = (program, override.replace("%", str(number)))
    return found


def _wake(mta: Instance, service: str, program: str) -> None:
    path = str(mta.queue_directory / "private" / service)
    kind = socket.SOCK_DGRAM if program == "postlogd" else socket.SOCK_STREAM
    with socket.socket(socket.AF_UNIX, kind) as client:
        client.connect(path)
        client.send(b"x")


def test_daemons(parity: Parity) -> None:
    services = _services()
    assert len(services) > 80
    master = {
        name: f"{name} {'unix-dgram' if program == 'postlogd' else 'unix'} - n n - 1 {program} -o {override}"
        + (" user=nobody argv=/bin/true" if program in ("pipe", "spawn") else "")
        for name, (program, override) in services.items()
    }

    def case(mta: Instance) -> str:
        for service, (program, _override) in services.items():
            _wake(mta, service, program)
        return complaints_at_startup(mta, len(services))

    seen = parity(case, master=master, fresh=True).result
    assert isinstance(seen, str)
    assert number_of_fatal(seen) == len(services)


@pytest.mark.parametrize("value", ["10q", "0", ""])
def test_the_time_limit_of_a_pipe(parity: Parity, value: str) -> None:
    """It is read when there is mail."""

    def case(mta: Instance) -> str:
        mta.send_message("u@piped.example")
        mta.wait_for_log(r"pipe: bad command startup -- throttling")
        lines = [line.partition(": ")[2] for line in mta.log_lines() if re.search(r"(pipe|master)\[\d+\]: (fatal|warning): ", line)]
        return re.sub(r"pid \d+ ", "", "\n".join(lines))

    main = {"relay_domains": "piped.example", "transport_maps": "inline:{piped.example=piped:}", "piped_time_limit": value}
    seen = parity(case, main=main, master={"piped": "piped unix - n n - - pipe user=nobody argv=/bin/true"}, fresh=True).result
    assert isinstance(seen, str)
    assert "piped_time_limit" in seen


OF_MASTER = ("default_process_limit=0", "service_throttle_time=10q", "max_use=0", "inet_protocols=foo", "import_environment={a")


def test_master(parity: Parity) -> None:
    """It does not begin, nor look whether another one runs; the system's log has the reason."""

    def case(mta: Instance) -> str:
        place = mta.directory / "elsewhere"
        place.mkdir(exist_ok=True)
        (place / "master.cf").write_text("")
        said = []
        with SystemLog(mta) as syslog:
            for override in (*FOR_ALL.values(), *OF_MASTER):
                name, value = override.split("=")
                main = mta.main | {"maillog_file": "", name: value}
                text = "".join(f"{key} = {value}\n" for key, value in main.items()).replace("{dir}", str(mta.directory))
                (place / "main.cf").write_text(text)
                for option in ("-t", "-w"):
                    syslog.datagrams.clear()
                    done = syslog.run(mta.daemon_directory / "master", "-c", place, option)
                    fatal = [line.partition(": ")[2] for line in syslog.lines(mta)]
                    said.append(f"{override} {option}: {done.returncode} {fatal}")
        return "\n".join(said)

    parity(case)
