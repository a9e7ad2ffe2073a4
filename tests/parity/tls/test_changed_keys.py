"""Tables of keys by name, and keys of clients, that change while the system runs: who has the new ones when.

Source: postconf(5) tls_server_sni_maps; postmap(1) -F; DATABASE_README (daemons restart when an indexed file has changed);
postconf(5) max_use.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import time

import pytest

from tests.kit.instance import STRANGER, Instance
from tests.kit.normalise import Normaliser
from tests.kit.parity import Parity
from tests.kit.tls import FAILED, TlsDialogue, World, client_context
from tests.kit.tlspeer import Manner, Server

pytestmark = [pytest.mark.reference, pytest.mark.root]

FIRST = "ec.example {w}/ec.chain\n.rsa.example {w}/rsa.chain\nboth.example {w}/rsa.chain, {w}/ec.chain\n"
SECOND = "ec.example {w}/self.chain\nnew.example {w}/ec.chain\n"
NAMES = ("ec.example", "EC.example", "a.rsa.example", "b.a.rsa.example", "rsa.example", "both.example", "new.example", "other.example", "")


def _visit(mta: Instance, name: str) -> None:
    mark = mta.log_mark()
    with TlsDialogue(mta.host, mta.port, STRANGER) as dialogue:
        dialogue.say_all(["EHLO x", "STARTTLS"])
        found = dialogue.secure(client_context(), name=name)
        mta.transcript.append(f"{name}: {found}")
        if found != FAILED:
            dialogue.say_all(["QUIT"])
    mta.wait_for_log(r"smtpd\[\d+\]: disconnect from", since=mark)


def _make(mta: Instance, world: World, kind: str, text: str, age: float) -> None:
    """Make the table, and set its file's time back: the reference tells one state from another by seconds."""
    path = mta.write("names", text.replace("{w}", str(world.folder)))
    done = mta.run("postmap", "-F", f"{kind}:{path}")
    assert done.returncode == 0, done.stderr
    for file in path.parent.glob("names.*b"):
        os.utime(file, (time.time() - age, time.time() - age))


@pytest.mark.parametrize("kind", ["hash", "cdb"])
def test_names(parity: Parity, world: World, kind: str) -> None:
    def case(mta: Instance) -> None:
        _make(mta, world, kind, FIRST, 120)
        mta.start()
        for name in NAMES:
            _visit(mta, name)
        _make(mta, world, kind, SECOND, 60)
        for name in NAMES:
            _visit(mta, name)
        for name in ("ec.example", "new.example", "rsa.example"):
            done = mta.run("postmap", "-Fq", name, f"{kind}:{mta.config_directory}/names")
            mta.transcript.append(f"{name}: {done.returncode} {done.stdout.decode()}")
        mta.settle()
        logged = Normaliser(mta.directory, mta.port).log(mta.log_lines())["postfix/smtpd"]
        shown = [line for line in logged if not re.search("hash/btree support is deprecated|NON_BERKELEYDB_README", line)]
        # Both open the table anew for the next client; with which client the process that has it open says goodbye is not compared.
        mta.transcript += [line for line in shown if "restarting" not in line]

    main = {
        "tls_server_sni_maps": f"{kind}:{{dir}}/etc/names", "smtpd_tls_security_level": "may", "smtpd_tls_loglevel": "1", "max_idle": "600",
        "smtpd_tls_chain_files": world.file("ed.chain"),
    }  # fmt: skip

    def stopped(mta: Instance) -> None:
        mta.stop()
        mta.forget()
        case(mta)

    seen = parity(stopped, main=main, fresh=True)
    assert [line.rpartition("CN=")[2] for line in seen.transcript if line.startswith("ec.example: TLS")] == ["ec.example,O=Testing", "self.example,O=Testing"]


CASES = {"the same process": "-o max_idle=600", "a process for each": "-o max_use=1"}


@pytest.mark.parametrize("name", CASES)
def test_keys_of_clients(parity: Parity, world: World, name: str) -> None:
    """smtp keeps what it has read, and its successor reads again."""

    def case(mta: Instance) -> None:
        mta.stop()
        service = f"tried unix - - n - 1 smtp {CASES[name]} -o syslog_name=tried\n"
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = Server(world, Manner(asks=True), listener, sessions=3)
            mta.write("transport", f"x.example tried:[127.0.0.1]:{listener.getsockname()[1]}\n")
            mta.write("master.cf", (mta.config_directory / "master.cf").read_text() + service)
            for number, owner in enumerate(("client", "client", "client2")):
                for kind in ("pem", "key"):
                    shutil.copyfile(world.file(f"{owner}.{kind}"), mta.write(f"own.{kind}", ""))
                if not number:
                    mta.start()
                queue_id = mta.send_message("user@x.example", sender="")
                mta.wait_for_log(rf"{queue_id}: removed", seconds=60)
            server.close()
        mta.transcript += server.said

    main = {
        "smtp_tls_security_level": "encrypt", "smtp_tls_cert_file": "{dir}/etc/own.pem", "smtp_tls_key_file": "{dir}/etc/own.key",
        "transport_maps": "texthash:{dir}/etc/transport", "smtp_connection_cache_on_demand": "no",
    }  # fmt: skip
    seen = parity(case, main=main, files={"transport": ""}, fresh=True)
    shown = [line.partition("CN=")[2] for line in seen.transcript if line.startswith("TLSv1.3")]
    assert shown == ["client.example,O=Testing"] * 2 + ["client.example,O=Testing" if name == "the same process" else "client2.example,O=Testing"]
