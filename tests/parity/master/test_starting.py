"""How a program of daemon_directory finds itself when master has started it.  Source: master(5), master(8)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

from .probing import FILES, PROGRAM, Visitor, stable, visit

pytestmark = [pytest.mark.reference, pytest.mark.root]

SERVICES = {
    "plain": f"plain unix - - n - - {PROGRAM}",
    "single": f"single unix n n n - 1 {PROGRAM}",
    "unlimited": f"unlimited unix n - n - 0 {PROGRAM}",
    "jailed": f"jailed unix n n y - 5 {PROGRAM}",
    "passed": f"passed pass n - n - 5 {PROGRAM}",
    "passed1": f"passed1 pass n - n - 1 {PROGRAM}",
    "worded": f"worded unix n - n - - {PROGRAM} -o a=b -o {{ c = d e }} {{ }} {{ x}} -v",
}
PATHS = {"plain": "private/plain"}


def seen(mta: Instance, service: str) -> dict[str, Any]:
    report = visit(mta, PATHS.get(service, f"public/{service}"))
    del report["pid"], report["generation"]
    environment = report["environment"]
    report["environment"] = {name: stable(mta, value) for name, value in environment.items() if name != "TZ"}
    report["cwd"] = stable(mta, report["cwd"])
    return report


@pytest.mark.parametrize("service", SERVICES)
def test_local_services(parity: Parity, service: str) -> None:
    """Command line, environment, descriptors, signals, ids of the services that listen below the spool."""

    def case(mta: Instance) -> dict[str, Any]:
        return seen(mta, service)

    report = parity(case, master=SERVICES, files=FILES).result
    assert report["descriptors"]["3"] == report["descriptors"]["4"] == "pipe non-blocking"


IMPORTED = ("SET=1 {SP=a b} { X = y } EMPTY= NOSUCH", "LANG=C, { KEEP }, A=1=2 A=3", "B=$mail_name,C=$nosuch {}")


@pytest.mark.parametrize("words", IMPORTED)
def test_environment(parity: Parity, words: str) -> None:
    """What import_environment keeps and sets, in each of its forms."""
    main = {"import_environment": f"{words}, MAIL_CONFIG MAIL_LOGTAG POSTLOG_SERVICE POSTLOG_HOSTNAME"}
    report = parity(lambda mta: seen(mta, "plain")["environment"], master=SERVICES, files=FILES, main=main).result
    assert {"X", "A", "B"} & report.keys()


@pytest.mark.parametrize(
    "fields", ["n - n - -", "n - n - 1", "n - n - 0", "n - y - 2"], ids=["default", "single", "unlimited", "jailed"]
)
def test_internet_service(parity: Parity, fields: str) -> None:
    """The same for a service on a port of the loopback interface, which needs no stress option."""

    def case(mta: Instance) -> dict[str, Any]:
        report = visit(mta, mta.port)
        return {name: report[name] for name in ("descriptors",)} | {
            "arguments": [stable(mta, word) for word in report["arguments"]]
        }

    parity(case, master={"127.0.0.1:{port}": f"127.0.0.1:{{port}} inet {fields} {PROGRAM}"}, files=FILES)


def test_two_addresses(parity: Parity) -> None:
    """A service without a host listens on each address of inet_interfaces, and the program gets ``-s 2``."""

    def case(mta: Instance) -> list[Any]:
        report = visit(mta, mta.port)
        return [[stable(mta, word) for word in report["arguments"]], report["descriptors"]]

    line = f"{{port}} inet n - n - - {PROGRAM}"
    main = {"inet_interfaces": "127.0.0.1, ::1", "inet_protocols": "all"}
    result = parity(case, main=main, master={"127.0.0.1:{port}": line}, files=FILES).result
    assert result[0][-2:] == ["-s", "2"]


def test_generation_counts_in_octal(parity: Parity) -> None:
    """Each process has the next number of GENERATION, in octal; on a busy machine one more may have begun and ended."""

    def case(mta: Instance) -> bool:
        words = []
        for _ in range(9):
            words.append(visit(mta, "public/single")["generation"])
            Visitor(mta, "public/single").order("q")
        steps = [int(after, 8) - int(before, 8) for before, after in pairwise(words)]
        return all(1 <= step <= 2 for step in steps) and steps.count(1) >= 4

    assert parity(case, master=SERVICES, files=FILES).result is True
