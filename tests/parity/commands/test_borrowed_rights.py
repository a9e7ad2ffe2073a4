"""Whose configuration the set-gid commands follow when an ordinary user calls them.

Source: postconf(5) alternate_config_directories, multi_instance_directories; postdrop(1), postqueue(1).
"""

from __future__ import annotations

import grp
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit.site import Site

from .scripting import Script

pytestmark = [pytest.mark.reference, pytest.mark.root]

STANDARD = {
    "nothing": "",
    "alternate": "alternate_config_directories = /etc/other, /etc/evil\n",
    "instance": "multi_instance_directories =\n  /etc/evil\n  /etc/other\n",
    "set twice": "alternate_config_directories = /etc/evil\nalternate_config_directories = /etc/other\n",
    "a name": "own = /etc/evil\nalternate_config_directories = $own\n",
    "a slash": "alternate_config_directories = /etc/evil/\n",
    "a comment": "#alternate_config_directories = /etc/evil\n",
    "part of a name": "alternate_config_directories = /etc/evil2 etc/evil /etc/evil#\n",
    "no setting": "alternate_config_directories /etc/evil\nmulti_instance_directories = /etc/evil\n",
}
"""What main.cf of the default instance says of others."""
COMMANDS = (("postqueue", "-p"), ("postdrop",), ("postqueue", "-c", "/etc/evil", "-f"), ("postdrop", "-c", "/etc/evil"))


def _said(kind: str) -> list[object]:
    with Site(kind) as site:
        script = Script(site)
        main = (site.etc / "postfix/main.cf").read_text()
        (site.etc / "evil").mkdir()
        evil = site.etc / "evil/main.cf"
        evil.write_text(main.replace(str(site.queue_directory), f"{site.directory}/nowhere"))
        os.utime(evil, (1_000_000_000, 1_000_000_000))  # a younger one the reference reads again and again
        group = grp.getgrnam("postdrop").gr_gid
        borrowed = ["/usr/bin/setpriv", "--reuid=65534", "--rgid=65534", f"--egid={group}", "--clear-groups"]

        def call(words: tuple[str, ...]) -> object:
            environment = {} if "-c" in words else {"MAIL_CONFIG": "/etc/evil"}
            done = site.run(*borrowed, site.command_directory / words[0], *words[1:], environment=environment)
            return words, done.returncode, script.stable(done.stdout + done.stderr)

        said: list[object] = []
        with ThreadPoolExecutor(4) as pool:  # the reference's wait a second before they end
            for name, text in STANDARD.items():
                (site.etc / "postfix/main.cf").write_text(main + text)
                said += [(name, one) for one in pool.map(call, COMMANDS)]
            (site.etc / "postfix/main.cf").unlink()
            said += [("no file", one) for one in pool.map(call, COMMANDS)]
        return said


def test_a_strangers_configuration() -> None:
    """Only folders that the default instance names; as they stand there, and in any setting of the two."""
    theirs, ours = (_said(kind) for kind in ("reference", "pyfix"))
    for one, other in zip(theirs, ours, strict=True):
        assert other == one, f"the two sides differ:\n  reference: {one!r}\n  pyfix:     {other!r}"
    refused = [one for one in theirs if "unauthorized configuration directory" in repr(one)]
    assert 12 <= len(refused) < len(theirs)
