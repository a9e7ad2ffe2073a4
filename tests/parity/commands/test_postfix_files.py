"""What ``postfix set-permissions`` and its relatives make of postfix-files.  Source: postfix(1), postfix-files."""

from __future__ import annotations

import os

import pytest

from tests.kit.site import Site

from .scripting import Script, compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

COMMANDS = ("set-permissions", "create-missing", "upgrade-permissions")
PLACE = "$data_directory/x"


class Files(Script):
    """Runs post-install in a site with files that belong to somebody else."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.place = self.site.data_directory / "x"
        self.place.mkdir()

    def begin(self, *lines: str) -> None:
        """Lay out files and folders that are as they should not be, and a list."""
        self.list("postfix-files", *lines)
        for name in ("dir", "dir/deep"):
            (self.place / name).mkdir(exist_ok=True)
        for name in ("file", "dir/inner", "dir/deep/inner"):
            (self.place / name).touch()
        for name, target in (("link", "file"), ("dangling", "nowhere")):
            if not (self.place / name).is_symlink():
                (self.place / name).symlink_to(target)
        for path in sorted(self.place.rglob("*")):
            os.lchown(path, 1, 1)
            if not path.is_symlink():
                path.chmod(0o666 if path.is_file() else 0o777)

    def list(self, name: str, *lines: str) -> None:
        """Write a list."""
        path = self.site.meta_directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line.replace('X', PLACE)}\n" for line in lines))

    def run(self, *commands: str) -> None:
        """Run commands of post-install, and remember what they said and left."""
        self("postfix", "post-install", *commands)
        for path in sorted(self.place.rglob("*")):
            status = path.lstat()
            self.said.append((path.name, oct(status.st_mode), status.st_uid, status.st_gid))


ENTRIES = (
    "X/file:f:root:-:644", "X/file:f:$mail_owner:$setgid_group:2755:u", "X/dir:d:$mail_owner:$setgid_group:710:ur", "X/dir:d:root:-:755:r",
    "X/new:d:nobody:-:711:c", "X/new:d:$mail_owner:-:700:uc", "X/new:d:root:-:755:u", "X/new/deeper:d:root:-:755:uc", "X/file/x:d:root:-:755:c",
    "X/missing:f:root:-:644:u", "X/missing:f:root:-:644:o", "X/file:f:root:-:644:uo", "X/file:f:nobody:-:600:u1", "X/a:l:X/file", "X/a:h:X/file",
    "X/link:f:root:-:600:u", "X/dangling:f:root:-:600:u", "X/file:z:root:-:644", "X/file:f:nosuchuser:-:644:u", "X/file:f:root:-:99z:u",
    "X/file:f:root:nosuchgroup:644:u", "X/dir:f:root:-:644:u", "X/file:d:root:-:755:u", "$nosuch/x:f:root:-:644:u", "/nowhere:f:root:-:644:u",
    "short", "# X/file:f:root:-:644:u", "", "X/file:f:root:-:0644:u", "X/file:f:root::640:u",
)  # fmt: skip


@pytest.mark.parametrize("part", range(3))
def test_entries(part: int) -> None:
    """Each kind of entry, with each command, one after the other."""

    def case(files: Files) -> None:
        for entry in ENTRIES[part::3]:
            for command in COMMANDS:
                files.begin(entry)
                files.run(command)
                if (files.place / "new").is_dir():
                    (files.place / "new").rmdir()

    compare(case, Files)


def test_several_lists() -> None:
    """Those of postfix-files.d come behind, and an error ends it all."""

    def case(files: Files) -> None:
        files.begin("X/file:f:root:-:644:u", "X/dir:d:root:-:755:u")
        files.list("postfix-files.d/a", "X/dir/inner:f:nobody:-:640:u")
        files.list("postfix-files.d/b.files", "X/missing:f:root:-:644:u")
        files.list("postfix-files.d/c", "X/file:f:nobody:-:600:u")
        files.run("set-permissions")
        files("postfix", "set-permissions", "mail_owner=postfix")
        files("postfix", "check")

    compare(case, Files)


def test_parameters_of_an_installation() -> None:
    """They go to main.cf, all of them, if one is new; what is obsolete is told of."""

    def case(files: Files) -> None:
        obsolete = ("X/file:f:root:-:644:o", "X/dir/inner:f:root:-:644:uo", "X/dir:d:root:-:755:o", "X/missing:f:root:-:644:o")
        files.begin("X/new:d:root:-:755:uc", *obsolete)
        for words in (
            ("set-permissions", "mail_owner=postfix"), ("upgrade-configuration",), ("post-install", "upgrade-configuration"),
            ("upgrade-configuration", "html_directory=<DIR>/html"), ("post-install", "create-missing", "readme_directory=/x", "data_directory="),
            ("post-install", "create-missing", "nonsense=x"), ("post-install", "create-missing", "mail_owner=nosuchuser"),
        ):
            files("postfix", *words)
            files.file("postfix/main.cf")

    compare(case, Files)
