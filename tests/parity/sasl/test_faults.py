"""Services that know passwords and go away: between two commands, within an AUTH, for good or for a moment; real ones, too.

Wrong answers of a service are in ``test_dovecot.py`` and ``test_cyrus.py``.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.kit import authservers
from tests.kit.authdouble import AuthDouble, SaslauthdDouble, encoded
from tests.kit.instance import STRANGER, Instance
from tests.kit.parity import InstancePool, Parity
from tests.parity.known_differences import KNOWN_DIFFERENCES

from .conftest import CYRUS, DOVECOT

pytestmark = [pytest.mark.reference, pytest.mark.root]

PLAIN, NAME, PASSWORD = f"AUTH PLAIN {encoded('', 'joe', 'pw')}", encoded("joe"), encoded("pw")
MAIL = ["MAIL FROM:<a@b.example>", "RCPT TO:<x@elsewhere.example>"]
LOGIN = ["AUTH LOGIN", NAME, PASSWORD]
STEPS: dict[str, Sequence[str]] = {
    "hung up before": ["EHLO c", "-hang up", PLAIN, *MAIL],
    "gone before": ["EHLO c", "-stop", PLAIN, *LOGIN[:1], *MAIL, "-start", PLAIN, *MAIL],
    "refuses before": ["EHLO c", "-refuse", PLAIN, "-start", *LOGIN, *MAIL],
    "another one before": ["EHLO c", "-stop", "-start", *LOGIN, *MAIL],
    "hung up within, before the name": ["EHLO c", "AUTH LOGIN", "-hang up", NAME, "NOOP", *MAIL[:1], "RSET", PLAIN, *MAIL],
    "hung up within, before the password": ["EHLO c", "AUTH LOGIN", NAME, "-hang up", PASSWORD, "NOOP", *LOGIN, *MAIL],
    "gone within": ["EHLO c", "AUTH LOGIN", NAME, "-stop", PASSWORD, PLAIN, *MAIL, "-start", *LOGIN, *MAIL[1:]],
    "another one within": ["EHLO c", "AUTH LOGIN", NAME, "-stop", "-start", PASSWORD, PLAIN, *MAIL],
    "gone within, and cancelled": ["EHLO c", "AUTH LOGIN", "-stop", "*", "AUTH LOGIN", "-start", PLAIN, *MAIL],
    "of another release within": ["EHLO c", "AUTH LOGIN", NAME, "-stop", "-start badly", PASSWORD, PLAIN, "-stop", "-start", PLAIN, *MAIL],
    "of another release before": ["EHLO c", "-stop", "-start badly", PLAIN, "-stop", "-start", *LOGIN, *MAIL],
    "slow": ["EHLO c", "-slow", *LOGIN, *MAIL],
    "gone behind": ["EHLO c", PLAIN, "-stop", *MAIL, "RSET", "EHLO c", *MAIL],
}
"""What a client says, and behind a dash what happens to the service meanwhile."""
SASLAUTHD = "pwcheck_method: saslauthd\nmech_list: plain login\nsaslauthd_path: {dir}/saslauthd/mux\n"

Start = Callable[[Instance], AbstractContextManager[object]]


def _auth_double(mta: Instance) -> AuthDouble:
    return AuthDouble(mta.queue_directory / "private/auth")


def _dovecot(mta: Instance) -> AbstractContextManager[None]:
    return authservers.dovecot(mta.directory / "dovecot", mta.queue_directory / "private/auth", {"joe": "pw"})


def _saslauthd_double(mta: Instance) -> SaslauthdDouble:
    return SaslauthdDouble(mta.directory / "saslauthd/mux")


def _saslauthd(mta: Instance) -> AbstractContextManager[Path]:
    return authservers.saslauthd(mta.directory / "saslauthd", [("joe", "mail.ours.example", "pw")])


def _play(mta: Instance, start: Start, path: Path, steps: Sequence[str]) -> None:
    mark = mta.log_mark()
    with ExitStack() as stack:
        service = stack.enter_context(start(mta))
        with mta.connect(STRANGER) as client:
            for step in [*steps, "QUIT"]:
                match step:
                    case "-hang up":
                        assert isinstance(service, AuthDouble)
                        service.hang_up()
                    case "-stop" | "-refuse":
                        stack.close()
                        if step == "-refuse":
                            with socket.socket(socket.AF_UNIX) as nobody:
                                nobody.bind(str(path))
                    case "-start":
                        path.unlink(missing_ok=True)
                        service = stack.enter_context(start(mta))
                    case "-start badly":
                        stack.enter_context(AuthDouble(path, greeting=b"VERSION\t2\t0\nMECH\tPLAIN\nDONE\n"))
                    case "-slow":
                        assert isinstance(service, AuthDouble)
                        service.delay = 1.0
                    case _:
                        mta.transcript += client.say(step)
        mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)


@pytest.fixture
def same(instance_pool: InstancePool) -> Callable[..., None]:
    """Play with both; replies and log lines must be the same."""
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def compare(start: Start, steps: Sequence[str], **arguments: Any) -> None:
        path = "saslauthd/mux" if arguments["files"] else "spool/private/auth"
        parity(lambda mta: _play(mta, start, mta.directory / path, steps), replace={"smtpd": "pyfix"}, logs="smtpd", **arguments)

    return compare


@pytest.mark.parametrize("name", STEPS)
def test_dovecots_protocol(same: Callable[..., None], name: str) -> None:
    same(_auth_double, STEPS[name], main=DOVECOT, files={})


@pytest.mark.parametrize("name", [name for name, steps in STEPS.items() if not {"-hang up", "-slow", "-start badly"} & set(steps)])
def test_saslauthds_protocol(same: Callable[..., None], name: str) -> None:
    same(_saslauthd_double, STEPS[name], main=CYRUS | {"cyrus_sasl_config_path": "$config_directory"}, files={"smtpd.conf": SASLAUTHD})


def test_dovecot(same: Callable[..., None]) -> None:
    same(_dovecot, STEPS["gone within"], main=DOVECOT, files={}, fresh=True)


def test_saslauthd(same: Callable[..., None]) -> None:
    same(_saslauthd, STEPS["gone within"], main=CYRUS | {"cyrus_sasl_config_path": "$config_directory"}, files={"smtpd.conf": SASLAUTHD})
