"""postconf(5) biff: what comsat(8) hears of mail that local(8) delivers, on a machine whose services(5) has another port for it.

Source: local(8); the datagrams of the reference.
"""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.servers import own_folder
from tests.parity.delivery.localmail import ACCOUNTS, MAIN, OURS, clean, send, write

pytestmark = [pytest.mark.reference, pytest.mark.root]


@pytest.mark.parametrize("wanted", ["yes", "no"])
def test_datagrams(exchanged: Parity, wanted: str) -> None:
    """For mailbox files of users, not for Maildirs, commands, and files that aliases name; the number is where mail begins."""
    with own_folder() as folder, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as comsat:
        comsat.bind(("127.0.0.1", 0))
        comsat.settimeout(20)
        services: Path = folder / "services"
        services.write_text(f"smtp 25/tcp mail\nbiff {comsat.getsockname()[1]}/udp comsat\n")
        services.chmod(0o644)

        def case(mta: Instance) -> list[str]:
            clean(mta)
            write(mta, "~bob/.forward", "~/Maildir/, \"|cat >/dev/null\"\n")
            for recipient in ("alice", "alice", "bob", "file", "carol+ext"):
                send(mta, f"{recipient}@localhost")
            comsat.sendto(b"end", comsat.getsockname())
            heard: list[str] = []
            while (datagram := comsat.recv(200)) != b"end":
                heard.append(datagram.decode())
            boxes = mta.directory / "localmail"
            assert [line.partition("@")[0] for line in heard] == (["alice", "alice", "carol"] if wanted == "yes" else [])
            assert not heard or (heard[0], heard[2]) == ("alice@0\0", "carol@0\0")
            assert not heard or 0 < int(heard[1].strip("\0").partition("@")[2]) < (boxes / "alice").stat().st_size
            return [line.partition("@")[0] for line in heard]

        main = {**MAIN, "biff": wanted}
        exchanged(case, main=main, files={"aliases": "file {dir}/out/f\n"}, accounts=ACCOUNTS, replace=OURS, mounts={"/etc/services": str(services)}, fresh=True)
