#!/usr/bin/env python3
"""A program of daemon_directory that tells its clients how master started it, and does what they say.

Each client gets one JSON line.  Then it may send a letter: ``x3`` exit with status 3, ``k9`` die by signal 9, ``t``
tell master that we are taken, ``a`` that we are available, ``q`` end quietly.  A closed connection changes nothing.
"""

import json
import os
import select
import signal
import socket
import stat
import struct
import sys

STATUS, LISTENER = 5, 6


def descriptor(fd: int) -> str:
    mode = os.fstat(fd).st_mode
    kinds = {stat.S_IFSOCK: "socket", stat.S_IFIFO: "pipe", stat.S_IFCHR: "device", stat.S_IFREG: "file"}
    kind = kinds[stat.S_IFMT(mode)]
    if kind == "device":
        return os.readlink(f"/proc/self/fd/{fd}")
    return f"{kind} {'blocking' if os.get_blocking(fd) else 'non-blocking'}"


def signals(name: str) -> list[int]:
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(name):
                mask = int(line.split()[1], 16)
    python_ignores = {signal.SIGPIPE, 25}  # and SIGXFSZ
    return [number for number in range(1, 32) if mask >> number - 1 & 1 and number not in python_ignores]


def report() -> dict[str, object]:
    descriptors = {fd: descriptor(fd) for fd in range(20) if os.path.exists(f"/proc/self/fd/{fd}")}
    environment = dict(os.environ)
    environment.pop("LC_CTYPE", None)  # Python's own
    return {
        "arguments": sys.argv[1:],
        "environment": {name: environment[name] for name in sorted(environment) if name != "GENERATION"},
        "generation": os.environ["GENERATION"],
        "descriptors": descriptors,
        "ignored": signals("SigIgn"),
        "blocked": signals("SigBlk"),
        "ids": [os.getresuid(), os.getresgid(), os.getgroups()],
        "in master's group": os.getpgrp() == os.getppid(),
        "cwd": os.getcwd(),
        "umask": os.umask(0o077),
        "pid": os.getpid(),
    }


def say(state: int) -> None:
    os.write(STATUS, struct.pack("=iIi", os.getpid(), int(os.environ["GENERATION"], 8), state))


def obey(client: socket.socket) -> None:
    while order := client.recv(3).decode():
        match order[0]:
            case "x":
                os._exit(int(order[1:]))
            case "k":
                os.kill(os.getpid(), int(order[1:]))
            case "t":
                say(0)
            case "a":
                say(1)
            case "q":
                sys.exit(0)
        client.sendall(b"ok\n")


def main() -> None:
    with open(__file__ + ".started", "a") as starts:
        starts.write(" ".join(sys.argv[1:]) + "\n")
    if "die" in sys.argv:
        sys.exit(1)
    count = int(sys.argv[sys.argv.index("-s") + 1]) if "-s" in sys.argv else 1
    listeners = {LISTENER + index: socket.socket(fileno=LISTENER + index) for index in range(count)}
    found = report()
    while True:
        ready, _, _ = select.select([STATUS, *listeners], [], [])
        if STATUS in ready:
            sys.exit(0)
        if listeners[ready[0]].type == socket.SOCK_DGRAM:
            data = listeners[ready[0]].recv(100)
            with open(__file__ + ".received", "ab") as received:
                received.write(data)
            continue
        client, _ = listeners[ready[0]].accept()
        client.setblocking(True)
        with client:
            try:
                client.sendall(json.dumps(found).encode() + b"\n")
                obey(client)
            except ConnectionError:
                pass


if __name__ == "__main__":
    main()
