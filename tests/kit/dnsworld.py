"""A DNS of the test's own, for both sides alike: a real name server, a few names that misbehave, and resolv.conf.

    with DnsWorld(ZONES, scripts={"servfail.example": rcode("SERVFAIL")}) as world:
        with Instance("reference", mounts=world.mounts) as mta: ...

nsd (Debian's) has the zones.  In front of it, on port 53 of a loopback address of its own, stands a ``DnsDouble``, which
plays the names that have scripts and passes everything else on.  The mail systems see the files of ``mounts`` in the
place of the machine's own, in a mount namespace; nothing changes for others.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import dns.exception
import dns.message
import dns.query

from . import guardian, processes, requirements
from .dnsdouble import DnsDouble, Script
from .ports import ReservedPort

SERVER_PORT: Final = 5300
"""Where nsd listens, at the world's address."""
_SOA: Final = "@ 300 SOA ns.invalid. root.invalid. 1 3600 600 86400 60\n@ 300 NS ns.invalid.\n"
_CONFIGURATION: Final = """\
server:
  ip-address: {address}@{port}
  do-ip6: no
  username: ""
  chroot: ""
  server-count: 1
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  xfrdir: "{folder}"
  logfile: "{folder}/nsd.log"
remote-control:
  control-enable: no
"""
_ZONE: Final = 'zone:\n  name: "{name}"\n  zonefile: "{file}"\n'

HOSTS: Final = "127.0.0.1 localhost\n::1 localhost\n"
"""The hosts file that mail systems see by default."""


class DnsWorld:
    """The servers; ``front.asked`` has what was asked."""

    def __init__(
        self,
        zones: Mapping[str, str],
        scripts: Mapping[str, Script] | None = None,
        *,
        options: str = "timeout:1 attempts:1",
        hosts: str = HOSTS,
    ) -> None:
        """*zones*: lines ``owner [ttl] type data`` by the zone's name; SOA and NS records are added where there is no SOA record.

        The zone ``.`` is there in any case, so that no name is unknown to the server.  What lies below another zone of
        *zones* belongs into that one.  *options*: the line ``options`` of resolv.conf.
        """
        requirements.need_root()
        for program in ("nsd", "unshare"):
            if shutil.which(program) is None:
                requirements.missing(f"{program} is not there: apt-get install nsd util-linux")
        self._number = ReservedPort()
        number = self._number.number
        self.address = f"127.53.{number >> 8}.{number & 255}"
        self.directory = Path(tempfile.mkdtemp(prefix="pyfix-dns-"))
        self.directory.chmod(0o755)
        guardian.watch(self.directory)
        self._server: subprocess.Popen[bytes] | None = None
        self._lay_out({".": "", **zones}, options, hosts)
        try:
            self.front = DnsDouble(
                "", scripts, address=self.address, port=53, upstream=(self.address, SERVER_PORT)
            )  # fmt: skip
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def mounts(self) -> dict[str, str]:
        """What mail systems see in the place of files of the machine: ``Instance(mounts=...)``."""
        names = ("resolv.conf", "hosts", "nsswitch.conf")
        return {f"/etc/{name}": str(self.directory / name) for name in names}

    def _lay_out(self, zones: Mapping[str, str], options: str, hosts: str) -> None:
        files = {"resolv.conf": f"nameserver {self.address}\noptions {options}\n", "hosts": hosts}
        files["nsswitch.conf"] = "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"
        configuration = _CONFIGURATION.format(address=self.address, port=SERVER_PORT, folder=self.directory)
        for position, (name, records) in enumerate(zones.items()):
            file = f"zone{position}"
            files[file] = records if " SOA " in records else zone_text(name, records)
            configuration += _ZONE.format(name=name, file=file)
        files["nsd.conf"] = configuration
        for file, text in files.items():
            (self.directory / file).write_text(text)
            (self.directory / file).chmod(0o644)

    def _start(self) -> None:
        argv = ["nsd", "-d", "-c", str(self.directory / "nsd.conf")]
        self._server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        query = dns.message.make_query(".", "SOA")

        def answers() -> bool:
            with suppress(OSError, dns.exception.DNSException):
                return bool(dns.query.udp(query, self.address, timeout=1, port=SERVER_PORT).answer)
            return False

        if not processes.wait_until(answers, 20):
            log = self.directory / "nsd.log"
            raise AssertionError(f"nsd does not answer: {log.read_text() if log.exists() else 'and has no log'}")

    def close(self) -> None:
        """End the servers."""
        if hasattr(self, "front"):
            self.front.close()
        if self._server is not None:
            self._server.terminate()
            try:
                self._server.wait(10)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
        self._number.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def zone_text(name: str, records: str) -> str:
    """Return a zone's file: *records*, and before them what every zone has."""
    origin = "." if name == "." else f"{name}."
    return f"$ORIGIN {origin}\n$TTL 300\n{_SOA}{_unindented(records)}"


def _unindented(records: str) -> str:
    """Return the records without blanks before them, which would mean the owner of the line before."""
    return "".join(f"{line.strip()}\n" for line in records.splitlines())
