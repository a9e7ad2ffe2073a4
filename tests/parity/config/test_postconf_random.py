"""postconf(1) on random files with every construct: the same output, warnings and edited files on both sides.

By hand: ``PYFIX_SITES=1000:3000 .venv/bin/pytest tests/parity/config/test_postconf_random.py``.
"""

from __future__ import annotations

import os
import random
import re
from dataclasses import replace

import pytest

from tests.parity.config.conftest import NOISE, Done, Postconf
from tests.parity.config.site_at_random import CHANGES, SHOWN, site

pytestmark = pytest.mark.reference

FIRST, LAST = (int(number) for number in os.environ.get("PYFIX_SITES", "0:60").split(":"))
TOGETHER = 10
OF_THE_BUILD = re.compile(
    r'(\{"|)(alias_database|alias_maps|daemon_directory|default_cache_db_type|default_database_type|html_directory|mail_release_date'
    r"|manpage_directory|meta_directory|process_id|readme_directory|sample_directory|shlib_directory|tls_eecdh_auto_curves"
    r"|tls_ffdhe_auto_groups)\b|.*\b(cdb|lmdb|hash|btree):"
)
LOOP = "unreasonable macro call nesting"
"""Where names refer to each other in a ring, the one that is told of is by chance, and some rings end the reference by a signal."""


def comparable(done: Done) -> Done | None:
    """Return what both sides must have in common; None where nothing need be."""
    if done.status < 0 or any(LOOP in line for line in done.err):
        return None
    err = [line for line in done.err if not NOISE.match(line)]
    if any(line.startswith("fatal: ") for line in err):  # what comes before it is by chance
        return Done(done.status, [], [line for line in err if line.startswith("fatal: ")], done.files)
    return Done(done.status, [line for line in done.out if not OF_THE_BUILD.match(line)], err, done.files)


def with_their_braces(ours: Done, theirs: Done) -> Done:
    """Take the reference's line of master.cf where ours differs in braces only: see known_differences.py.

    It drops those that an argument behind the options needs to stay a single one, and we keep them.
    """
    mine, other = (done.files.get("master.cf", b"").split(b"\n") for done in (ours, theirs))
    if len(mine) != len(other):
        return ours
    chosen = [
        one if b"{" in line and line.translate(None, b"{}") == one.translate(None, b"{}") else line
        for line, one in zip(mine, other, strict=True)
    ]
    return replace(ours, files=ours.files | {"master.cf": b"\n".join(chosen)})


@pytest.mark.parametrize("start", range(FIRST, LAST, TOGETHER))
def test_sites(postconf: Postconf, start: int) -> None:
    """Three ways to show each, and one to change it."""
    compared = 0
    for seed in range(start, min(start + TOGETHER, LAST)):
        made = site(seed)
        source = random.Random(seed)
        requests = source.sample(SHOWN, 3)
        if "\0" not in made.main_cf:  # the reference drops what stands behind a null byte when it changes a file
            requests.append(source.choice(CHANGES))
        for request in requests:
            words = [word for word in request if word]
            reference = comparable(postconf.run("reference", made.main_cf, made.master_cf, *words))
            ours = comparable(postconf.run("pyfix", made.main_cf, made.master_cf, *words))
            if reference is not None and ours is not None:
                compared += 1
                if request in CHANGES and "master.cf" in reference.files:
                    ours = with_their_braces(ours, reference)
                assert ours == reference, f"seed {seed}: postconf {' '.join(words)}"
    assert compared > TOGETHER
