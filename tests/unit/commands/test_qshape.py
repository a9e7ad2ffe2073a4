"""qshape(1); that its tables are those of Postfix's is in tests/parity/commands."""

from __future__ import annotations

import pytest

from pyfix.commands import qshape
from pyfix.formats.records import encode_record
from tests.unit.commands.running import Done, call
from tests.unit.daemons.running import System


def run(*argv: str) -> Done:
    return call(qshape.main, *argv, name="qshape")


def test_a_table(mail: System) -> None:
    for number, domain in enumerate(("x.example", "y.example", "x.example")):
        path = mail.queue / "incoming" / f"ABCDE{number}"
        records = (("S", b"s@x"), ("R", b"r@" + domain.encode()), ("M", b""), ("N", b"x"), ("X", b""), ("E", b""))
        path.write_bytes(b"".join(encode_record(ord(kind), data) for kind, data in records))
        path.chmod(0o700)
    assert run("-b", "2").lines == [
        f"{'T':>74}{'5':>3}{'5+':>3}", f"{'TOTAL':>71}  3  3  0", f"{'x.example':>71}  2  2  0", f"{'y.example':>71}  1  1  0",
    ]  # fmt: skip
    assert [line.split()[:2] for line in run("-s").lines[1:]] == [["x", "3"], ["TOTAL", "3"]], "shorter names first"


@pytest.mark.parametrize("option", ["-h", "-x"])
def test_usage(mail: System, option: str) -> None:
    done = run(option)
    assert done.status == 255
    assert (done.err[0] == "qshape: Unknown option: x") == (option == "-x")
    assert any(line.startswith("Usage: qshape [ -s ]") for line in done.err)


def test_a_queue_that_is_missing(mail: System) -> None:
    done = run("nosuch")
    assert (done.status, done.err) == (0, ["Can't stat nosuch: No such file or directory"])
