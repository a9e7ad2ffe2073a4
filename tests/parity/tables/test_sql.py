"""pgsql and mysql: real servers, asked by both sides with the same configuration files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg  # noqa: F401  # here, and not in each child that is forked for a command
import pymysql  # noqa: F401  # as above
import pytest

from pyfix.tables.table import valid_text
from tests.kit import requirements, servers
from tests.kit.instance import Instance
from tests.kit.parity import Parity

from .conftest import INTERNATIONAL, Both, Done, make_old

pytestmark = [pytest.mark.reference, pytest.mark.root]

ROWS = [
    ("a", "b"), ("m", "1"), ("m", "2"), ("q'uote", "quoted"), ("empty", ""), ("b\\s", "back"), ("ü", "umlaut"), ('d"q', "double"),
    ("null", None), ("u@x.com", "v@y.com"), ("second@ours.example", "REJECT"), ("user@ours.example", "OK"), ("p%", "percent"),
]  # fmt: skip
HOSTILE = [
    "a' or '1'='1", "a'; drop table t; --", "\\", "\\'", "\\' or 1=1 --", "'", "''", "'''", '"', "%", "_", "%s", "%u", "a\\", "a\\\\'",
    "\x1a", "\t", "/*", "--", "#", ";", "\u02b9", "\uff07", "縗' or 1=1 --", "¿' or 1=1 --", "$$", "$1", "$x$", "{a}", "a\r", "\\0", "\\x27",
]  # fmt: skip
KEYS = ["a", "A", "m", "q'uote", "empty", "b\\s", "ü", "Ü", 'd"q', "null", "none", "", "u@x.com", "p%", *HOSTILE]
ERROR_NUMBER = re.compile(r"(Can't connect to server on '\S+') \(\d+\)")


def script(kind: str) -> str:
    def literal(value: str | None) -> str:
        if value is None:
            return "null"
        text = value.replace("'", "''")
        return "'" + (text.replace("\\", "\\\\") if kind == "mysql" else text) + "'"

    values = ",".join(f"({literal(key)},{literal(value)})" for key, value in ROWS)
    column, more = ("varchar(200)", " character set utf8mb4 collate utf8mb4_bin") if kind == "mysql" else ("text", "")
    function = (
        "create procedure found(in name varchar(200)) select v from t where k = name; "
        if kind == "mysql"
        else "create function found(text) returns text as 'select v from t where k = $1 limit 1' language sql; "
    )
    return f"create table t(k {column}, v {column}){more}; insert into t values {values}; {function}"


class Database:
    """One server and how to name it."""

    def __init__(self, kind: str, port: int, folder: Path) -> None:
        self.kind, self.port, self.folder = kind, port, folder
        self.host = f"127.0.0.1:{port}"
        self.login = "user = mail\npassword = secret\ndbname = mail\n"
        self.select = "query = SELECT v FROM t WHERE k='%s'\n"

    def table(self, both: Both, text: str) -> str:
        """Write a configuration on both sides; the host and user are added where it has none."""
        for needed, default in (("hosts", f"hosts = {self.host}\n"), ("user", "user = mail\n"), ("password", "password = secret\n")):
            text += "" if f"{needed} =" in text else default
        text += "" if "dbname" in text or "hosts = postgres" in text else "dbname = mail\n"
        both.write("t.cf", text.replace("{port}", str(self.port)).replace("{folder}", str(self.folder)))
        return f"{self.kind}:./t.cf"


MYSQL = pytest.param("mysql", marks=pytest.mark.xdist_group("mysql"))
"""Each server is started by one worker, and not by all."""


@pytest.fixture(scope="module", params=[pytest.param("pgsql", marks=pytest.mark.xdist_group("pgsql")), MYSQL])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    kind = request.param
    serve = servers.postgresql if kind == "pgsql" else servers.mariadb
    try:
        with serve(script(kind)) as (port, folder):
            yield Database(kind, port, folder)
    except servers.ServerMissing as reason:
        requirements.missing(reason)


def same(both: Both, table: str, keys: list[str]) -> None:
    """Compare lookups; the number of a system error stands for what the client library met on its way."""
    found = []
    for key in keys:
        theirs, ours = (both.run(kind, "postmap", "-q", key, table) for kind in ("reference", "pyfix"))
        plain = [_comparable(done) for done in (theirs, ours)]
        if plain[0] != plain[1]:
            found.append(f"{key!r}\n  reference: {theirs}\n  pyfix:     {ours}")
    assert not found, "\n".join(found)


def _comparable(done: Done) -> tuple[int, str, list[str]]:
    err = [re.sub(r"(query error|escape input string): .*", r"\1", ERROR_NUMBER.sub(r"\1", line)) for line in done.err]
    return done.status, done.out, err


def test_keys_that_try_to_end_the_quotes(both: Both, database: Database) -> None:
    """Every key is only ever a key.  Source: pgsql_table(5), mysql_table(5) query."""
    for text in (database.select, "query = SELECT '%s'\n"):
        table = database.table(both, text)
        answered = both.same("postmap", "-q", "-", table, given="".join(f"{key}\n" for key in KEYS))
    # The last query gives each key back, as it is: nothing of it was taken for SQL.
    assert answered.out == "".join(f"{key}\t{key.casefold()}\n" for key in KEYS if key)


@pytest.mark.parametrize(
    "text",
    [
        "query = SELECT v,k FROM t WHERE k='%s'\n",
        "query = SELECT v FROM t WHERE k='%s'\nexpansion_limit = 1\n",
        "query = SELECT v FROM t WHERE k='%s'\nresult_format = <%s|%S|%u>\n",
        "query = SELECT v FROM t WHERE k='%u@%d' AND '%1'='com'\nresult_format = %d\n",
        "query = SELECT v FROM t WHERE k='%s'\ndomain = x.com\n",
        "table = t\nselect_field = v\nwhere_field = k\nadditional_conditions = and 1=1\n",
        "table = t\nselect_field = v\n",
        "query =\n",
        "query = SELECT 1=1, 1.50, 3, null, date('2020-01-02'), 1e30\n",
        "query = UPDATE t SET v=v WHERE k='%s'\n",
        "query = UPDATE t SET v=v WHERE 1=0\nrequire_result_set = no\n",
        "query = SELECT nosuch FROM t\n",
        "query = SELECT v FROM nosuch WHERE k='%s'\n",
        "query = nonsense\n",
        "query = SELECT 1; SELECT 2\n",
        "query = -- x\n",
        "query = SELECT v FROM t WHERE k='%s'\nidle_interval = x\n",
        "query = SELECT v FROM t WHERE k='%s'\nretry_interval = 0\n",
        "query = SELECT v FROM t WHERE k='%x'\n",
        "select_function = found\n",
        "query = CALL found('%s')\n",
        "query = SELECT v FROM t WHERE k='%s'\nencoding = LATIN1\ncharset = latin1\n",
        "query = SELECT v FROM t WHERE k='%s'\nencoding = nosuch\ncharset = nosuch\n",
    ],
)
def test_queries(both: Both, database: Database, text: str) -> None:
    """Results, the old parameters, and queries that fail: an error, never "not found".  Source: pgsql_table(5), mysql_table(5)."""
    same(both, database.table(both, text), ["m", "u@x.com", "ü"])


@pytest.mark.parametrize(
    "text",
    [
        "hosts = 127.0.0.1:1\n", "hosts = 127.0.0.1:1 127.0.0.1:1\n", "hosts = nosuch.invalid\n", "hosts = unix:/nonexistent\n",
        "hosts = inet:127.0.0.1:{port}\n", "hosts = unix:{folder}/socket\n", "hosts = unix:/nonexistent, 127.0.0.1:{port}\n",
        "password = wrong\n", "user = nobody\n", "dbname = nosuch\n", "hosts = 127.0.0.1:x\n", "hosts = localhost\n", "hosts =\n",
        "hosts = postgresql://mail:secret@127.0.0.1:{port}/mail?connect_timeout=3\n",
        "hosts = postgres://mail:secret@127.0.0.1:{port}/mail\ndbname = mail\n", "dbname =\n",
    ],
)  # fmt: skip
def test_servers(both: Both, database: Database, text: str) -> None:
    """Hosts of each form; servers that are down, or do not let us in.  Source: pgsql_table(5), mysql_table(5) hosts."""
    if "nosuch.invalid" in text and database.kind == "pgsql":
        text = "hosts = 127.0.0.2:1\n"  # libpq's text for a name that is not known depends on its version
    if "localhost" in text or "hosts =\n" in text:
        text += "user = x\n"
    same(both, database.table(both, database.select + text), ["a"])


@pytest.mark.parametrize("enabled", ["yes", "no"])
@pytest.mark.parametrize("domain", ["", "domain = bücher.example, x.com, 例え.example\n", "domain = static:x\n"])
def test_international_keys(both: Both, database: Database, domain: str, enabled: str) -> None:
    """Folded as smtputf8_enable has it, and what is no UTF-8 is refused.  Source: postconf(5) smtputf8_enable."""
    both.use_smtputf8(enabled)
    every = enabled == "yes" or database.kind == "mysql"
    keys = [key for key in INTERNATIONAL if every or valid_text(key)]  # libpq refuses others, in the way of its version
    for query in ("SELECT '%s %u %d'", "SELECT v FROM t WHERE k='%u'"):
        table = database.table(both, f"query = {query}\n{domain}")
        for key in keys:
            theirs, ours = (_comparable(both.run(kind, "postmap", "-q", key, table)) for kind in ("reference", "pyfix"))
            assert (key, theirs) == (key, ours)


OPTION_FILES = [
    ("[client]\nuser=mail\npassword=wrong\n", ""),
    ("[other]\nuser=mail\n", "option_group = other\n"),
    ("[client]\nuser=mail\n[other]\nport=1\n", "option_group = other\n"),
    ("[client-server]\nuser=mail\n", ""),
    ("[other]\nuser=mail\n[client]\nuser=nobody\n", "option_group = other\n"),
    ("[mysql]\nuser=mail\n", ""),
    ("[client]\nuser='mail'\n", ""),
    ("[client]\nuser=mail # x\n", ""),
    ("# x\n; y\n  [client]\n  user  =  mail  \n", ""),
    ("[client]\nuser=mail\ninit-command=set @a=1\n", ""),
    ('[client]\nuser=mail\ninit_command="set @a=2"\n', ""),
    ("[client]\nuser=mail\ndefault-character-set=latin1\n", ""),
    ("[client]\nuser=nobody\n", "user = mail\n"),
    ("[client]\nuser=mail\n", "password =\n"),
    ("[client]\nuser=mail\ndatabase=mysql\nhost=127.0.0.9\n", ""),
    ("[client]\nuser=mail\nport={port}\n", "hosts = 127.0.0.1\n"),
    ("[client]\nuser=mail\nsocket={folder}/socket\n", "hosts = localhost\n"),
    ("!include {dir}/more.cnf\n", ""),
    ("!includedir {dir}\n", ""),
    ("junk\n[client]\nuser=mail\n", ""),
    ("[client\nuser=mail\n", ""),
    ("[client]\nuser=mail\n", "option_group =\n"),
    ("[client]\nloose-user=mail\nUSER=mail\n", ""),
]


@pytest.mark.parametrize("database", [MYSQL], indirect=True)
def test_option_files(both: Both, database: Database, tmp_path: Path) -> None:
    """Options of the client library: files in files, groups, what the table says itself.  Source: mysql_table(5) option_file."""
    (tmp_path / "more.cnf").write_text("[client]\nuser=mail\n")
    path = tmp_path / "options"
    query = "query = SELECT CURRENT_USER(), DATABASE(), @@character_set_client, @a, '%s'\n"
    for options, more in OPTION_FILES:
        filled = options
        for name, value in {"port": database.port, "folder": database.folder, "dir": tmp_path}.items():
            filled = filled.replace(f"{{{name}}}", str(value))
        path.write_text(filled)
        text = f"option_file = {path}\ndbname = mail\n{query}{more}" + ("" if "user =" in more else "user =\n")
        same(both, database.table(both, text), ["k"])


def test_changes_nothing(both: Both, database: Database) -> None:
    """Source: pgsql_table(5), mysql_table(5)."""
    table = database.table(both, database.select)
    both.all_same("postmap", [["-s", table], ["-d", "a", table], [table], ["-i", table], ["-q", "-", table]], given="a b\n")


def test_parameters_in_main_cf(both: Both, database: Database) -> None:
    """Source: pgsql_table(5), mysql_table(5), OBSOLETE MAIN.CF PARAMETERS."""
    for place in both.folders.values():
        with (place / "etc/main.cf").open("a") as main:
            main.write(f"leg_hosts = {database.host}\nleg_user = mail\nleg_password = secret\nleg_dbname = mail\n")
            main.write("leg_query = SELECT v FROM t WHERE k='%s'\n")
        make_old(place / "etc/main.cf")
    both.all_same("postmap", [["-q", key, f"{database.kind}:leg"] for key in ("a", "none")])


def test_in_a_mail_system(parity: Parity, database: Database) -> None:
    """smtpd asks, and proxymap for cleanup; a second table whose server is down is a temporary failure.

    Source: pgsql_table(5), mysql_table(5), proxymap(8).
    """

    def case(mta: Instance) -> None:
        for recipient in ("second@ours.example", "user@ours.example", "mbox@ours.example"):
            mta.dialogue("EHLO client.example", "MAIL FROM:<sender@client.example>", f"RCPT TO:<{recipient}>", "QUIT")
        replies = mta.dialogue("EHLO down.example", "MAIL FROM:<sender@client.example>", "RCPT TO:<user@ours.example>", "QUIT")
        assert replies[2][:3] == "451"
        mta.send_message("user@ours.example")
        mta.wait_until_empty()

    login = f"hosts = {database.host}\n{database.login}"
    kind = database.kind
    parity(
        case,
        main={
            "smtpd_recipient_restrictions": f"check_helo_access inline:{{down.example=down}}, check_recipient_access {kind}:{{dir}}/etc/t.cf",
            "smtpd_restriction_classes": "down",
            "down": f"check_recipient_access {kind}:{{dir}}/etc/down.cf",
            "virtual_alias_maps": f"proxy:{kind}:{{dir}}/etc/alias.cf",
            "proxy_read_maps": f"proxy:{kind}:{{dir}}/etc/alias.cf",
            "notify_classes": "",
        },
        files={
            "t.cf": f"{login}{database.select}",
            "down.cf": f"hosts = 127.0.0.1:1\n{database.login}{database.select}",
            "alias.cf": f"{login}query = SELECT 'second@ours.example' FROM t WHERE k='%s' AND v = 'OK'\n",
        },
        deliveries=True,
    )
