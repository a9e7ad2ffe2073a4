"""A site: its folder of configuration files, laid out in an instance with the ports and servers of a test.

The files are as a site has them, but for words in braces: {dir} (the instance's folder), {port}, {submission}, {reinject} (its ports),
{peer} (the port of the mail servers of others), {policy}, {database}, {mariadb}, {tls} (a folder of certificates), and {shipped}: the services
of the master.cf that Postfix ships.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.kit.instance import Instance
from tests.kit.parity import InstancePool, discard
from tests.kit.programs import settings
from tests.kit.services import STANDARD

SITES = Path(__file__).resolve().parent
_SHIPPED = STANDARD.partition("\n")[2]
_OF_THE_TEST = ("queue_directory", "data_directory", "maillog_file", "maillog_file_prefixes", "mail_spool_directory", "smtpd_peername_lookup")
"""Parameters of an instance that no site says: where it is."""


@dataclass(frozen=True)
class Site:
    """What a site's files are to say in this test."""

    name: str
    words: Mapping[str, str]
    mounts: Mapping[str, str]
    more: Mapping[str, str] = field(default_factory=dict)
    """Parameters that a test changes, where the world of a test has no other way."""


class SitePool(InstancePool):
    """Starts instances of a site, which are not used again."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site

    def take(self, key: str, arguments: Mapping[str, Any]) -> Instance:
        """Return a running instance of the site."""
        instance = Instance(arguments["kind"], accounts=("alice",), mounts=self._site.mounts)
        try:
            _lay_out(instance, self._site)
            instance.start()
        except BaseException:
            discard(instance)
            raise
        instance.forget()
        return instance

    def give_back(self, key: str, instance: Instance) -> None:
        """End it: the next site has another."""
        discard(instance)


def _lay_out(instance: Instance, site: Site) -> None:
    folder = SITES / site.name
    words = {
        **site.words, "dir": str(instance.directory), "port": str(instance.port), "submission": str(instance.another_port()),
        "reinject": str(instance.another_port()), "shipped": _SHIPPED,
    }  # fmt: skip

    def filled(text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda word: words.get(word[1], word[0]), text)

    for path in folder.iterdir():
        if path.name not in ("main.cf", "database.sql", "mariadb.sql", "users.sql"):
            instance.write(path.name, filled(path.read_text()))
    if (folder / "users.sql").exists():
        users = instance.config_directory / "users.sqlite"
        with sqlite3.connect(users) as database:
            database.executescript((folder / "users.sql").read_text())
        users.chmod(0o644)
    programs = settings(instance.kind) | {name: instance.main[name] for name in _OF_THE_TEST}
    ours = {**programs, "smtp_tcp_port": site.words["peer"], "smtpd_error_sleep_time": "0", "smtp_connection_cache_on_demand": "no", "lmtp_connection_cache_on_demand": "no", **site.more}
    text = filled((folder / "main.cf").read_text())
    instance.main = ours
    instance.write("main.cf", text + "".join(f"{name} = {value}\n" for name, value in ours.items()))
    instance.main = {**ours, "submission": words["submission"], "reinject": words["reinject"]}
    for name in sorted({*re.findall(r"lmdb:\S*/etc/(\w+)", text)} - {"aliases"}):
        done = instance.run("postmap", f"lmdb:{instance.config_directory}/{name}")
        assert done.returncode == 0, done.stderr
    if f"lmdb:{instance.directory}/etc/aliases" in text:
        done = instance.run("newaliases")
        assert done.returncode == 0, done.stderr
