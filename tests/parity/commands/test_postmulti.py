"""What postmulti(1) says, returns and makes of files, and what postfix(1) does with several instances."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.kit.site import Site

from .scripting import Script, compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

USAGE: Sequence[Sequence[str]] = (
    (), ("-?",), ("-j",), ("-l", "-j", "x"), ("-l", "extra"), ("-p",), ("-x",), ("-lp",), ("-e", "no"), ("-e",), ("-g",),
    ("-R", "-p", "status"), ("-p", "-j", "status"), ("-l", "-I", "postfix-x"), ("-x", "-G", "x", "true"),
    ("-l", "-g", "a", "-i", "b"), ("-a", "-l", "-g", "x"), ("-l", "-i", "a", "-i", "b"), ("-c", "/etc/postfix", "-l"),
    ("-e", "init", "-e", "create"), ("-e", "create"), ("-e", "import"), ("-e", "create", "x"), ("-e", "create", "=x"),
    ("-e", "import", "queue_directory=/x"), ("-e", "create", "x=y"), ("-e", "create", "config_directory=/x"),
    ("-e", "create", "config_directory=/x", "queue_directory=/y"), ("-e", "create", "-I", "postfix-x", "queue_directory=y"),
    ("-e", "create", "-I", "postfix-x", "config_directory=///"), ("-e", "create", "-I", "x"),
    ("-e", "create", "-I", "postfix-x y"), ("-e", "create", "-I", "postfix-x/y"), ("-e", "create", "-I", "postfix-x", "-G", "a b"),
    ("-e", "create", "-I", "postfix-x", "-I", "postfix-y"), ("-e", "create", "-G", "x", "-G", "y"),
    ("-e", "create", "-I", "postfix-x", "-g", "nobody"), ("-e", "create", "-I", "postfix-x", "-i", "-"),
    ("-e", "assign", "-i", "-"), ("-e", "assign", "-i", "no", "-I", "postfix-x"), ("-e", "assign", "-G", "x"),
    ("-e", "assign", "-g", "x", "-G", "x"), ("-e", "enable"), ("-e", "enable", "-i", "-", "x=y"), ("-e", "disable", "-a"),
    ("-e", "disable", "-i", "-", "-I", "postfix-x"), ("-e", "deport"), ("-e", "deport", "-i", "-"), ("-e", "destroy", "-i", "-"),
    ("-e", "destroy", "-i", "no"), ("-e", "destroy", "-R"), ("-e", "enable", "-j", "-i", "-"), ("-e", "init", "x"),
    ("-e", "init", "-I", "postfix-x"), ("-i", "no", "-p", "start"), ("-g", "no", "-x", "true"), ("-p", "-x", "status"),
)  # fmt: skip


def test_command_lines_that_make_no_sense() -> None:
    """Each is refused with the reference's text, before and after ``-e init``."""

    def case(script: Script) -> None:
        for words in USAGE:
            script.multi(*words)
        for action in ("create", "assign", "enable", "disable"):
            target = ["-I", "postfix-x"] if action in ("create", "assign") else []
            script.multi("-e", action, *(["-i", "-"] if action != "create" else []), *target)
        script.multi("-e", "init")
        script.multi("-e", "init", "-i", "no")
        for words in USAGE[-20:]:
            script.multi(*words)
        script.file("postfix/main.cf")

    compare(case)


def test_single_instance() -> None:
    """Without others, the primary instance is the only one, and enabled."""

    def case(script: Script) -> None:
        for words in (("-l",), ("-lj",), ("-la",), ("-lR",), ("-l", "-i", "-"), ("-l", "-i", "x"), ("-l", "-g", "x"), ("-ll",)):
            script.multi(*words)
        script.multi("-p", "status")
        script.multi("-p", "--", "status")
        script.multi("-x", "/bin/sh", "-c", "echo $config_directory $multi_instance_enable $MAIL_CONFIG")
        for value in ("/etc/none", "none", "/etc/postfix"):
            script("postmulti", "-l", environment={"MAIL_CONFIG": value})
        script("postmulti", "-?", environment={"MAIL_CONFIG": "/etc/none"})
        script("postconf", "multi_instance_enable=maybe")
        script.multi("-l")

    compare(case)


def test_create_and_destroy() -> None:
    """Files, modes and main.cf of a new instance; its place in the list; what is left of it."""

    def case(script: Script) -> None:
        script.multi("-e", "init")
        script.multi("-e", "create", "-I", "postfix-a", "-G", "one")
        script.tree("postfix-a")
        script.file("postfix-a/main.cf")
        script.file("postfix-a/master.cf")
        script.multi("-e", "create", "-I", "postfix-a")
        script.multi("-e", "create", "-I", "postfix-b", "-G", "one", "-i", "postfix-a")
        script.multi("-e", "create", "-I", "postfix-c", "-a", "queue_directory=<DIR>/q/", "config_directory=/etc/postfix/c")
        script.multi("-e", "create", "-G", "-", "-I", "-", "config_directory=/etc/d", "queue_directory=<DIR>/x", "data_directory=<DIR>/y")
        script.multi("-e", "create", "-I", "postfix-e", "-g", "one")
        for words in ((), ("-R",), ("-g", "one"), ("-i", "postfix-b"), ("-i", "/etc/d"), ("-i", ""), ("-g", ""), ("-v",)):
            script.multi("-l", *words)
        script.file("postfix/main.cf")
        script.multi("-e", "enable", "-i", "postfix-a")
        script.multi("-e", "destroy", "-i", "postfix-a")
        script.multi("-e", "deport", "-i", "postfix-a")
        script.multi("-e", "disable", "-i", "postfix-a")
        for folder in ("spool/postfix-a/active", "lib/postfix-a", "etc/postfix-a"):
            (script.site.directory / folder / "mine").touch()
        script.multi("-e", "destroy", "-i", "postfix-a")
        script.tree("postfix-a")
        script.multi("-e", "destroy", "-i", "postfix-b")
        script.tree("postfix-b")
        script.multi("-e", "destroy", "-i", "/etc/d")
        script("/bin/rm", "-r", "<DIR>/spool/postfix-e")
        script.multi("-e", "destroy", "-i", "postfix-e")
        script.multi("-l")

    compare(case)


def test_directories_that_are_in_use() -> None:
    def case(script: Script) -> None:
        script.multi("-e", "init")
        script.multi("-e", "create", "-I", "postfix-b")
        new = ("-e", "create", "-I", "postfix-a")
        for setting in (
            "config_directory=/etc/postfix", "config_directory=/etc/postfix-b", "queue_directory=<DIR>/spool/postfix",
            "data_directory=<DIR>/lib/postfix", "queue_directory=/etc/postfix", "queue_directory=/etc/postfix-a",
            "queue_directory=<DIR>/lib/postfix", "data_directory=<DIR>/spool/postfix-b", "data_directory=<DIR>/spool/postfix-a",
        ):  # fmt: skip
            script.multi(*new, setting)
        script.multi("-e", "create", "-I", "postfix-b", "config_directory=/etc/u")
        script.multi("-e", "create", "-I", "postfix-b", "config_directory=/etc/u", "queue_directory=<DIR>/spool/postfix")
        (script.site.etc / "postfix-f").touch()
        script.multi("-e", "create", "-I", "postfix-f")
        (script.site.meta_directory / "master.cf.proto").unlink()
        script.multi("-e", "create", "-I", "postfix-g")
        (script.site.meta_directory / "main.cf.proto").unlink()
        script.multi("-e", "create", "-I", "postfix-g")
        script.multi("-l")

    compare(case)


def _existing(script: Script, name: str) -> None:
    script("/bin/sh", "-c", f"mkdir -p /etc/{name} <DIR>/spool/{name} <DIR>/lib/{name}; cp /etc/postfix/*.cf /etc/{name}")
    script("postconf", "-c", f"/etc/{name}", f"queue_directory=<DIR>/spool/{name}", f"data_directory=<DIR>/lib/{name}")


def test_import_and_deport() -> None:
    """An instance that is there gets owners and modes put right, and a name; its files stay."""

    def case(script: Script) -> None:
        script.multi("-e", "init")
        script("postconf", "multi_instance_enable=no")
        _existing(script, "postfix-a")
        script("postconf", "multi_instance_enable=yes")
        script("/bin/chmod", "700", "/etc/postfix-a", "<DIR>/spool/postfix-a")
        script("/bin/chown", "-R", "65534", "/etc/postfix-a", "<DIR>/spool/postfix-a", "<DIR>/lib/postfix-a")
        script.multi("-e", "import", "-I", "postfix-a", "-G", "g")
        script.tree("postfix-a")
        script.file("postfix-a/main.cf")
        script.multi("-l")
        script.multi("-e", "import", "-I", "postfix-a")
        script.multi("-e", "import", "config_directory=/etc/postfix-a")
        script.multi("-e", "deport", "-i", "postfix-a")
        script.multi("-l")
        script.multi("-e", "import", "config_directory=/etc/postfix-a", "-a")
        script.multi("-e", "import", "-a", "config_directory=/etc/postfix-a")
        script.multi("-l")
        script.multi("-e", "import", "-I", "postfix-none")
        _existing(script, "postfix-b")
        script("postconf", "-c", "/etc/postfix-b", "multi_instance_name=postfix-a")
        script.multi("-e", "import", "config_directory=/etc/postfix-b")
        script("postconf", "-c", "/etc/postfix-b", "data_directory=<DIR>/lib/postfix")
        script.multi("-e", "import", "-I", "postfix-b")
        script("postconf", "-c", "/etc/postfix-b", "data_directory=<DIR>/lib/postfix-b", "queue_directory=<DIR>/nowhere")
        script.multi("-e", "import", "-I", "postfix-b")
        script.multi("-l")
        script.multi("-e", "create", "-I", "postfix-b")

    compare(case)


def test_names_and_groups() -> None:
    def case(script: Script) -> None:
        script.multi("-e", "init")
        script.multi("-e", "create", "-I", "postfix-a")
        script.multi("-e", "create", "-I", "postfix-b")
        for letter, value in (
            ("G", "a"), ("G", "a b"), ("G", "a,b"), ("G", 'a"'), ("G", "a=b:c+d.%"), ("G", "-"), ("G", ""), ("G", "é"),
            ("I", "postfix-"), ("I", "postfix-x"), ("I", "postfix-b"), ("I", "-"), ("I", ""), ("I", "postfix"), ("I", "postfix-x y"),
            ("I", "postfix-a=b:c+d.%"), ("I", "a/b"), ("I", "postfix-a"),
        ):  # fmt: skip
            script.multi("-e", "assign", "-i", "/etc/postfix-a", f"-{letter}", value)
            script.multi("-l")
        script.file("postfix-a/main.cf")
        script.multi("-e", "assign", "-i", "-", "-I", "postfix-main", "-G", "all")
        script.multi("-e", "assign", "-i", "postfix-main", "-I", "postfix-a")
        for name in ("-", "postfix-main", "/etc/postfix"):
            script.multi("-l", "-i", name)
        script.multi("-e", "disable", "-i", "-")
        script.multi("-l")
        script.multi("-e", "disable", "-i", "postfix-main")
        script.multi("-e", "enable", "-i", "postfix-a")
        script("postconf", "multi_instance_wrapper=")
        script.multi("-e", "enable", "-i", "-")
        script("postfix", "status")

    compare(case)


def test_lists_that_are_written_by_hand() -> None:
    def case(script: Script) -> None:
        script.multi("-e", "init")
        for name in ("postfix-a", "postfix-b"):
            script.multi("-e", "create", "-I", name)
        for value in ("/etc/postfix-b,/etc/postfix-a", "/etc/postfix-a /etc/postfix-a", "/etc/postfix", "etc/postfix-a", "/etc/none", ""):
            script("postconf", f"multi_instance_directories={value}")
            script.multi("-l")
            script("postfix", "status")
        script("postconf", "multi_instance_directories=/etc/postfix-a /etc/postfix-b")
        for setting in ("multi_instance_name=any name", "multi_instance_name=postfix-b", "queue_directory=<DIR>/lib/postfix-b", "multi_instance_enable=YES"):
            script("postconf", "-c", "/etc/postfix-a", setting)
            script.multi("-l")
        with (script.site.etc / "postfix-a/main.cf").open("a") as stream:
            stream.write("x y\n")
        script.multi("-l")

    compare(case)


def test_json() -> None:
    """One object a line; the reference of 3.11 shows no more than the first letter of a group."""

    def case(script: Script) -> None:
        script.multi("-e", "init")
        script.multi("-e", "create", "-I", "postfix-a", "-G", "g")
        script.multi("-lj")
        script.multi("-lj", "-i", "postfix-a")
        script.multi("-jlR")
        script("postconf", "-c", "/etc/postfix-a", 'multi_instance_name=a\\b "c"')
        script.multi("-lj")

    compare(case)
    with Site("pyfix") as site:
        assert site.run("postmulti", "-e", "init").returncode == 0
        assert site.run("postmulti", "-e", "assign", "-i", "-", "-G", "whole").returncode == 0
        assert json.loads(site.run("postmulti", "-lj").stdout)["group"] == "whole"


_SHOW = 'echo "$MAIL_CONFIG|$config_directory|$queue_directory|$data_directory|$daemon_directory|$command_directory|' \
    '$multi_instance_name|$multi_instance_group|$multi_instance_enable|$MAIL_LOGTAG|$POSTLOG_SERVICE|$POSTLOG_HOSTNAME|$PATH"'  # fmt: skip


def test_commands_for_each() -> None:
    """-x: environment, order, statuses."""

    def case(script: Script) -> None:
        script.multi("-e", "init")
        script.multi("-e", "create", "-I", "postfix-a", "-G", "g")
        script.multi("-x", "/bin/sh", "-c", _SHOW)
        script.multi("-x", "-R", "/bin/sh", "-c", "echo $config_directory")
        script.multi("-i", "postfix-a", "-x", "postconf", "-h", "queue_directory")
        script.multi("-x", "echo", "-l", "--")
        for command in ("exit 3", "test $config_directory = /etc/postfix", "kill -9 $$", "cat"):
            script.multi("-x", "/bin/sh", "-c", command)
        script.multi("-x", "no-such-program")
        script.multi("-x", "-i", "no", "true")
        for words in (("-l",), ("-x", "/usr/bin/id", "-u"), ("-p", "status")):
            script("postconf", "maillog_file=")
            script("postmulti", *words, nobody=True)

    compare(case)


def test_postfix_with_several_instances() -> None:
    """The wrapper: which command reaches which instance, in which order, and with which status."""

    def case(script: Script) -> None:
        script.multi("-e", "init")
        for name in ("postfix-a", "postfix-b"):
            script.multi("-e", "create", "-I", name, "-G", "g")
            script.site.set_port(name)
        script.multi("-e", "enable", "-i", "postfix-b")
        script("postfix", "start")
        script("postfix", "start")
        for words in (("-p", "status"), ("-g", "g", "-p", "status"), ("-i", "postfix-a", "-p", "start"), ("-i", "postfix-a", "-p", "reload"), ("-i", "postfix-a", "-p", "stop")):
            script.multi(*words)
        script("postfix", "-c", "/etc/postfix-b", "status")
        for command in ("reload", "flush", "check", "/bin/echo", "start-fg"):
            script("postfix", command)
        script("postfix", "-c", "/etc/postfix-a", "start-fg")
        script("postfix", "--", "status")
        script("postfix")
        script("postfix", "stop")
        script("postfix", "stop")
        script.multi("-e", "disable", "-i", "-")
        script("postfix", "start")
        script("postfix", "status")
        script("postfix", "stop")
        script("postconf", "multi_instance_enable=no", "postmulti_start_commands=status", "postmulti_control_commands=check")
        script("postfix", "status")
        script("postfix", "check")
        script("postconf", "-c", "/etc/postfix-b", "queue_directory=<DIR>/no/where")
        script("postfix", "status")

    compare(case)


def test_migration_from_berkeley_db() -> None:
    """postfix non-bdb: what it says, and what it makes of main.cf and master.cf."""

    def case(script: Script) -> None:
        script("postconf", "default_cache_db_type=lmdb", "default_database_type=lmdb")
        for words in ((), ("no",), ("status", "x")):
            script("postfix", "non-bdb", *words)
        for word in ("status", "enable-redirect", "status", "enable-reindex", "enable-reindex", "status", "enable-redirect", "disable", "disable", "status"):
            script("postfix", "non-bdb", word)
            script.file("postfix/main.cf")
            script.file("postfix/master.cf")
        for setting in ("default_cache_db_type=btree", "default_database_type=hash", "non_bdb_migration_level=no"):
            script("postconf", setting)
            script("postfix", "non-bdb", "enable-redirect")
        script("postfix", "non-bdb", "status")

    compare(case)
