"""Entries of master.cf; the fault texts are those that the reference's master logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.config.errors import ConfigError
from pyfix.config.master_cf import ServiceEntry, overrides, parse_entry, read_master_cf

SHIPPED = Path(__file__).parents[3] / "etc/postfix/master.cf"


def as_dict(entry: ServiceEntry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in ServiceEntry.__slots__}


def test_all_fields() -> None:
    assert as_dict(parse_entry("a:25 inet n n y 60? 7 smtpd -o x=y { b c }", "f")) == {
        "name": "a:25",
        "type": "inet",
        "private": False,
        "unprivileged": False,
        "chroot": True,
        "chroot_by_default": False,
        "wakeup": 60,
        "wakeup_conditional": True,
        "process_limit": 7,
        "command": "smtpd",
        "arguments": ("-o", "x=y", "b c"),
        "line": 0,
    }


def test_defaults() -> None:
    entry = parse_entry("foo unix - - - - - smtpd", "f")
    assert (entry.private, entry.unprivileged, entry.chroot) == (True, True, False)
    assert (entry.wakeup, entry.wakeup_conditional, entry.process_limit) == (0, False, None)
    assert parse_entry("foo unix - - - - - smtpd", "f", compatibility_chroot=True).chroot_by_default
    assert not parse_entry("foo unix - - y - - smtpd", "f", compatibility_chroot=True).chroot_by_default


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("foo", 'missing "transport type" field'),
        ("foo unix", 'missing "private" field'),
        ("foo unix - - - -", 'missing "max_proc" field'),
        ("foo unix - - - - -", 'missing "command" field'),
        ("", 'missing "service name" field'),
        ("foo blah - - - - - x", "bad transport type: blah"),
        ("foo UNIX - - - - - x", "bad transport type: UNIX"),
        ("foo unix x - - - - x", 'field "private": bad value: "x"'),
        ("foo unix - Y - - - x", 'field "unprivileged": bad value: "Y"'),
        ("foo unix - - x - - x", 'field "chroot": bad value: "x"'),
        ("foo unix - - - x - x", 'field "wakeup_time": bad value: "x"'),
        ("foo unix - - - -? - x", 'field "wakeup_time": bad value: "-?"'),
        ("foo unix - - - - -1 x", 'field "max_proc": bad value: "-1"'),
        ("foo unix - - - - 2147483648 x", 'field "max_proc": bad value: "2147483648"'),
        ("25 inet - - - - - x", "inet service cannot be private"),
        ("127.0.0.1: inet n - - - - x", 'missing service information in "127.0.0.1:"'),
        ("foo unix - - - - - x {a", "missing '}' in \"{a\""),
        ("foo unix - - - - - x { a = b }c", "syntax error after '}' in \"{ a = b }c\""),
    ],
)
def test_malformed(line: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_entry(line, "master.cf: line 3")
    assert str(raised.value) == f"master.cf: line 3: {complaint}"


def test_number_ends_at_the_first_other_character() -> None:
    entry = parse_entry("foo unix - - - 5m 07 x", "f")
    assert (entry.wakeup, entry.process_limit) == (5, 7)


def test_braces() -> None:
    entry = parse_entry("foo unix - - - - - pipe -o { a = b c } {x y} {{a b}} x{y z} }x {}", "f")
    assert entry.arguments == ("-o", "a = b c", "x y", "{a b}", "x{y z}", "}x", "")


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "master.cf"
    path.write_text(
        "# x\nfoo unix - - - - - one\n -o a=b\n  # comment\n\n -o c=d\n"
        "foo unix - - - - - two\nfoo unix n - - - - three\nfoo fifo - - - - - four\n"
        "a:25 inet n - - - - x\na:25 inet n - - - - y\n26 inet n - - - - x\n26 inet n - - - - y\n"
    )
    warnings: list[str] = []
    entries = read_master_cf(str(path), warn=warnings.append)
    assert [(entry.name, entry.command, entry.line) for entry in entries] == [
        ("foo", "two", 7),
        ("foo", "three", 8),
        ("foo", "four", 9),
        ("a:25", "y", 11),
        ("26", "y", 13),
    ]
    assert warnings == [
        'duplicate master.cf entry for service "foo" (private/foo) -- using the last entry',
        'duplicate master.cf entry for service "a:25" ([a]:25) -- using the last entry',
        'duplicate master.cf entry for service "26" (26) -- using the last entry',
    ]


def test_fault_names_file_and_first_line(tmp_path: Path) -> None:
    path = tmp_path / "master.cf"
    path.write_text("\n\nbar unix y n n 0\n # x\n x discard\n")
    with pytest.raises(ConfigError) as raised:
        read_master_cf(str(path))
    assert str(raised.value) == f'{path}: line 3: field "max_proc": bad value: "x"'


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory"):
        read_master_cf(f"{tmp_path}/master.cf")


def test_overrides() -> None:
    arguments = ("-v", "-o", "a=b", "-oc=d", "-m", "5", "-o", "e = f g", "flags=R", "-o", "x=y")
    assert overrides(arguments) == [("a", "b"), ("c", "d"), ("e", "f g")]
    with pytest.raises(ConfigError):
        overrides(("-o", "a"))


def test_socket_paths() -> None:
    assert parse_entry("foo unix - - - - - x", "f").socket_path == "private/foo"
    assert parse_entry("foo unix n - - - - x", "f").endpoint == "public/foo"
    assert parse_entry("[::1]:25 inet n - - - - x", "f").endpoint == "[::1]:25"


def test_shipped_file() -> None:
    entries = read_master_cf(str(SHIPPED), warn=pytest.fail)
    names = "smtp pickup cleanup qmgr tlsmgr rewrite bounce defer trace verify flush proxymap proxywrite smtp relay "
    names += "showq error retry discard local virtual lmtp anvil scache postlog"
    assert " ".join(entry.name for entry in entries) == names
    relay = next(entry for entry in entries if entry.name == "relay")
    assert overrides(relay.arguments) == [
        ("syslog_name", "${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name")
    ]
