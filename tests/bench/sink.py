"""A server that takes mail and throws it away, for both sides alike: the reference's smtp-sink."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import create_connection

from tests.kit.ports import ReservedPort
from tests.kit.reference import reference

DOMAIN = "sink.example"
_SECONDS = 20.0


@contextmanager
def smtp_sink() -> Iterator[dict[str, str]]:
    """Run smtp-sink; yields the main.cf parameters that send mail for DOMAIN to it."""
    port = ReservedPort()
    place = f"127.0.0.1:{port.number}"
    process = subprocess.Popen([str(reference().command_directory / "smtp-sink"), "-u", "nobody", place, "1000"])
    try:
        end = time.monotonic() + _SECONDS
        while True:
            try:
                create_connection(("127.0.0.1", port.number), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise AssertionError("smtp-sink does not start") from None
                time.sleep(0.02)
        yield {"transport_maps": f"inline:{{{DOMAIN}=smtp:[127.0.0.1]:{port.number}}}"}
    finally:
        process.terminate()
        process.wait(10)
        port.release()
