"""Real servers for tables to ask, from Debian's packages: each in a folder of its own, on a free port of 127.0.0.1,
as an unprivileged user, ended by its process id.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwnam

from . import guardian, processes
from .certificates import Certificates
from .instance import FOLDER_VARIABLE
from .ports import ReservedPort

_SECONDS = 120.0
"""Most seconds for a server to be ready, and for what prepares it, on a machine that has much else to do."""


class ServerMissing(Exception):
    """A server is not installed; the text names Debian's package."""


def program(name: str, package: str, *places: str) -> str:
    """Return the path of a server's program.  Raises ServerMissing."""
    found = shutil.which(name, path=os.pathsep.join([*places, "/usr/sbin", "/usr/bin", "/sbin", "/bin"]))
    if found is None:
        raise ServerMissing(f"{name} (Debian's package {package}) is not installed")
    return found


def unprivileged() -> dict[str, object]:
    """Return the arguments that let subprocess run a program as nobody, where we are root."""
    if os.getuid() != 0:
        return {}
    account = getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def give_away(folder: Path) -> None:
    """Let nobody write to *folder*, where we are root."""
    if os.getuid() == 0:
        shutil.chown(folder, "nobody", getpwnam("nobody").pw_gid)


def _seeing(mounts: Mapping[str, str]) -> list[str]:
    """Return what lets a program that root starts see files of *mounts* in the place of others, as nobody."""
    script = "".join(f"mount --bind '{ours}' '{place}' && " for place, ours in mounts.items())
    return ["unshare", "--mount", "sh", "-c", f'{script}exec setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"', "sh"]


@contextmanager
def running(
    argv: Sequence[str | Path],
    port: int,
    log: Path,
    end_by: signal.Signals = signal.SIGTERM,
    *,
    mounts: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the end of the block; it listens on *port* when the block begins.

    *mounts*: files that it sees in the place of others, as Instance's; only for root.
    """
    words = [str(word) for word in argv]
    with log.open("wb") as output:
        process = subprocess.Popen(  # type: ignore[call-overload]  # keywords of any type
            [*_seeing(mounts), *words] if mounts else words,
            stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd="/", **({} if mounts else unprivileged()),
        )  # fmt: skip
    try:
        end = time.monotonic() + _SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise AssertionError(f"{argv[0]} does not start:\n{log.read_text(errors='replace')[-2000:]}") from None
                time.sleep(0.02)
        yield process
    finally:
        processes.end_child(process, by=end_by)


@contextmanager
def own_folder() -> Iterator[Path]:
    """Make a folder that the server's user reaches; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="pyfix-", dir=os.environ.get(FOLDER_VARIABLE)))
    guardian.watch(folder)
    folder.chmod(0o755)
    give_away(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def memcached() -> Iterator[int]:
    """Run memcached; yields its port."""
    port = ReservedPort()
    argv = [program("memcached", "memcached"), "-l", "127.0.0.1", "-p", str(port.number), "-U", "0", "-m", "8", "-t", "1"]
    with own_folder() as folder, running(argv, port.number, folder / "log"):
        yield port.number
    port.release()


def once(*argv: str | Path) -> None:
    """Run a program as nobody to its end.  Raises AssertionError with what it said when it fails."""
    done = subprocess.run(  # type: ignore[call-overload]  # keywords of any type
        [str(word) for word in argv], capture_output=True, text=True, check=False, timeout=_SECONDS, cwd="/", **unprivileged()
    )
    assert done.returncode == 0, f"{argv[0]}: {done.stdout[-1000:]}{done.stderr[-1000:]}"


@contextmanager
def postgresql(script: str, certificates: Certificates | None = None) -> Iterator[tuple[int, Path]]:
    """Run PostgreSQL with a database ``mail`` made by *script*; yields its port, and the folder with
    its socket.  Users ``mail`` (password ``secret``) and ``admin`` log in by password; with *certificates* over TLS,
    if they like.
    """
    places = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    initdb = program("initdb", "postgresql", *places)
    postgres, psql = (str(Path(initdb).with_name(name)) for name in ("postgres", "psql"))
    with own_folder() as folder:
        yield from _postgresql(folder, initdb, postgres, psql, script, certificates)


def _postgresql(
    folder: Path, initdb: str, postgres: str, psql: str, script: str, certificates: Certificates | None
) -> Iterator[tuple[int, Path]]:
    data, port, password = folder / "data", ReservedPort(), folder / "password"
    password.write_text("admin")
    password.chmod(0o644)
    auth = ("--auth=scram-sha-256", "--no-locale", "--no-sync", "-E", "UTF8")
    once(initdb, "-D", data, "-U", "admin", f"--pwfile={password}", *auth)
    options = ("fsync=off", "listen_addresses=127.0.0.1,127.0.0.2", f"unix_socket_directories={folder}", "shared_buffers=16MB", *_tls(folder, certificates))
    argv = [postgres, "-D", str(data), "-p", str(port.number), *(word for option in options for word in ("-c", option))]
    with running(argv, port.number, folder / "log", signal.SIGINT):  # at SIGTERM it waits for its clients
        uri = f"postgresql://admin:admin@127.0.0.1:{port.number}"
        end = time.monotonic() + _SECONDS
        while True:  # it listens before it is ready
            try:
                once(psql, "-q", f"{uri}/postgres", "-c", "select 1")
                break
            except AssertionError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        users = "create role mail login password 'secret'; create database mail owner mail;"
        for database, text in (("postgres", users), ("mail", script + "grant select on all tables in schema public to mail;")):
            for statement in filter(str.strip, text.split(";")) if database == "postgres" else [text]:
                once(psql, "-q", "-v", "ON_ERROR_STOP=1", f"{uri}/{database}", "-c", statement)
        yield port.number, folder
    port.release()


def _tls(folder: Path, certificates: Certificates | None) -> list[str]:
    """Return the options of PostgreSQL, which insists on a key that is its own."""
    if certificates is None:
        return []
    key = folder / "key"
    shutil.copyfile(certificates.key, key)
    key.chmod(0o600)
    give_away(key)
    return ["ssl=on", f"ssl_cert_file={certificates.certificate}", f"ssl_key_file={key}"]


@contextmanager
def mariadb(script: str, certificates: Certificates | None = None) -> Iterator[tuple[int, Path]]:
    """Run MariaDB with a database ``mail`` made by *script*; yields its port, and the folder with
    its ``socket``.  The user ``mail`` has the password ``secret``; with *certificates* it may use TLS.
    """
    server, install = program("mariadbd", "mariadb-server"), program("mariadb-install-db", "mariadb-server")
    client = program("mariadb", "mariadb-client")
    with own_folder() as folder:
        yield from _mariadb(folder, server, install, client, script, certificates)


def _mariadb(
    folder: Path, server: str, install: str, client: str, script: str, certificates: Certificates | None
) -> Iterator[tuple[int, Path]]:
    data, port = folder / "data", ReservedPort()
    # A server clears its folder for temporary tables when it starts: not one that another uses meanwhile.
    once(install, "--no-defaults", f"--datadir={data}", f"--tmpdir={folder}", "--auth-root-authentication-method=normal", "--skip-test-db")
    argv = [
        server, "--no-defaults", f"--datadir={data}", f"--socket={folder}/socket", f"--port={port.number}",
        f"--tmpdir={folder}", "--bind-address=127.0.0.1,127.0.0.2", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0",
    ]  # fmt: skip
    if certificates is not None:
        argv += [f"--ssl-ca={certificates.ca}", f"--ssl-cert={certificates.certificate}", f"--ssl-key={certificates.key}"]
    with running(argv, port.number, folder / "log"):
        users = "".join(
            f"create user 'mail'@'{place}' identified by 'secret'; grant all on mail.* to 'mail'@'{place}';"
            for place in ("127.0.0.1", "localhost")
        )
        text = f"set names utf8mb4; create database mail; use mail; {script} {users}"
        once(client, "--no-defaults", f"--socket={folder}/socket", "-u", "root", "-e", text)
        yield port.number, folder
    port.release()
