"""Parity of AUTH in smtpd: a whole reference beside a reference whose smtpd is ours, each with a double of what it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from tests.kit import requirements
from tests.kit.authdouble import MECHANISMS, AuthDouble, SaslauthdDouble
from tests.kit.instance import STRANGER, Instance
from tests.kit.parity import InstancePool, Parity
from tests.kit.smtp import Line
from tests.parity.known_differences import KNOWN_DIFFERENCES

DOVECOT = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_path": "private/auth",
    "smtpd_hard_error_limit": "1000",
    "smtpd_error_sleep_time": "0",
    "smtpd_junk_command_limit": "1000",
    "smtpd_authorized_xclient_hosts": "127.0.0.1",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
    "broken_sasl_auth_clients": "yes",
    "notify_classes": "",
}
CYRUS = DOVECOT | {"smtpd_sasl_type": "cyrus", "smtpd_sasl_path": "smtpd"}

Sessions = Iterable[Sequence[Line]]
Compare = Callable[..., list[str]]


@pytest.fixture
def same_with_dovecot(instance_pool: InstancePool) -> Compare:
    """Hold the same sessions with both; replies, log lines and what the double was asked must be the same."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def compare(
        sessions: Sessions,
        main: dict[str, str] | None = None,
        mechanisms: Sequence[str] = MECHANISMS,
        greeting: bytes | None = None,
        **arguments: Any,
    ) -> list[str]:
        sessions = list(sessions)

        def case(mta: Instance) -> list[str]:
            with AuthDouble(mta.queue_directory / "private/auth", mechanisms, greeting=greeting) as double:
                hold(mta, sessions)
                return [line for line in double.asked if line.startswith(("AUTH", "CONT"))]

        found = parity(case, main=DOVECOT | (main or {}), replace={"smtpd": "pyfix"}, logs="smtpd", **arguments)
        asked = found.result
        assert isinstance(asked, list)
        return asked

    return compare


@pytest.fixture
def same_with_cyrus(instance_pool: InstancePool) -> Compare:
    """Do the same with type cyrus; *conf* is its smtpd.conf, where {dir} is the instance's folder."""
    requirements.need_reference("reference")
    parity = Parity(instance_pool, KNOWN_DIFFERENCES, ("reference", "reference"))

    def compare(
        sessions: Sessions, conf: str, main: dict[str, str] | None = None, name: str = "smtpd", **arguments: Any
    ) -> list[tuple[str, ...]]:
        sessions = list(sessions)

        def case(mta: Instance) -> list[tuple[str, ...]]:
            with SaslauthdDouble(mta.directory / "saslauthd/mux") as double:
                hold(mta, sessions)
                return list(double.asked)

        settings = CYRUS | {"cyrus_sasl_config_path": "$config_directory"} | (main or {})
        files = {f"{name}.conf": conf, **arguments.pop("files", {})}
        found = parity(case, main=settings, files=files, replace={"smtpd": "pyfix"}, logs="smtpd", **arguments)
        asked = found.result
        assert isinstance(asked, list)
        return asked

    return compare  # type: ignore[return-value]  # what was asked is a list of other things here


def hold(mta: Instance, sessions: Sessions) -> None:
    """Hold sessions one after the other, and wait until each is over."""
    for lines in sessions:
        mark = mta.log_mark()
        mta.dialogue(*lines, client=STRANGER)
        mta.wait_for_log(r"smtpd\[\d+\]: (disconnect from|fatal)", since=mark)
