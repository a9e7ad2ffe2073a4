"""sqlite: the same files and queries on both sides."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pyfix.tables.table import valid_text
from tests.kit.instance import TRUSTED, Instance
from tests.kit.parity import Parity

from .conftest import INTERNATIONAL, Both, make_old

pytestmark = [pytest.mark.reference, pytest.mark.root]

CONTENT = """
create table t(k text, v text);
insert into t values('a','b'),('m','1'),('m','2'),('m','3'),('e',''),('n',null),('u@x.com','v@y.com'),('q''uote','quoted'),
  ('é','ü'),('n0',7),('dup','x'),('dup',''),('dup','z@'),('dup','@d.com'),('dup','y@e.com'),('dup',null),('long','x,y');
create table f(k text, v real); insert into f values ('a',1.5),('b',2),('c',1e30),('d',-0.1);
create table i(k text, v text); insert into i values('ü','ö'),('用户','ß');
create table b(k text, v blob); insert into b values('a',x'ff41'),('z',x'410042');
"""
SELECT = "query = SELECT v FROM t WHERE k='%s'\n"
KEYS = ["a", "m", "e", "n", "u@x.com", "q'uote", "é", "É", "A", "none", "n0", "", "a' OR '1'='1", "\\", "%s", "a';--", "dup", "long"]
ADDRESSES = [
    "a@x.com", "a@X.COM", "a", "@x.com", "m@x.com", "a@.x.com", "m@a@x.com", "a@", "@", "a@y.com", "a@z.y.com", "a@file.com", "a@a.x.com",
    "a@com", "a@x..com", "a@x.com.", "u@x.com",
]  # fmt: skip
CONFIGURATIONS = {
    "ok": (SELECT, KEYS),
    "double_quotes": ('query = SELECT v FROM t WHERE k="%s"\n', ["a"]),
    "no_quotes": ("query = SELECT v FROM t WHERE k=%S and %d\n", ["a"]),
    "mixed_quotes": ("query = SELECT v FROM t WHERE k='%s' and 'x%uy'='' and k=\"x%dy\" \n", ["a", "a@b"]),
    "no_query": ("", ["a"]),
    "empty_query": ("query = \n", ["a"]),
    "two_statements": (SELECT.replace("\n", "; SELECT 1\n"), ["a", "a;b", "a';"]),
    "semicolon": ("query = SELECT v FROM t WHERE k='m'; \n", ["a"]),
    "limit": (SELECT + "expansion_limit=2\n", ["a", "m", "e", "dup"]),
    "limit_3": (SELECT + "expansion_limit=3\n", ["m", "dup"]),
    "limit_x": (SELECT + "expansion_limit=x\n", ["a"]),
    "limit_negative": (SELECT + "expansion_limit=-1\n", ["a", "m"]),
    "format": (SELECT + "result_format=<%s|%u|%S>%%\n", ["a", "m", "u@x.com", "e", "dup"]),
    "format_2": (SELECT + "result_format=%d %1 %D %U\n", ["a", "u@x.com", "dup"]),
    "format_user": (SELECT + "result_format=%u\n", ["dup", "u@x.com", "a"]),
    "format_constant": (SELECT + "result_format=here\n", ["dup", "m", "none"]),
    "format_wrong": (SELECT + "result_format=%x\n", ["a"]),
    "format_empty": (SELECT + "result_format=\n", ["a"]),
    "query_0": ("query = SELECT v FROM t WHERE k='%0'\n", ["a"]),
    "query_percent": ("query = SELECT v FROM t WHERE k='%'\n", ["a"]),
    "query_percents": ("query = SELECT '%%' FROM t WHERE k='%s'\n", ["a"]),
    "old": ("table=t\nselect_field=v\nwhere_field=k\nadditional_conditions=and v<>'x'\n", ["a", "m", "x' or 'y"]),
    "old_without_where": ("table=t\nselect_field=v\n", ["a"]),
    "old_without_field": ("table=t\nwhere_field=v\n", ["a"]),
    "reals": ("query = SELECT v FROM f WHERE k='%s'\n", ["a", "b", "c", "d"]),
    "blobs": ("query = SELECT v FROM b WHERE k='%s'\n", ["a", "z"]),
    "two_columns": ("query = SELECT k,v FROM t WHERE k='%s'\n", ["a"]),
    "parts": ("query = SELECT v||'%d' FROM t WHERE k='%u' and 'com'='%1' and 'x'='%2'\n", ADDRESSES),
    "upper_parts": ("query = SELECT v||'%D' FROM t WHERE k='%U' or k='%S'\n", ADDRESSES),
    "domain": ("query = SELECT v FROM t WHERE k='%u'\ndomain=x.com, .y.com, {work}/domains\n", ADDRESSES),
    "domain_of_no_type": ("query = SELECT v FROM t WHERE k='%u'\ndomain=nosuch:x\n", ["a@x.com"]),
    "garbage": ("garbage\n", ["a"]),
    "macro": ("query = SELECT v FROM t WHERE k='$x%s'\nx=\n", ["a", "$x"]),
    "twice": (SELECT + "query = SELECT 'twice'\n", ["a"]),
    "constant": ("query = SELECT v FROM t where k='m'\n", ["a", "é"]),
}  # fmt: skip


def prepare(both: Both, configuration: str) -> None:
    for place in both.folders.values():
        work = place / "work"
        text = configuration.replace("{work}", str(work))
        (work / "t.cf").write_text(text if "dbpath" in text else f"{text}dbpath = {work}/db\n")
        make_old(work / "t.cf")
        (work / "domains").write_text("file.com\n")
        (work / "db").unlink(missing_ok=True)
        database = sqlite3.connect(work / "db")
        database.executescript(CONTENT)
        database.close()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations(both: Both, name: str) -> None:
    """Queries, results, parts of keys, the old parameters; keys that try to end the quotes.  Source: sqlite_table(5)."""
    configuration, keys = CONFIGURATIONS[name]
    prepare(both, configuration)
    both.all_same("postmap", [["-q", key, "sqlite:./t.cf"] for key in keys])
    if not name.startswith("limit"):  # the reference loses what it has found when an error follows
        both.same("postmap", "-q", "-", "sqlite:./t.cf", given="".join(f"{key}\n" for key in keys))


@pytest.mark.parametrize(
    ("configuration", "fatal"),
    [
        ("query = SELECT nosuch FROM t\n", True),
        ("query = SELECT v FROM t WHERE k=%s\n", True),
        ("query = SELECT v FROM nosuch WHERE k='%s'\n", True),
        ("query = nonsense\n", True),
        ("query = -- x\n", False),
        ("query = UPDATE t SET v='z' WHERE k='a'\n", False),
        (SELECT + "dbpath = {work}/domains\n", True),
        (SELECT + "dbpath = /nonexistent/db\n", True),
        (SELECT + "dbpath = {work}/nosuchdb\n", True),
        (SELECT + "dbpath = \n", True),
    ],
)
def test_errors(both: Both, configuration: str, fatal: bool) -> None:
    """What is wrong with the query or the file is an error, and never "not found".  Source: sqlite_table(5)."""
    prepare(both, configuration)
    theirs, ours = (both.run(kind, "postmap", "-q", "a", "sqlite:./t.cf") for kind in ("reference", "pyfix"))
    assert theirs.status == ours.status == 1
    # The library's texts end with a line break, which the reference shows as a question mark; and a step that failed
    # ends its process, too.
    texts = [[line.rstrip("?").replace("reference", "pyfix") for line in done.err] for done in (theirs, ours)]
    assert texts[1][: None if fatal else 1] == texts[0][: None if fatal else 1] or ": query error" in texts[0][-1]
    assert len(ours.err) == (1 if fatal and "contains >" not in ours.err[0] else 2)
    assert not Path(both.path("pyfix", "nosuchdb")).exists()


@pytest.mark.parametrize("enabled", ["yes", "no"])
@pytest.mark.parametrize("domain", ["", "domain = bücher.example, x.com, 例え.example\n", "domain = static:x\n"])
def test_international_keys(both: Both, domain: str, enabled: str) -> None:
    """Folded as smtputf8_enable has it, and what is no UTF-8 is refused.  Source: postconf(5) smtputf8_enable."""
    both.use_smtputf8(enabled)
    keys = INTERNATIONAL if enabled == "yes" else [key for key in INTERNATIONAL if valid_text(key)]
    for query in ("SELECT '%s %u %d'", "SELECT v FROM i WHERE k='%u'"):
        prepare(both, f"query = {query}\n{domain}")
        if not domain and "%d" in query:
            both.all_same("postmap", [[option, key, "sqlite:./t.cf"] for key in keys for option in ("-q", "-fq")])
        given = "".join(f"{key}\n" for key in keys).encode(errors="surrogateescape")
        for option in ("-q", "-fq"):
            done = both.same("postmap", option, "-", "sqlite:./t.cf", given=given)
            assert done.out and not any("fatal" in line for line in done.err), "all keys were asked"


def test_changes_nothing(both: Both) -> None:
    """Source: sqlite_table(5)."""
    prepare(both, SELECT)
    table = "sqlite:./t.cf"
    both.all_same("postmap", [["-s", table], ["-d", "a", table], [table], ["-i", table], ["-q", "a", "sqlite:./none.cf"]], given="a b\n")


def test_parameters_in_main_cf(both: Both) -> None:
    """``sqlite:name`` takes its parameters from main.cf.  Source: sqlite_table(5), OBSOLETE MAIN.CF PARAMETERS."""
    prepare(both, SELECT)
    for place in both.folders.values():
        with (place / "etc/main.cf").open("a") as main:
            main.write(f"leg_query = SELECT v FROM t WHERE k='%s'\nleg_dbpath = $folder/db\nfolder = {place}/work\nnol_query = x\n")
            main.write("lim_query = x\nlim_dbpath = x\nlim_expansion_limit = y\n")
    both.all_same("postmap", [["-q", "a", f"sqlite:{name}"] for name in ("leg", "nol", "lim", "none")])


def test_in_a_mail_system(parity: Parity, tmp_path: Path) -> None:
    """smtpd, cleanup and trivial-rewrite ask SQLite, and proxymap does for them.  Source: sqlite_table(5), proxymap(8)."""
    database = sqlite3.connect(tmp_path / "db")
    database.executescript(
        "create table access(k text, v text); create table t(k text, v text);"
        "insert into access values('second@ours.example','REJECT sqlite says no');"
        "insert into t values('alias@ours.example','user@ours.example'),('alias@ours.example','mbox@ours.example'),"
        "('gone.example','error:no more');"
    )
    database.close()
    def case(mta: Instance) -> None:
        for recipient in ("second@ours.example", "nosuch@ours.example", "alias@ours.example"):
            mta.dialogue("EHLO client.example", "MAIL FROM:<sender@client.example>", f"RCPT TO:<{recipient}>", "QUIT")
            mta.settle()  # of two processes the lines are compared in their order
        replies = mta.dialogue("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<x@gone.example>", "QUIT", client=TRUSTED)
        assert replies[2].startswith("550")
        mta.send_message("alias@ours.example")
        mta.wait_until_empty()

    parity(
        case,
        main={
            "smtpd_recipient_restrictions": "check_recipient_access sqlite:{dir}/etc/access.cf",
            "virtual_alias_maps": "proxy:sqlite:{dir}/etc/t.cf",
            "transport_maps": "sqlite:{dir}/etc/t.cf",
            "proxy_read_maps": "proxy:sqlite:{dir}/etc/t.cf",
            "notify_classes": "",
            "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
        },
        files={
            "db": (tmp_path / "db").read_bytes(),
            "t.cf": f"{SELECT}dbpath = {{dir}}/etc/db\n",
            "access.cf": f"{SELECT.replace(' t ', ' access ')}dbpath = {{dir}}/etc/db\n",
        },
        deliveries=True,
        logs="smtpd",
    )
