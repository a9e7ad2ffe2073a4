"""``make run``: a private instance in the foreground that shows at once that it works.

It starts the mail system, sends itself a message through SMTP, shows where that arrived, and stops with Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
import uuid
from email.message import EmailMessage
from pathlib import Path

from pyfix.install.accounts import caller
from pyfix.install.private import PrivateInstance, lay_out_private

_START = 20.0  # seconds until SMTP answers
_ARRIVAL = 20.0  # seconds until the first message is in its mailbox
_STOP = 15.0  # seconds until the mail system has stopped


def run_in_foreground(source: Path, folder: Path, port: int) -> int:
    """Run the private instance in *folder* until SIGINT or SIGTERM; return the exit status of the mail system.

    1 when it did not start.  A second one on the same folder or port is refused.
    """
    if _answers(port):
        return _failed(f"something already answers on 127.0.0.1:{port}; stop it, or: make run PORT=another")
    try:
        instance = lay_out_private(source, folder, port)
    except (LookupError, ValueError) as error:
        return _failed(str(error))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    argv = [str(instance.command_directory / "postfix"), "-c", str(instance.config_directory), "start-fg"]
    # A session of its own: Ctrl-C reaches this process alone, which then stops the others in order.
    system = subprocess.Popen(argv, start_new_session=True, stdin=subprocess.DEVNULL)
    threading.Thread(target=_show, args=(instance, port, system, stop), daemon=True).start()
    while system.poll() is None and not stop.wait(0.2):
        pass
    if system.poll() is None:
        _say("stopping")
        system.terminate()
        try:
            system.wait(_STOP)
        except subprocess.TimeoutExpired:
            os.killpg(system.pid, signal.SIGKILL)
            system.wait()
            return _failed("the mail system did not stop and was killed")
        _say("stopped")
        return 0
    return _failed(f"the mail system ended with status {system.returncode}")


def _show(instance: PrivateInstance, port: int, system: subprocess.Popen[bytes], stop: threading.Event) -> None:
    """Send the first message as soon as SMTP answers, and say where it arrived and what to do next."""
    address = f"{caller()}@localhost"
    token = f"{uuid.uuid4().hex}@localhost"
    message = EmailMessage()
    message["From"] = message["To"] = address
    message["Subject"] = "The first message"
    message["Message-ID"] = f"<{token}>"
    message.set_content("This message came in by SMTP, went through the queue and was delivered here.\n")
    end = time.monotonic() + _START
    while True:
        try:
            with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost", timeout=_START) as client:
                client.send_message(message, address, [address])
            break
        except ConnectionRefusedError:
            if time.monotonic() > end or system.poll() is not None or stop.wait(0.1):
                return
        except (OSError, smtplib.SMTPException) as error:
            _say(f"the first message was not accepted: {error}")
            return
    end = time.monotonic() + _ARRIVAL
    while (mailbox := _mailbox_with(instance.mail_spool_directory, token.encode())) is None:
        if time.monotonic() > end or stop.wait(0.1):
            _say(f"the first message has not arrived; see {instance.command_directory}/postqueue -p")
            return
    _say(
        f"SMTP is on 127.0.0.1:{port}.  The first message, to {address}, arrived in\n"
        f"      {mailbox}\n"
        f"    Configuration: {instance.config_directory}   Commands: {instance.command_directory}   Stop: Ctrl-C"
    )


def _mailbox_with(folder: Path, token: bytes) -> Path | None:
    """Return the file below *folder* that has *token* in it."""
    for path in folder.rglob("*"):
        try:
            if path.is_file() and token in path.read_bytes():
                return path
        except OSError:
            continue
    return None


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0):
            return True
    except OSError:
        return False


def _say(text: str) -> None:
    print(f"==> {text}", flush=True)


def _failed(text: str) -> int:
    print(f"==> {text}", file=sys.stderr, flush=True)
    return 1
