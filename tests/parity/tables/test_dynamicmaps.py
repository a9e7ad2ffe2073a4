"""dynamicmaps.cf: types of tables that come from libraries; here those that can't be loaded, and files that are malformed.

Source: postconf(5) shlib_directory, meta_directory.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kit import programs, requirements, servers
from tests.kit.instance import Instance
from tests.kit.parity import Parity
from tests.kit.syslog import SystemLog

from .conftest import Both, Done, make_old

pytestmark = [pytest.mark.reference, pytest.mark.root]

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
ENDINGS = [
    ("-q", "a", "foo:x"), ("foo:source",), ("-i", "foo:source"), ("-d", "a", "foo:source"), ("-s", "foo:source"), ("foo:nosuch",),
    ("-q", "a", "inline:{a=b}", "foo:x"), ("-q", "c", "inline:{a=b}", "foo:x"), ("-q", "a", "unionmap:{foo:x}"),
]  # fmt: skip


class Meta:
    """The folders that meta_directory and shlib_directory of both sides name."""

    def __init__(self, both: Both, folder: Path) -> None:
        self.both = both
        self.libraries = folder / "lib"
        self.libraries.mkdir()
        self.top = folder / "meta"
        self.top.mkdir()
        self.file = self.top / "dynamicmaps.cf"
        self.more = self.top / "dynamicmaps.cf.d"
        both.unheard = ("hash/btree support is deprecated",)
        both.write("source", "a b\n")
        for place in both.folders.values():
            path = place / "etc/main.cf"
            lines = [line for line in path.read_text().splitlines() if not line.startswith(("meta_directory", "shlib_directory"))]
            lines += [f"meta_directory = {self.top}", f"shlib_directory = {self.libraries}"]
            path.write_text("".join(f"{line}\n" for line in lines))
            make_old(path)

    def say(self, text: str | bytes) -> None:
        """Write dynamicmaps.cf."""
        self.file.write_bytes(text.encode() if isinstance(text, str) else text)

    def ask(self, command: str, *arguments: str) -> Done:
        """Run a command on both sides, insist on the same messages, to the letter, and return ours."""
        theirs, ours = (self.both.run(kind, command, *arguments) for kind in ("reference", "pyfix"))
        said = [line.replace(f"{programs.command_directory('reference')}/", "") for line in theirs.err]
        assert (theirs.status, said) == (ours.status, ours.err)
        if arguments != ("-m",):
            assert theirs.out == ours.out
        elif theirs.status == 0:
            # Debian's has no mongodb, and what other packages of its add is not there.
            built_in = {"mongodb", "ldap", "lmdb", "cdb", "mysql", "pcre", "pgsql", "sqlite"}
            assert [name for name in theirs.out.splitlines() if name not in built_in] == [
                name for name in ours.out.splitlines() if name not in built_in
            ]
        return ours


@pytest.fixture
def meta(both: Both, tmp_path: Path) -> Meta:
    """Both sides with empty folders for libraries."""
    return Meta(both, tmp_path)


@pytest.mark.parametrize(
    "line", ["foo foo.so o", "foo foo.so o m", "foo /nosuch/foo.so o m", "foo sub/../x.so o m", "bar bar.so o", None]
)
def test_a_type_whose_library_is_missing(meta: Meta, line: str | None) -> None:
    """Asked, made, changed and listed; with the types that need no library nothing changes."""
    if line is not None:
        meta.say(f"# types\n\n{line}\n")
    for words in ENDINGS:
        meta.ask("postmap", *words)
    meta.ask("postalias", "-q", "a", "foo:x")
    listed = meta.ask("postconf", "-m").out.splitlines()
    assert ("foo" in listed) == (line is not None and line.startswith("foo"))
    said = meta.ask("postmap", "-q", "a", "foo:x").err
    assert said[-1] == "postmap: fatal: unsupported dictionary type: foo"
    assert len(said) == (1 if line is None else 2)


@pytest.mark.parametrize(
    "text",
    [
        "foo\n", "foo foo.so\n", "foo foo.so o m x\n", "foo foo.so\n o m\n", "foo foo.so o # x\n", "  # x\n", " \n", "\t\n", "\r\n", "foo,foo.so,o\n",
        'foo "foo.so o" m x\n', "\n\n#\n\nfoo", "foo a b\nfoo a b\nfoo\n", "  foo foo.so o m\n", "foo a b c", "f:oo a b\nFOO a b\nzoo a b\n", "foo $x {b} c\r\n",
        "foo\ta\v b\f x\n", "foo a b\0 c d e\n\0bar\nbaz a b\n", "f\u00e4 a b\n", "foo a b\nfoo c d\nbar a b\nbar a b\n", "inline a b\nsqlite a b\nhash a\n", "hash a b\n", "",
    ],
)  # fmt: skip
def test_lines(meta: Meta, text: str) -> None:
    """What is malformed ends each command that has to do with tables, whatever it is asked."""
    meta.say(text)
    for words in (("-q", "a", "foo:x"), ("-q", "a", "inline:{a=b}"), ("foo:source",), (), ("-j", "inline:x"), ("-b", "inline:x"), ("-m", "inline:x")):
        meta.ask("postmap", *words)
    for words in (("-q", "a", "inline:{a=b}"), (), ("-j", "inline:x")):
        meta.ask("postalias", *words)
    meta.ask("postconf", "-m")
    meta.ask("postconf", "-l")


def test_the_folder_beside_it(meta: Meta) -> None:
    """All files in it count, whatever their names."""

    def both_ask() -> list[str]:
        meta.ask("postconf", "-m")
        return meta.ask("postmap", "-q", "a", "foo:x").err

    meta.more.mkdir()
    assert len(both_ask()) == 1  # there is no file
    (meta.more / "a.cf").write_text("")
    assert "package installed?" in both_ask()[0]
    for name in ("b.cf", "c", ".cf", "d.cf~"):
        (meta.more / name).write_text(f"foo {name}.so o\n")
        both_ask()
    meta.say("foo first.so o\n")
    assert both_ask()[-2].endswith("/first.so: No such file or directory)")
    (meta.more / "folder").mkdir()
    (meta.more / "nowhere").symlink_to("/nosuch")
    assert len(both_ask()) == 6
    (meta.more / "b.cf").write_text("\n\nfoo\n")
    assert "b.cf, line 3: Expected" in both_ask()[-1]
    shutil.rmtree(meta.more)
    meta.more.write_text("")
    assert "directory open failed" in both_ask()[0]
    meta.more.unlink()
    meta.file.unlink()
    meta.file.mkdir()
    both_ask()
    meta.file.rmdir()
    meta.file.symlink_to("/nosuch")
    both_ask()
    meta.file.unlink()
    meta.file.symlink_to(meta.file)
    both_ask()


@pytest.mark.parametrize("mode", [0o644, 0o664, 0o646, 0o600])
@pytest.mark.parametrize("owner", [0, 65534])
def test_a_library_that_is_none(meta: Meta, owner: int, mode: int) -> None:
    """One that others may write is not looked at."""
    library = meta.libraries / "foo.so"
    library.write_bytes(b"no library" * 100)
    library.chmod(mode)
    shutil.chown(library, owner)
    meta.say("foo foo.so o m\nbar /etc o\n")
    for words in (*ENDINGS, ("-q", "a", "bar:x")):
        meta.ask("postmap", *words)
    assert len(meta.ask("postmap", "-q", "a", "foo:x").err) == (1 if not owner and not mode & 0o022 else 2)


def test_a_library_without_the_functions(meta: Meta) -> None:
    """Both of them are looked up, whatever is asked for; one that has them is of no use to pyfix."""
    source = meta.libraries / "foo.c"
    source.write_text("int foo_open(void) { return 0; }\nint foo_make(void) { return 0; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-nostdlib", "-o", meta.libraries / "foo.so", source], check=True, timeout=60)
    for functions in ("nosuch", "nosuch foo_make", "foo_open nosuch"):
        meta.say(f"foo foo.so {functions}\n")
        for words in (("-q", "a", "foo:x"), ("foo:source",)):
            assert "undefined symbol: nosuch" in meta.ask("postmap", *words).err[0]
    meta.say("foo foo.so foo_open foo_make\n")
    assert meta.both.run("pyfix", "postmap", "-q", "a", "foo:x") == Done(
        1,
        "",
        [
            f"postmap: warning: unsupported dictionary type: foo ({meta.libraries}/foo.so: pyfix cannot use libraries that are made for Postfix)",
            "postmap: fatal: unsupported dictionary type: foo",
        ],
    )


def test_files_that_may_not_be_read() -> None:
    """Asked by a user who may not."""
    requirements.need_reference()
    with servers.own_folder() as folder:
        both = Both(folder)
        meta = Meta(both, folder)
        meta.say("foo foo.so o\n")
        meta.more.mkdir()
        (meta.more / "bar").write_text("bar bar.so o\n")

        def said(kind: str) -> list[str]:
            words = [*NOBODY, str(programs.command_directory(kind) / "postmap"), "-q", "a", "foo:x"]
            environment = {"MAIL_CONFIG": str(both.folders[kind] / "etc"), "PATH": "/usr/bin:/bin"}
            done = subprocess.run(words, env=environment, capture_output=True, check=False, timeout=60)
            return done.stderr.decode().splitlines()

        for path, mode, words in (
            (meta.file, 0o600, "dynamicmaps.cf: file open failed: Permission denied"),
            (meta.file, 0o644, "/foo.so: No such file or directory"),
            (meta.more, 0o700, "dynamicmaps.cf.d: directory open failed: Permission denied"),
            (meta.more, 0o755, "/foo.so: No such file or directory"),
            (meta.more / "bar", 0o600, "dynamicmaps.cf.d/bar: file open failed: Permission denied"),
        ):
            path.chmod(mode)
            theirs, ours = said("reference"), said("pyfix")
            assert theirs == ours
            assert words in ours[0]


@pytest.mark.parametrize(
    ("text", "fatal"), [("foo foo.so o\nfoo x y\n", "no"), ("bar bar.so o\n", "no"), ("foo foo.so o m\n", "yes"), ("foo /etc o\n", "no")]
)
def test_daemons(parity: Parity, fatal: str, text: str) -> None:
    """A table of such a type is unavailable; a library that cannot be loaded ends the process."""

    def case(mta: Instance) -> object:
        queue_id = mta.send_message("games@localhost")
        mta.wait_for_log(rf"{queue_id}: to=<|/local\[\d+\]: fatal: ", seconds=6)
        mta.settle()
        said = [match[1] for line in mta.log_lines() if (match := re.search(r"/local\[\d+\]: (.*)", line))]
        said = [re.sub(r"delay=.*?, dsn=", "dsn=", line).replace(str(mta.directory), "") for line in said]
        return [re.sub(r"\A[0-9A-F]{8,}", "ID", line) for line in said]

    main = {
        "meta_directory": "{dir}/etc", "shlib_directory": "/nosuch", "alias_maps": "foo:x", "daemon_table_open_error_is_fatal": fatal,
    }  # fmt: skip
    parity(case, main=main, files={"dynamicmaps.cf": text}, fresh=True)


def test_daemons_whose_file_is_malformed(parity: Parity) -> None:
    """None starts, those that have nothing to do with tables included."""

    def case(mta: Instance) -> dict[str, object]:
        mta.stop()
        mta.write("dynamicmaps.cf", "foo a b\nfoo a b\n\nfoo bar\n")
        seen: dict[str, object] = {}
        with SystemLog(mta) as syslog:
            for name in ("smtpd", "qmgr", "anvil", "postlogd", "trivial-rewrite"):
                syslog.datagrams.clear()
                done = syslog.run(mta.daemon_directory / name, "-l", "-t", "unix")
                seen[name] = (done.returncode, done.stdout, done.stderr, syslog.lines(mta))
        return seen

    main = {"meta_directory": "{dir}/etc", "shlib_directory": "/nosuch", "maillog_file": ""}
    seen = parity(case, main=main, fresh=True).result
    assert all("line 4: Expected" in str(lines) for _, _, _, lines in seen.values())
