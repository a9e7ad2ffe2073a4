"""postfix(1) and postmulti(1): options, what runs from them, and what each command is for several instances.

Source: postfix(1), postmulti(1), postfix-wrapper(5).
"""

from __future__ import annotations

import re

import pytest

from tests.kit.processes import wait_until

from .scripting import Script, compare

pytestmark = [pytest.mark.reference, pytest.mark.root]

_SHOW = 'echo "SHOWN ${MAIL_DEBUG-none} $MAIL_CONFIG $config_directory $MAIL_LOGTAG $*"'
_BY_CHANCE = re.compile(r"waiting for the Postfix mail system|name_mask|inet_addr_local|mynetworks_core")
"""How long an end takes, and what only the reference's library tells with -v."""


class Steady(Script):
    """Gives each line of a command once, as the reference's scripts run postconf(1) several times."""

    def stable(self, data: bytes) -> list[str]:
        lines = [line.replace("<COMMANDS>/postconf:", "postconf:") for line in super().stable(data)]
        return list(dict.fromkeys(line for line in lines if not _BY_CHANCE.search(line)))

    def shown(self, *words: str, environment: dict[str, str] | None = None) -> None:
        """Run a command, and remember only what the shell in it shows: with -v each side has debugging lines of its own."""
        self(*words, environment=environment)
        command, status, lines = self.said[-1]  # type: ignore[misc]  # what __call__ has appended
        self.said[-1] = (command, status, [line for line in lines if line.startswith("SHOWN")])


def test_options_of_postfix() -> None:
    """-c, -D and -v, alone, together and repeated, as programs see them that run from it."""

    def case(script: Steady) -> None:
        script.multi("-e", "init")
        script.multi("-e", "create", "-I", "postfix-a")
        for options in (
            ("-c", "/etc/postfix"), ("-v", "-c", "/etc/postfix"), ("-vv", "-c", "/etc/postfix"), ("-D", "-c", "/etc/postfix"),
            ("-Dvc", "/etc/postfix"), ("-c/etc/postfix-a",), ("-c", "/etc/postfix", "-c", "/etc/postfix-a"), ("-c", "/etc/postfix/", "-v", "-v", "-v"),
        ):
            script.shown("postfix", *options, "/bin/sh", "-c", _SHOW, "sh", "a b", "-v")
        script.shown("postfix", "/bin/sh", "-c", _SHOW, environment={"MAIL_CONFIG": "/etc/postfix-a"})
        script.shown("postfix", "-c", "/etc/postfix-a", "/bin/sh", "-c", _SHOW, environment={"MAIL_DEBUG": "x"})
        script("postfix", "-c", "/etc/postfix-a", "/bin/sh", "-c", "exit 3")
        for words in (("-c",), ("-c", ""), ("-Z", "status"), ("-vZ", "status"), ("--", "-v"), ("status", "-v"), ("status", "more", "words"), ("START",), ("",)):
            script("postfix", *words, environment={"MAIL_CONFIG": "/etc/postfix"})

    compare(case, Steady)


def test_verbose_postmulti() -> None:
    """-v, which reaches what it runs."""

    def case(script: Steady) -> None:
        script.multi("-e", "init", "-v")
        script.multi("-e", "create", "-I", "postfix-a", "-v")
        for options in ((), ("-v",), ("-vv",), ("-v", "-R"), ("-v", "-i", "postfix-a"), ("-a",), ("-a", "-R")):
            script.shown("postmulti", *options, "-x", "/bin/sh", "-c", _SHOW)
            if "-R" not in options:
                script.shown("postmulti", *options, "-p", "/bin/sh", "-c", _SHOW)
        script.multi("-e", "assign", "-v", "-i", "postfix-a", "-G", "g")
        script.multi("-e", "disable", "-v", "-i", "postfix-a")
        script.shown("postmulti", "-v", "-g", "g", "-x", "/bin/sh", "-c", _SHOW)
        script.multi("-l")
        script.multi("-v", "-e", "destroy", "-i", "postfix-a")
        script.multi("-l")

    compare(case, Steady)


COMMANDS = (
    ("check",), ("status",), ("flush",), ("stop",), ("quick-stop",), ("drain",), ("logrotate",), ("tls", "all-default-client"), ("non-bdb", "status"),
    ("upgrade-configuration",), ("explode",), ("/bin/sh", "-c", "echo $config_directory"),
)  # fmt: skip


def test_each_command_for_several_instances() -> None:
    """Which of them it reaches, in which order, by postmulti and by the wrapper; nothing runs."""

    def case(script: Steady) -> None:
        script.multi("-e", "init")
        for name, state in (("postfix-a", "enable"), ("postfix-b", "disable")):
            script.multi("-e", "create", "-I", name, "-G", "g")
            script.multi("-e", state, "-i", name)
        script("postconf", "maillog_file_compressor=/bin/true", "maillog_file_rotate_suffix=old")
        for words in COMMANDS:
            script.multi("-p", *words)
        for words in (("-i", "postfix-b", "-p", "check"), ("-g", "g", "-p", "stop"), ("-i", "-", "-p", "status"), ("-a", "-p", "--", "status")):
            script.multi(*words)
        script("postconf", "postmulti_stop_commands=status, /bin/sh", "postmulti_start_commands=", "postmulti_control_commands=check")
        for words in (("status",), ("check",), ("/bin/sh", "-c", "echo $config_directory"), ("stop",)):
            script("postfix", *words)

    compare(case, Steady)


def test_wrappers() -> None:
    """multi_instance_wrapper: any program with words of its own; who goes past it."""

    def case(script: Steady) -> None:
        script.multi("-e", "init")
        script.multi("-e", "create", "-I", "postfix-a")
        for wrapper in (
            "/bin/echo", "/bin/echo one  two", "/bin/echo $multi_instance_name ${multi_instance_directories}", "/bin/echo {a b} 'c d'", "/bin/false",
            "no-such-program -x", "/no/such/program", "/bin/sh -c echo", "",
        ):  # fmt: skip
            script("postconf", f"multi_instance_wrapper={wrapper}")
            script("postfix", "status", "a b", "--", "-v")
            script("postfix", "-v", "--", "-x")
        script("postfix", "-c", "/etc/postfix", "status")
        script("postfix", "-c", "/etc/postfix-a", "status")
        script("postfix", "status", environment={"MAIL_CONFIG": "/etc/postfix-a"})
        script("postconf", "multi_instance_wrapper=/bin/echo", "multi_instance_directories=")
        script("postfix", "status")

    compare(case, Steady)


def test_what_a_secondary_instance_checks() -> None:
    """Files that are shared are the primary instance's affair."""

    def case(script: Steady) -> None:
        script.multi("-e", "init")
        script.multi("-e", "create", "-I", "postfix-a")
        (script.site.meta_directory / "main.cf.proto").chmod(0o666)
        (script.site.etc / "postfix-a" / "mine").touch(0o644)
        (script.site.etc / "postfix-a" / "mine").chmod(0o666)
        for name in ("postfix", "postfix-a"):
            script("postfix", "-c", f"/etc/{name}", "check")
        script("postconf", "multi_instance_directories=")
        script("postfix", "-c", "/etc/postfix-a", "check")

    compare(case, Steady)


def test_parameters_that_nothing_reads() -> None:
    """check and reload tell of them, and of those that will not be there for long."""

    def case(script: Steady) -> None:
        with (script.site.config_directory / "main.cf").open("a") as stream:
            stream.write("nosuch_parameter = x\nsmtpd_use_tls = no\nmynetworks_style = host\nvirtual_alias_maps = $nosuch\n")
        script("postfix", "check")
        script("postfix", "start")
        script.said.pop()  # its checks go on in the background
        script("postfix", "reload")
        script.site.stop()

    compare(case, Steady)


def test_a_start_after_a_quick_stop() -> None:
    """The checks are left out once."""

    def case(script: Steady) -> None:
        marker = script.site.queue_directory / "quick-start"
        script("postfix", "quick-stop")
        script.said.append(marker.exists())
        marker.unlink()
        script("postfix", "start")
        script("postfix", "quick-stop")
        script.said.append(marker.exists())
        (script.site.data_directory / "stray").touch()
        (script.site.data_directory / "stray").chmod(0o666)
        script("postfix", "check")
        script.said.append(marker.exists())
        assert wait_until(lambda: not script.site.is_running(), 20)
        script("postfix", "start")
        script.said.append(marker.exists())
        script.site.stop()

    compare(case, Steady)
