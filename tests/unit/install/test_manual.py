"""How pages are completed; what the pages themselves must say is in tests/unit/install/test_pages.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.config.families import FAMILIES
from pyfix.install.__main__ import main
from pyfix.install.described import described
from pyfix.install.manual import finished, write_pages

CHECKOUT = Path(__file__).resolve().parents[3]


def test_parameters_of_a_program() -> None:
    text = finished('.Sh PARAMETERS\n.\\" PARAMETERS anvil(8)\n.Sh SEE ALSO\n', CHECKOUT)
    assert text.startswith(".Sh PARAMETERS\n.Bl -tag -width Ds\n.It Va \\%anvil_rate_time_unit Pq ")
    assert text.endswith(".El\n.Sh SEE ALSO\n")
    assert '.It Va \\%anvil_status_update_time Pq "\\&600s"\n' in text


def test_a_program_without_parameters() -> None:
    assert finished('.\\" PARAMETERS nothing(8)\n', CHECKOUT) == "None.\n"


def test_all_parameters() -> None:
    lines = finished('.\\" ALL PARAMETERS\n', CHECKOUT).splitlines()
    names = [line.split()[2].removeprefix("\\%") for line in lines if line.startswith(".It Va ")]
    assert names == list(described())
    at = lines.index(".It Va \\%max_use")
    assert lines[at + 1 : at + 6] == [
        "Requests after which a daemon ends and another takes its place.",
        ".br",
        "Integer, at least 1.",
        "Default: 100.",
        "Read by every program.",
    ]


def test_families() -> None:
    text = finished('.\\" FAMILIES\n', CHECKOUT)
    assert text.count(".It Ar service Ns Va ") == len(FAMILIES)


def test_services_are_those_of_the_shipped_master_cf() -> None:
    text = finished('.\\" SERVICES bounce\n', CHECKOUT)
    assert [line.split()[0] for line in text.splitlines()[1:-1]] == ["bounce", "defer", "trace"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (".Xr local 8 .", ".Nm ."),
        (".Xr qmgr 8 ,", ".Xr qmgr 8 ,"),
        (".Xr no-such-program 8 ,", "no\\-such\\-program(8),"),
    ],
)
def test_references_lead_somewhere(line: str, shown: str) -> None:
    assert finished(f".Dt LOCAL 8\n{line}\n", CHECKOUT).splitlines()[1] == shown


def test_make_man(tmp_path: Path) -> None:
    assert main(["manual", str(CHECKOUT), str(tmp_path / "man")]) == 0
    assert len(list((tmp_path / "man").rglob("*.[158]"))) == len(list((CHECKOUT / "man").rglob("*.[158]")))


def test_pages_are_replaced_and_readable(tmp_path: Path) -> None:
    page = tmp_path / "man8/smtpd.8"
    page.parent.mkdir()
    page.write_text("old")
    write_pages(CHECKOUT, tmp_path)
    assert page.read_text().startswith(".Dd ") and page.stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "man1/mailq.1").read_text() == (tmp_path / "man1/sendmail.1").read_text()
    assert not list(tmp_path.rglob(".*"))
    assert not [path for path in tmp_path.rglob("*.[158]") if '.\\"' in path.read_text()]
