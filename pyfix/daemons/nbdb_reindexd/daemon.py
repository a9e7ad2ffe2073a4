"""nbdb_reindexd(8): make the table that takes the place of a Berkeley DB file, when a daemon misses it.

Source: nbdb_reindexd(8); postfix-non-bdb(1); postconf(5) non_bdb_migration_level, non_bdb_custom_mapping.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pyfix.config.parameters.databases import DatabaseSettings
from pyfix.config.parameters.nbdb_reindexd import ReindexSettings
from pyfix.config.snapshot import Snapshot
from pyfix.daemons.nbdb_reindexd.safety import Refused, owner_of_table
from pyfix.daemons.nbdb_reindexd.sourceform import command_for
from pyfix.formats.attributes import AttributeListError, decode_pairs
from pyfix.protocols.internal.nbdb_reindex import DONE, FAILED, PROTOCOL, Reindex, ReindexReply
from pyfix.runtime.child import Invocation
from pyfix.runtime.daemon import Daemon, run
from pyfix.runtime.identity import Owner
from pyfix.runtime.ipc import handshake, receive_list
from pyfix.runtime.log import log
from pyfix.runtime.stream import Stream
from pyfix.runtime.threads import in_thread
from pyfix.tables.maps import Maps
from pyfix.tables.source import table_class
from pyfix.tables.table import TableError

if TYPE_CHECKING:
    import subprocess

_DEFAULTS: Final = {"hash": "default_database_type", "btree": "default_cache_db_type"}
"""Which parameter names the type in the place of each one of Berkeley DB."""
_ENABLED: Final = "enable-reindex"
_PATH: Final = "/bin:/usr/bin:/sbin:/usr/sbin"


class ReindexDaemon(Daemon):
    """Runs postmap(1) or postalias(1) with the rights of a table's owner, one request after the other."""

    program = "nbdb_reindexd"
    capacity = 1
    process_limit = 1
    privileged = True

    def __init__(self, invocation: Invocation, snapshot: Snapshot) -> None:
        super().__init__(invocation, snapshot)
        self.settings = ReindexSettings(snapshot)
        self.settings.check()
        self._databases = DatabaseSettings(snapshot)
        self._mapping = Maps("non_bdb_custom_mapping", self._databases.non_bdb_custom_mapping, snapshot)

    async def serve(self, stream: Stream) -> None:
        """Answer one request."""
        stream.write(handshake(PROTOCOL))
        where = f"{self.invocation.service} socket"
        try:
            data = await receive_list(stream)
            if data is None:
                return
            pairs = decode_pairs(data)
            for (found, _value), expected in zip(pairs, ("nbdb_type", "nbdb_path"), strict=False):
                if found != expected:
                    log.warning(f"unexpected attribute {found} from {where} (expecting: {expected})")
                    return
            request = Reindex.from_pairs(pairs)
        except AttributeListError as error:
            log.warning(error.complaint(where))
            return
        if len(pairs) > 2:
            log.warning(f"unexpected attribute {pairs[2][0]} from {where} (expecting: (list terminator))")
        try:
            await self._make(request)
        except Refused as reason:
            log.warning(f"request to index {request.nbdb_type}:{request.nbdb_path} failed: {reason}")
            stream.write(ReindexReply(FAILED, str(reason)).encode())
        else:
            stream.write(ReindexReply(DONE, "").encode())

    async def _make(self, request: Reindex) -> None:
        if self._databases.non_bdb_migration_level != _ENABLED:
            raise Refused("the nbdb_reindex service is disabled")
        kind = self._new_type(request.nbdb_type)
        path = request.nbdb_path
        target = f"{path}{_suffix(kind)}"
        if _is_made(target):
            log.info(f"target file '{target}' already exists, skipping this request")
            return
        uid, gid = owner_of_table(
            path,
            self.settings.non_bdb_migration_allow_root_prefixes,
            self.settings.non_bdb_migration_allow_user_prefixes,
        )
        command = command_for(_text(path, uid, gid))
        shown = f"{command} {kind}:{path}"
        argv = [os.path.join(self.settings.command_directory, command), f"{kind}:{path}"]
        process = self._started(argv, uid, gid)
        _, said = await in_thread(process.communicate)
        if process.returncode != 0:
            _remove(target, uid, gid)
            last = said.decode("utf-8", "surrogateescape").strip().splitlines()[-1:] or [f"status {process.returncode}"]
            raise Refused(f"could not execute command '{shown}': {last[0]}")
        log.info(f"successfully executed '{shown}' as uid {uid}")

    def _new_type(self, legacy: str) -> str:
        """Return the table type in the place of one of Berkeley DB.  Raises Refused where there is none."""
        parameter = _DEFAULTS.get(legacy)
        if parameter is None:
            raise Refused(f"request to map from non-Berkeley-DB type: '{legacy}'")
        try:
            found = self._mapping.find_now(legacy)
        except TableError as error:
            raise Refused(str(error)) from None
        kind = found or self.snapshot.value(parameter)
        if kind in _DEFAULTS:
            raise Refused(f"mapping from '{legacy}' to legacy type '{kind}'")
        return kind

    def _started(self, argv: Sequence[str], uid: int, gid: int) -> subprocess.Popen[bytes]:
        import subprocess

        environment = {"MAIL_CONFIG": self.snapshot.config_directory, "PATH": _PATH, "LC_ALL": "C"}
        if "TZ" in os.environ:
            environment["TZ"] = os.environ["TZ"]
        try:
            with Owner(0, 0).rights():
                return subprocess.Popen(
                    argv,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    user=uid,
                    group=gid,
                    extra_groups=[],
                    umask=0o022,
                )
        except OSError as error:
            raise Refused(f"could not execute command '{argv[0]}': {error.strerror}") from None


def _suffix(kind: str) -> str:
    """Return how the name of an indexed file of a type ends.  Raises Refused for one that has no such file."""
    try:
        suffix: str = getattr(table_class(kind), "suffix", "")
    except TableError as error:
        log.warning(str(error))
        raise Refused(f"mapping to unsupported database type: '{kind}'") from None
    if not suffix:
        raise Refused(f"non-Berkeley-DB type '{kind}' has no known suffix")
    return suffix


def _is_made(target: str) -> bool:
    """Tell whether a table is there; an empty file is what is left of an attempt."""
    try:
        return os.stat(target).st_size > 0
    except OSError:
        return False


def _text(path: str, uid: int, gid: int) -> str:
    """Return a source file's text, read with its owner's rights.  Raises Refused."""
    try:
        with Owner(uid, gid).rights():
            if os.path.isdir(path):
                return ""  # the command says what it thinks of it
            with open(path, encoding="utf-8", errors="surrogateescape") as stream:
                return stream.read()
    except OSError as error:
        raise Refused(f"open lookup table source file {path} as uid={uid} gid={gid}: {error.strerror}") from None


def _remove(target: str, uid: int, gid: int) -> None:
    """Remove what a command that failed has left behind, so that the next request begins anew."""
    try:
        with Owner(uid, gid).rights():
            os.unlink(target)
    except OSError:
        pass


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    """Run under master(8), pyfix's or Postfix's; return the exit status."""
    return run(ReindexDaemon, argv)
