"""mongodb: tables, against a double that speaks MongoDB's wire protocol: neither Debian nor PyPI has the real server."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyfix.tables.source import open_table
from pyfix.tables.table import Table, TableError
from tests.kit.certificates import make_certificates
from tests.kit.mongodouble import MongoDouble, mongo_double
from tests.unit.runtime.forked import on_loop

from .conftest import Notices

bson = pytest.importorskip("bson")

MAILBOXES = [
    {"_id": bson.ObjectId(), "username": "a@x.com", "active": 1, "goto": "b@y.com", "alias": [{"address": "al@x.com"}]},
    {"_id": bson.ObjectId(), "username": "many@x.com", "active": 1, "goto": ["1@y.com", ["2@y.com", 3], bson.Int64(4)], "quota": 5},
    {"_id": bson.ObjectId(), "username": "odd@x.com", "active": 1, "goto": True, "rate": 1.5, "more": {"x": "y"}, "none": None, "last": "z"},
    {"_id": bson.ObjectId(), "username": "off@x.com", "active": 0, "goto": "b@y.com"},
    {"_id": bson.ObjectId(), "username": 'q"u\\o', "active": 1, "goto": "quoted"},
    {"_id": bson.ObjectId(), "username": "empty", "active": 1, "goto": ""},
]
FILTER = 'query_filter = {"$or": [{"username": "%s"}, {"alias.address": "%s"}], "active": 1}\n'
HOSTILE = ['"', '\\"', '", "active": 0, "x": "', '"}', "{}", '{"$gt": ""}', "$ne", "\\u0022", "\\", "%s", "\n", "\x01", '"}], "$where": "1', "ü", "\u2028"]


@pytest.fixture
def double() -> Iterator[MongoDouble]:
    with mongo_double({"mailbox": MAILBOXES}) as running:
        yield running


def opened(tmp_path: Path, double: MongoDouble, text: str = "result_attribute = goto\n", options: str = "") -> Table:
    settings = f"uri = mongodb://127.0.0.1:{double.port}/{options}\ndbname = mail\ncollection = mailbox\n"
    (tmp_path / "t.cf").write_text(settings + ("" if "query_filter" in text else FILTER) + text)
    return open_table(f"mongodb:{tmp_path}/t.cf", share=False)


def test_without_the_library(tmp_path: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymongo", None)
    with pytest.raises(TableError, match=r"^unsupported dictionary type: mongodb$"):
        open_table(f"mongodb:{tmp_path}/t.cf")
    assert "pip install 'pyfix[mongodb]'" in notices[0]


def test_results(tmp_path: Path, double: MongoDouble, notices: Notices) -> None:
    table = opened(tmp_path, double)
    assert not table.local
    assert table.find_now("A@x.com") == "b@y.com"
    assert table.find_now("al@x.com") == "b@y.com"
    assert table.find_now("many@x.com") == "1@y.com,2@y.com,3,4"
    assert table.find_now("off@x.com") is None
    assert table.find_now('q"u\\o') == "quoted"
    assert notices == []
    assert table.find_now("empty") is None
    assert "empty lookup result" in notices.take()[0]
    assert table.find_now("odd@x.com") is None
    assert notices.take() == [f"warning: mongodb:{tmp_path}/t.cf: field goto: type bool is ignored"]
    assert double.finds[0]["projection"] == {"_id": 0, "goto": 1}
    table.close()


def test_in_the_event_loop(tmp_path: Path, double: MongoDouble) -> None:
    async def case() -> str | None:
        return await opened(tmp_path, double).find("many@x.com")

    assert on_loop(case) == "1@y.com,2@y.com,3,4"


def test_fields(tmp_path: Path, double: MongoDouble, notices: Notices) -> None:
    assert opened(tmp_path, double, 'projection = {"goto": 1, "quota": true}\n').find_now("many@x.com") == "1@y.com,2@y.com,3,4,5"
    assert double.finds[-1]["projection"] == {"goto": 1, "quota": True, "_id": 0}
    assert opened(tmp_path, double, "result_attribute = quota, username\n").find_now("many@x.com") == "many@x.com,5"
    assert opened(tmp_path, double, "").find_now("odd@x.com") == "odd@x.com,1,z"
    assert [line.rpartition("type ")[2] for line in notices.take()] == [
        "bool is ignored", "float is ignored", "dict is ignored", "NoneType is ignored",
    ]  # fmt: skip


def test_formats_and_limits(tmp_path: Path, double: MongoDouble, notices: Notices) -> None:
    assert opened(tmp_path, double, "result_attribute = goto\nresult_format = <%u|%d|%S>\n").find_now("a@x.com") == "<b|y.com|a@x.com>"
    assert opened(tmp_path, double, "domain = y.com\nresult_attribute = goto\n").find_now("a@x.com") is None
    with pytest.raises(TableError, match="query error"):
        opened(tmp_path, double, "expansion_limit = 3\nresult_attribute = goto\n").find_now("many@x.com")
    assert "Expansion limit exceeded for key" in notices[0]
    parts = 'query_filter = {"username": "%u@%d", "%1": "%%"}\n'
    assert opened(tmp_path, double, parts).find_now("a@x.com") is None
    assert double.finds[-1]["filter"] == {"username": "a@x.com", "com": "%"}
    before = len(double.finds)
    assert opened(tmp_path, double, parts).find_now("a") is None
    assert len(double.finds) == before


@pytest.mark.parametrize("key", HOSTILE)
def test_keys_that_try_to_change_the_query(tmp_path: Path, double: MongoDouble, key: str) -> None:
    """Every key is only ever a string."""
    assert opened(tmp_path, double, 'query_filter = {"username": "%s", "active": 1}\n').find_now(key) is None
    assert [find["filter"] for find in double.finds] == [{"username": key.casefold(), "active": 1}]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('projection = {"a": 1}\nresult_attribute = a\n', "both set"), ("projection = {\n", "projection: "), ("projection = []\n", "no document"),
        ("query_filter = %x\n", "Invalid query template"), ("query_filter =\n", "bad string length 0 < 1: query_filter"),
        ("expansion_limit = x\n", "bad numerical"), ("uri = nonsense\n", "uri: "), ("uri =\n", "bad string length 0 < 1: uri"),
    ],
)  # fmt: skip
def test_settings_that_are_wrong(tmp_path: Path, double: MongoDouble, text: str, problem: str) -> None:
    with pytest.raises(TableError, match=problem):
        opened(tmp_path, double, text)


def test_what_fails_is_never_not_found(tmp_path: Path, double: MongoDouble, notices: Notices) -> None:
    for text in ('query_filter = {"a": %s}\n', "query_filter = [1]\n", 'query_filter = {"a": {"$oid": "%s"}}\n'):
        with pytest.raises(TableError, match="query error"):
            opened(tmp_path, double, text).find_now("x")
    assert len(notices.take()) == 3
    double.failure = {"ok": 0.0, "errmsg": "not authorized on mail", "code": 13, "codeName": "Unauthorized"}
    with pytest.raises(TableError, match="query error"):
        opened(tmp_path, double).find_now("a@x.com")
    assert "not authorized on mail" in notices.take()[0]


def test_a_server_that_is_silent_or_down(tmp_path: Path, double: MongoDouble, notices: Notices) -> None:
    double.silent = True
    with pytest.raises(TableError, match="query error"):
        opened(tmp_path, double, options="?timeoutMS=300").find_now("a@x.com")
    double.close()
    with pytest.raises(TableError, match="query error"):
        opened(tmp_path, double, options="?serverSelectionTimeoutMS=100").find_now("a@x.com")
    assert len(notices) == 2


def test_tls(tmp_path: Path, notices: Notices) -> None:
    """Source: mongodb_table(5) uri, connection strings of MongoDB."""
    own = make_certificates(tmp_path / "own", ["127.0.0.1"])
    other = make_certificates(tmp_path / "other", ["other.example"], stem="other")
    wrong_name = make_certificates(tmp_path / "wrong", ["other.example"], stem="wrong")
    for served, trusted, answer in ((own, own, "b@y.com"), (own, other, None), (wrong_name, wrong_name, None)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(served.certificate, served.key)
        with mongo_double({"mailbox": MAILBOXES}, context) as double:
            table = opened(tmp_path, double, options=f"?tls=true&tlsCAFile={trusted.ca}&serverSelectionTimeoutMS=300")
            if answer is None:
                with pytest.raises(TableError, match="query error"):
                    table.find_now("a@x.com")
                assert "certificate verify failed" in notices.take()[0]
            else:
                assert table.find_now("a@x.com") == answer
