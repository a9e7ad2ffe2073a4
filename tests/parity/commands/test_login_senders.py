"""Who may send as whom with sendmail(1).  Source: postconf(5) local_login_sender_maps; postdrop(1)."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.kit import programs
from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

TABLES = (
    "", "static:*", "inline:{root=a@x.example}", "inline:{{root=A@x.example, @Y.example Lp null}}", "inline:{root=*}", "fail:x",
    "inline:{nobody=a@x.example}, static:lp", "inline:{{uid:0=*}}", "inline:{{uid:4711=@x.example null}}", "static:@", "static:*@x.example", "static:<>",
    "texthash:/nonexistent", "nonsense", "static:{b c@x.example}",
)  # fmt: skip
NOBODY = ("setpriv", "--reuid=4711", "--regid=postdrop", "--clear-groups")
"""With the group of postdrop(1) already, so that it trusts the environment."""
SENDERS = ("a@x.example", "A@X.example", "a+ext@x.example", "b@y.EXAMPLE", "lp", "<>", "LP+x@", '"b c"@x.example', "\u00e4@x.example")


def test_senders(parity: Parity) -> None:
    """Each table with each kind of sender, what the command says, and what is in the queue then."""

    def run(mta: Instance, sender: str, *before: str) -> tuple[int, list[str]]:
        words = [*before, str(mta.command_directory / "sendmail"), "-f", sender, "user@ours.example"]
        environment = {**mta.environment, **programs.hasty(mta.kind)}
        done = subprocess.run(words, input=b"x\n", env=environment, capture_output=True, check=False, timeout=30)
        return done.returncode, (done.stdout + done.stderr).decode().splitlines()

    def case(mta: Instance) -> list[Any]:
        said = []
        with ThreadPoolExecutor(4) as pool:
            for table in TABLES:
                mta.write_main(local_login_sender_maps=table)
                asked = [(sender, ()) for sender in SENDERS[: None if "{{root" in table else 1]] + [(SENDERS[0], NOBODY)]
                said.append((table, list(pool.map(lambda words: run(mta, words[0], *words[1]), asked))))
        mta.run("postsuper", "-d", "ALL")
        return said

    main = {"recipient_delimiter": "+", "empty_address_local_login_sender_maps_lookup_key": "null"}
    parity(case, main=main, fresh=True)
