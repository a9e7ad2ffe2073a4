"""The manual says what the programs do: a page for each, with their options, and names that exist."""

from __future__ import annotations

import ast
import inspect
import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from pyfix.access import actions
from pyfix.commands import postfix
from pyfix.config.catalogue import find
from pyfix.content import action
from pyfix.daemons.master import options as master_options
from pyfix.daemons.smtpd.commands import COMMANDS as SMTP_COMMANDS
from pyfix.install.launchers import COMMANDS, DAEMONS
from pyfix.install.manual import write_pages
from pyfix.launch import COMMAND_MODULES, daemon_module
from pyfix.runtime import child
from pyfix.runtime.daemon import Daemon
from pyfix.tables.source import TABLE_TYPES
from tests.kit import requirements

CHECKOUT = Path(__file__).resolve().parents[3]
PAGES = sorted((CHECKOUT / "man").glob("man*/*"))
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ#468"


OTHERS = ("pyfix-install",)
"""Programs of section 8 that are no daemons."""


def page(name: str, section: int) -> str:
    return (CHECKOUT / f"man/man{section}/{name}.{section}").read_text()


def part(text: str, title: str) -> str:
    return text.partition(f"\n.Sh {title}\n")[2].partition("\n.Sh ")[0]


def documented(text: str) -> dict[str, bool]:
    """Return the options of a page with whether they have a value."""
    found: dict[str, bool] = {}
    for letter, rest in re.findall(r"(?m)^\.It Fl (\S)(.*)$", text):
        found[letter] = "Ar" in rest or "Cm" in rest or found.get(letter, False)
    return found


def test_each_program_has_a_page_and_each_page_a_program() -> None:
    assert sorted(path.name for path in PAGES if path.suffix == ".1") == [f"{name}.1" for name in sorted(COMMANDS)]
    assert sorted(path.name for path in PAGES if path.suffix == ".8") == [
        f"{name}.8" for name in sorted((*DAEMONS, *OTHERS))
    ]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_form(path: Path) -> None:
    text = path.read_text()
    assert path.suffix[1:] == path.parent.name.removeprefix("man")
    name = path.resolve().stem  # mailq is sendmail
    assert re.match(rf"\.Dd \w+ \d+, \d{{4}}\n\.Dt {name.upper()} {path.suffix[1:]}\n\.Os pyfix\n\.Sh NAME\n", text)
    assert f".Nm {path.stem}" in part(text, "NAME")
    for title in ("DESCRIPTION", "SEE ALSO", *(() if path.suffix == ".5" else ("SYNOPSIS",))):
        assert part(text, title), title
    if path.suffix == ".1":
        assert part(text, "EXIT STATUS") and part(text, "ENVIRONMENT")
    if path.suffix == ".8" and path.stem not in ("master", *OTHERS):
        assert part(text, "SERVICES") == (
            f'As shipped,\n.Xr master 5\nhas:\n.\\" SERVICES {path.stem}\n.Pp\n'
            "The options are those of every daemon,\n.Xr master 8 ."
        )
        assert f'\n.\\" PARAMETERS {path.stem}(8)\n' in text


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_names_exist(path: Path) -> None:
    text = path.read_text()
    known = {page.name for page in PAGES}
    for name, section in re.findall(r"(?m)^\.(?:Pq )?Xr (\S+) (\d)", text):
        assert f"{name}.{section}" in known, name
    for line in re.findall(r"(?m)^\.(?:It |Pq )*Va (.*)$", text):
        for name in re.findall(r"[a-z0-9_]{4,}", line.partition(" No ")[0]):
            assert find(name) is not None or name == "config_directory", name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_options_of_commands(
    name: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each letter is given with ``?`` behind it, which is its value or no option, and then an option that nobody has."""
    monkeypatch.setenv("MAIL_CONFIG", str(tmp_path))
    monkeypatch.setattr("sys.argv", [name])
    if name == "postmulti":
        (tmp_path / "main.cf").touch()  # it reads that first, to know where to log what is wrong with the options
        monkeypatch.setattr("pyfix.CONFIG_DIRECTORY", str(tmp_path))
    main = import_module(f"pyfix.commands.{COMMAND_MODULES.get(name, name).replace('-', '_')}").main
    accepted: dict[str, bool] = {}
    for letter in LETTERS:
        assert main([f"-{letter}?", "-="]) != 0
        complaint = re.search(r"(?:invalid option -- '|Unknown option: )(.)", capfd.readouterr().err)
        if complaint is None or complaint[1] != letter:
            accepted[letter] = complaint is None or complaint[1] == "="
    if name == "qshape":
        accepted["h"] = False  # gets the usage, whatever else is wrong
    if name == "postconf":
        del accepted["E"]  # no option, but no invalid one either: it gets the usage, as in Postfix
    assert documented(page(name, 1)) == accepted | ({"q": True} if "q" in accepted and name in NAMES_OF_SENDMAIL else {})


NAMES_OF_SENDMAIL = ("sendmail", "mailq", "newaliases")


def test_options_of_master() -> None:
    text = part(page("master", 8), "DESCRIPTION")
    flags, valued = master_options._FLAGS, master_options._WITH_VALUE
    assert documented(text) == dict.fromkeys(flags, False) | dict.fromkeys(valued, True)


def test_options_of_daemons() -> None:
    text = part(page("master", 8), "OPTIONS OF DAEMONS")
    assert documented(text) == dict.fromkeys(child._WITHOUT_VALUE, False) | dict.fromkeys(child._WITH_VALUE, True)


@pytest.mark.parametrize("name", sorted(set(DAEMONS) - {"master"}))
def test_who_serves_standard_input(name: str) -> None:
    module = import_module(daemon_module(name))
    (daemon,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Daemon) and value.__module__ == module.__name__
    )
    assert (".Fl S" in page(name, 8)) == (daemon.stand_alone is not Daemon.stand_alone)


def test_commands_of_postfix() -> None:
    assert re.findall(r"(?m)^\.It Cm (\S+)$", part(page("postfix", 1), "DESCRIPTION")) == list(postfix.COMMANDS)


def test_commands_of_smtpd() -> None:
    text = part(page("smtpd", 8), "DESCRIPTION")
    not_yet = {"AUTH", "STARTTLS"}
    assert {verb for verb in SMTP_COMMANDS if re.search(rf"\b{verb}\b", text)} == set(SMTP_COMMANDS) - not_yet


def test_formats_of_files() -> None:
    """Each kind of table that people write has a page, as do the types of tables that have more to say than their name."""
    written = {"access", "aliases", "body_checks", "canonical", "generic", "header_checks", "relocated", "transport", "virtual"}
    asked = {"ldap", "memcache", "mongodb", "mysql", "pgsql", "socketmap", "sqlite", "tcp"}
    types = {"cidr", "lmdb", "pcre", "regexp"} | asked
    assert types <= set(TABLE_TYPES)
    tables = {f"{name}_table" for name in types} | {"python_table"}
    assert {path.stem for path in PAGES if path.suffix == ".5"} == written | tables | {"bounce", "master", "postconf"}


def test_types_of_tables() -> None:
    assert sorted(re.findall(r"(?m)^\.It Cm (\S+)$", page("postmap", 1))) == sorted(TABLE_TYPES)


def test_actions_of_access_tables() -> None:
    tree = ast.parse(inspect.getsource(actions.act))
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.MatchValue)]
    known = {value.value for value in values if isinstance(value, ast.Constant)}
    listed = re.findall(r"(?m)^\.It Cm ([A-Z_]+)", part(page("access", 5), "ACTIONS"))
    assert set(listed) == known


def test_actions_of_header_checks() -> None:
    listed = re.findall(r"(?m)^\.It Cm ([A-Z_]+)", part(page("header_checks", 5), "ACTIONS"))
    assert listed == sorted(action.LOGGED | action.SILENT | {"REJECT"})


@pytest.mark.parametrize(
    "checker", [["groff", "-mdoc", "-ww", "-Tutf8", "-z"], ["mandoc", "-Tlint", "-Wwarning"]], ids=lambda argv: argv[0]
)
def test_typesetting(checker: list[str], tmp_path: Path) -> None:
    if shutil.which(checker[0]) is None:
        requirements.missing(f"needs {checker[0]}")
    write_pages(CHECKOUT, tmp_path)
    pages = sorted(tmp_path.glob("man*/*"))
    assert len(pages) == len(PAGES)
    for path in (*pages, *PAGES):  # the second as ``man ./man/...`` has them
        done = subprocess.run([*checker, str(path)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), path
