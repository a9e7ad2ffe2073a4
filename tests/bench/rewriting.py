"""What a large site asks of cleanup: 200 rules for headers, and a table of 100,000 virtual aliases, the same for both sides."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.rows import ALIASED, DISCARD
from tests.kit.reference import reference

RULES = 200
ENTRIES = 100_000
_DOMAIN = ALIASED.rpartition("@")[2]
_KINDS = (
    "/^Subject: .*\\bcheap word%d\\b/i REJECT no", "/^X-Mailer: Tool %d[.]/ WARN tool", "/^(From|To): .*@site%d[.]example>?$/ INFO site",
    "/^Received: from \\S*host%d[.]/ IGNORE", "/^Content-(Type|Disposition): .*name=.*kind%d/ HOLD",
)  # fmt: skip


@contextmanager
def rules_and_aliases() -> Iterator[dict[str, str]]:
    """Write the rules and build the table; yields the main.cf parameters for them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "rules").write_text("".join(_KINDS[number % len(_KINDS)] % number + "\n" for number in range(RULES)))
        table = folder / "aliases"
        table.write_text("".join(f"user{number}@{_DOMAIN} {DISCARD}\n" for number in range(ENTRIES)))
        config = folder / "main.cf"
        config.write_text("".join(f"{key} = {value}\n" for key, value in reference().settings().items()))
        postmap = reference().command_directory / "postmap"
        subprocess.run([postmap, "-c", folder, f"hash:{table}"], check=True, capture_output=True)
        yield {"header_checks": f"pcre:{folder}/rules", "virtual_alias_maps": f"hash:{table}", "virtual_alias_domains": _DOMAIN}
