"""Berkeley DB's own library, through Perl's DB_File: what it makes of our files, and files of its own.

Postfix's tables have the library's default page size and the machine's byte order; with
the library at hand, tests can have others.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from . import requirements

_PROGRAM = r"""
use strict; use DB_File; use Fcntl;
my ($kind, $size, $order, $path) = @ARGV;
my $info = $kind eq "hash" ? $DB_HASH : $DB_BTREE;
$info->{$kind eq "hash" ? "bsize" : "psize"} = $size if $size;
$info->{lorder} = $order if $order;
my %table;
my $db = tie %table, "DB_File", $path, O_RDWR | O_CREAT, 0644, $info or die "tie: $!\n";
while (<STDIN>) {
    chomp; my ($action, $key, $value) = split / /, $_, 3;
    if ($action eq "+") { $table{pack "H*", $key} = pack "H*", $value } else { delete $table{pack "H*", $key} }
}
while (my ($key, $value) = each %table) { print unpack("H*", $key), " ", unpack("H*", $value), "\n" }
undef $db; untie %table or die "untie: $!\n";
"""


@cache
def _there() -> bool:
    try:
        return subprocess.run(["perl", "-MDB_File", "-e", "1"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def change(
    path: Path,
    kind: str,
    put: Mapping[bytes, bytes] | None = None,
    remove: Iterable[bytes] = (),
    *,
    page_size: int = 0,
    order: int = 0,
) -> dict[bytes, bytes]:
    """Let the library put and then remove entries; return all that the file then has, as it sees it.

    *kind* is hash or btree.  *page_size* and *order* (1234 or 4321) are for a file that is made new.
    """
    if not _there():
        requirements.missing("needs Perl's DB_File")
    commands = [f"+ {key.hex()} {value.hex()}" for key, value in (put or {}).items()] + [f"- {key.hex()}" for key in remove]
    done = subprocess.run(
        ["perl", "-e", _PROGRAM, kind, str(page_size), str(order), str(path)],
        input="\n".join(commands), capture_output=True, check=False, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pairs = (line.split(" ") for line in done.stdout.splitlines())
    return {bytes.fromhex(key): bytes.fromhex(value) for key, value in pairs}
