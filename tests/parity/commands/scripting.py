"""Commands run one after the other in a machine of a test's own, on both sides, and what they said."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.kit.site import SETPRIV, Site

_PROGRAMS = re.compile(r"^(command|daemon|manpage|readme|shlib)_directory = |^(mailq|newaliases|sendmail)_path = |LD_PRELOAD=")
_HOW_INSTALLED = re.compile(r"maildrop is open to all users")


class Script:
    """Runs commands in a site, and remembers what they said, without what differs between the two sides."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.said: list[object] = []

    def __call__(self, *words: str, environment: dict[str, str] | None = None, nobody: bool = False) -> None:
        """Run a command with its words; ``<DIR>`` in them is the site's folder."""
        own = [word.replace("<DIR>", str(self.site.directory)) for word in words]
        if nobody:
            own = [*SETPRIV, str(self.site.command_directory / own[0]), *own[1:]]
        done = self.site.run(*own, environment=environment)
        lines = self.stable(done.stdout + done.stderr)
        self.said.append((words, done.returncode, lines))

    def multi(self, *words: str) -> None:
        """Run postmulti."""
        self("postmulti", *words)

    def stable(self, data: bytes) -> list[str]:
        text = data.decode().replace(str(self.site.command_directory), "<COMMANDS>")
        text = text.replace(str(self.site.daemon_directory), "<DAEMONS>").replace(str(self.site.directory), "<DIR>")
        text = re.sub(r"PID: \d+", "PID: <PID>", text)
        text = re.sub(r"(main.cf, line) \d+", r"\1 <N>", text)
        return [line for line in text.splitlines() if not _HOW_INSTALLED.search(line)]

    def file(self, name: str) -> None:
        """Remember the lines of main.cf or master.cf of an instance that do not name programs."""
        lines = self.stable((self.site.etc / name).read_bytes())
        self.said.append(sorted(line for line in lines if not _PROGRAMS.search(line)))

    def tree(self, *names: str) -> None:
        """Remember owner and mode of all folders and files of instances."""
        for name in names:
            self.said.append(self.site.tree(name))


def compare(case: Callable[[Any], None], script: type[Script] = Script, **arguments: Any) -> list[Any]:
    """Run a case, which gets a *script*, on both sides in sites of their own; fail unless they say and make the same."""
    seen = []
    for kind in ("reference", "pyfix"):
        with Site(kind, **arguments) as site:
            run = script(site)
            case(run)
            seen.append(run.said)
    theirs, ours = seen
    for one, other in zip(theirs, ours, strict=True):
        assert other == one, f"the two sides differ:\n  reference: {one!r}\n  pyfix:     {other!r}"
    return ours
