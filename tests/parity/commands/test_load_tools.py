"""smtp-source, smtp-sink, qmqp-source and qmqp-sink say, send and keep what the reference's do."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.kit.loadtools import conversation, sink, source
from tests.kit.smtp import Dialogue

pytestmark = [pytest.mark.reference, pytest.mark.root]

CLOSED = "127.0.0.3"
"""Where nobody listens; at 127.0.0.1 a smtp-sink that complains has done so for a moment."""
MESSAGE = [b"EHLO x\r\n", b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@d>\r\n", b"DATA\r\n", b"x\r\n..y\r\n.\r\n"]
EVERYTHING = [
    *(b"EHLO x\r\n", b"HELO y\r\n", b"HELO\r\n", b"MAIL FROM:<a@b>\r\n", b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@d>\r\n"),
    *(b"DATA\r\n", b"..x\r\n.\r\n", b"DATA\r\n", b"RCPT TO:<c>\r\n", b"VRFY x\r\n", b"NOOP\r\n", b"RSET\r\n"),
    *(b"XCLIENT NAME=x\r\n", b"XFORWARD NAME=x\r\n", b"AUTH PLAIN xx\r\n", b"FOO\r\n", b"MAIL FROM\r\n", b"\r\n"),
    *(b"LHLO x\r\n", b"MAIL FROM:<x\r\n", b"rcpt to:<>\r\n", b"QUIT\r\n"),
]


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ([], EVERYTHING),
        (["-L"], EVERYTHING),
        (["-L"], [b"LHLO x\r\n", b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@d>\r\n", b"DATA\r\n", b"x\r\n.\r\n", b"QUIT\r\n"]),
        (["-8", "-a", "-C", "-E", "-F", "-N", "-p", "-h", "hh"], EVERYTHING),
        (["-e"], EVERYTHING),
        (["-P"], MESSAGE),
        (["-r", "RCPT,vrfy"], [*MESSAGE[:3], b"VRFY x\r\n", b"DATA\r\n"]),
        (["-f", "rcpt .", "-B", "550 no"], [*MESSAGE[:3], b"DATA\r\n"]),
        (["-f", "."], MESSAGE),
        (["-r", ".", "-b", "451 later"], [*MESSAGE, *MESSAGE[1:]]),
        (["-q", "MAIL"], MESSAGE[:2]),
        (["-Q", "MAIL"], MESSAGE[:2]),
        (["-Q", "CONNECT"], []),
        (["-q", "CONNECT"], []),
        (["-f", "CONNECT"], MESSAGE[:2]),
        (["-r", "CONNECT"], [*MESSAGE[:2], b"QUIT\r\n"]),
        (["-f", "EHLO,QUIT"], [b"EHLO x\r\n", b"QUIT\r\n", b"NOOP\r\n"]),
        (["-A", "0"], [*MESSAGE[:4], b""]),
        (["-w", "1"], MESSAGE),
        (["-W", "mail:1", "-H", "1"], MESSAGE),
        (["-M", "1"], MESSAGE),
        (["-n", "1"], [*MESSAGE, b"QUIT\r\n"]),
    ],
)
def test_a_conversation_with_smtp_sink(options: list[str], lines: list[bytes]) -> None:
    theirs, ours = (conversation(kind, options, lines) for kind in ("reference", "pyfix"))
    assert ours == theirs


def _dumped(kind: str, folder: Path, option: str, *more: str) -> list[str]:
    folder.mkdir()
    folder.chmod(0o777)
    with sink(kind, "smtp-sink", option, f"{folder}/%Y/m.", *more) as server:
        for last in (b"QUIT\r\n", b"RSET\r\n"):
            with Dialogue("127.0.0.1", server.port) as client:
                lines = [*MESSAGE, b"MAIL FROM:<e@f> SIZE=1\r\n", b"RCPT TO:<g> NOTIFY=NEVER\r\n", b"RCPT TO:<h>\r\n"]
                for line in [*lines, b"DATA\r\n", b".\r\n", last]:
                    client.say(line)
    files = [path for path in folder.rglob("*.*") if path.is_file()]
    texts = sorted(re.sub(r"id \w{8}|\t\w{3}, .* \(\w+\)", "<>", path.read_text()) for path in files)
    names = [re.sub(r"\w{8}$", "<>", str(path.relative_to(folder))) for path in files]
    return [*names, *(f"{path.stat().st_mode:o}" for path in files), *texts]


@pytest.mark.parametrize("options", [["-d"], ["-D", "-S", r"From \101\t\\\n"], ["-d", "-e", "-h", "sink.example"]])
def test_dumped_messages(options: list[str]) -> None:
    with TemporaryDirectory() as folder:  # not below pytest's, which nobody else may walk through
        Path(folder).chmod(0o755)
        theirs, ours = (_dumped(kind, Path(folder) / kind, *options) for kind in ("reference", "pyfix"))
    assert ours == theirs


class Server(threading.Thread):
    """Takes what a generator sends, and answers as it is told."""

    def __init__(self, connections: int, refuse: bytes = b"", each: int = 0) -> None:
        super().__init__(daemon=True)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(20)
        self.port: int = self._listening.getsockname()[1]
        self._connections = connections
        self._refuse = refuse
        self._each = each
        """Replies to a message, 0 for one."""
        self.said: list[bytes] = []

    def run(self) -> None:
        with self._listening:
            for _ in range(self._connections):
                try:
                    self._serve(self._listening.accept()[0])
                except ConnectionResetError:
                    self.said.append(b"<reset>")
                except TimeoutError:
                    return

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            connection.settimeout(20)
            connection.sendall(b"220-a\r\n220 b\r\n")
            in_data = False
            for line in lines:
                self.said.append(line)
                if self._refuse and line.startswith(self._refuse):
                    in_data = False
                    connection.sendall(b"500-x\r\n500 bad\r\n")
                elif in_data:
                    if line == b".\r\n":
                        in_data = False
                        connection.sendall(b"250 ok\r\n" * max(self._each, 1))
                elif line.startswith(b"DATA"):
                    in_data = True
                    connection.sendall(b"354 go\r\n")
                else:
                    connection.sendall(b"250 ok\r\n")


def _sent(kind: str, options: list[str], connections: int, refuse: bytes = b"", each: int = 0) -> list[object]:
    server = Server(connections, refuse, each)
    server.start()
    status, said = source(kind, "smtp-source", server.port, *options)
    server.join(25)
    text = b"".join(line for line in server.said if line != b"<reset>").decode()
    text = re.sub(r"Date: .*|<[0-9a-f]+\.[0-9a-f]+\.", "<>", text)
    return [status, said, text]


@pytest.mark.parametrize(
    ("options", "connections", "refuse", "each"),
    [
        ([], 1, b"", 0),
        (["-m", "2", "-d", "-l", "100", "-S", "hello", "-f", "a@b", "-t", "c@d", "-r", "2"], 1, b"", 0),
        (["-m", "2", "-l", "200", "-o", "-f", "a@b", "-t", "c@d", "-c"], 2, b"", 0),
        (["-F", "<file>", "-M", "my.host", "-N", "-t", "x"], 1, b"", 0),
        (["-L", "-r", "2", "-l", "930", "-M", "[127.0.0.1]"], 1, b"", 2),
        (["-o", "-l", "80"], 1, b"", 0),
        (["-o", "-l", "81"], 1, b"", 0),
        (["-m", "2", "-d", "-w", "1"], 1, b"", 0),
        (["-A"], 1, b"MAIL", 0),
        ([], 1, b"MAIL", 0),
        (["-A", "-r", "2"], 1, b"RCPT", 0),
        (["-A", "-r", "2"], 1, b"RCPT TO:<foo0", 0),
        (["-A", "-d", "-m", "2"], 1, b"DATA", 0),
        (["-A"], 1, b".\r\n", 0),
        ([], 1, b".\r\n", 0),
        ([], 1, b"HELO", 0),
    ],
)
def test_what_smtp_source_sends(
    tmp_path: Path, options: list[str], connections: int, refuse: bytes, each: int
) -> None:
    (tmp_path / "m").write_text("Subject: x\n\n.dot\nline\n")
    options = [str(tmp_path / "m") if option == "<file>" else option for option in options]
    theirs, ours = (_sent(kind, options, connections, refuse, each) for kind in ("reference", "pyfix"))
    assert ours == theirs


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(("smtp-source", options.split()) for options in (
            "", "-Z", "-m 0 h", "-m x h", "-s 0 h", "-C 0 h", "-r 0 h", "-T -5 h", "-l -5 h", "-F /nowhere h",
            "-w 1 -R 1 h", "-M bad..name h", "-M [bad] h", f"{CLOSED}:1", "unix:/nowhere", "a b",
        )),
        *(("smtp-sink", options.split()) for options in (
            "", "-Z", "127.0.0.1:1 5", "-u nobody -f FOO 127.0.0.1:1 5", "-u nouser 127.0.0.1:1 5",
            "-u nobody -m 0 127.0.0.1:1 5", "-u nobody -b 250 127.0.0.1:1 5", "-u nobody -W MAIL 127.0.0.1:1 5",
            "-u nobody -W FOO:1 127.0.0.1:1 5", "-u nobody -W MAIL:1:100 127.0.0.1:1 5",
            "-u nobody -d a -D b 127.0.0.1:1 5", "-u nobody 192.0.2.1:25252 5", "-n x", "-t x", "-M 1",
        )),
        *(("qmqp-source", options.split()) for options in ("", "-Z", "-m 0 h", "-l x h", f"{CLOSED}:1", "a b")),
        *(("qmqp-sink", options.split()) for options in ("", "-Z", "-x x 127.0.0.1:1 5", "127.0.0.1:1")),
    ],
)  # fmt: skip
def test_complaints(name: str, options: list[str]) -> None:
    theirs, ours = (source(kind, name, 0, *options) for kind in ("reference", "pyfix"))
    assert ours == theirs


@pytest.mark.parametrize("sender", ["reference", "pyfix"])
@pytest.mark.parametrize("receiver", ["reference", "pyfix"])
def test_each_talks_to_each(sender: str, receiver: str) -> None:
    with sink(receiver, "smtp-sink", "-c", "-M", "60") as server:
        assert source(sender, "smtp-source", server.port, "-m", "40", "-s", "7", "-l", "100000") == (0, "")
        assert source(sender, "smtp-source", server.port, "-m", "19", "-s", "3", "-d", "-r", "5") == (0, "")
        source(sender, "smtp-source", server.port)
        assert server.end() == 0
        assert b"mesg=60" in server.output
    with sink(receiver, "qmqp-sink", "-c", "-x", "5") as server:
        assert source(sender, "qmqp-source", server.port, "-m", "30", "-s", "4", "-r", "3") == (0, "")
        assert server.end() == 0
        assert server.output.endswith(b"30\r")


def _qmqp(kind: str, options: list[str], reply: bytes) -> list[object]:
    taken: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            data = b""
            while not (b":" in data and len(data) > int(data.partition(b":")[0]) + len(data.partition(b":")[0]) + 1):
                data += connection.recv(65536)
            taken.append(data)
            connection.sendall(reply)

    thread = threading.Thread(target=serve, daemon=True)
    with listening:
        thread.start()
        status, said = source(kind, "qmqp-source", listening.getsockname()[1], *options)
        thread.join(20)
    # Process ids differ in length, and with them what of the payload has room.
    text = re.sub(rb"Date: .*|Message-Id: .*|X{3,}|\n", b"", taken[0])
    return [status, said, len(taken[0]), text]


@pytest.mark.parametrize(
    ("options", "reply"),
    [
        ([], b"3:Kok,"),
        (["-r", "3", "-f", "a@b", "-t", "c@d", "-l", "2000"], b"3:Kok,"),
        (["-l", "3"], b"1:K,"),
        ([], b"4:Zbad,"),
        ([], b"4:Dbad,"),
        ([], b"4:xbad,"),
        ([], b"nothing"),
    ],
)
def test_what_qmqp_source_sends(options: list[str], reply: bytes) -> None:
    theirs, ours = (_qmqp(kind, options, reply) for kind in ("reference", "pyfix"))
    assert ours == theirs
