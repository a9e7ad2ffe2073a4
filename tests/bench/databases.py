"""Servers of databases for the bench: each is started when a row wants it, once, and ends with the bench."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache

from tests.kit import servers
from tests.kit.openldap import BASE, slapd

KINDS = ("pgsql", "mysql", "ldap", "memcache")
KEYS = 1000
"""The tables have key0 and the following, so many; memcached has nothing."""

_ROWS = ", ".join(f"('key{number}', 'box{number}')" for number in range(KEYS))
_SCRIPT = f"create table t(k varchar(100) primary key, v varchar(100)); insert into t values {_ROWS};"
_LOGIN = "hosts = 127.0.0.1:{port}\nuser = mail\npassword = secret\ndbname = mail\nquery = SELECT v FROM t WHERE k='%s'\n"
_LDIF = "\n".join([
    f"dn: {BASE}", "objectClass: dcObject", "objectClass: organization", "dc: ours", "o: ours", "",
    *(f"dn: ou=key{number},{BASE}\nobjectClass: organizationalUnit\nou: key{number}\ndescription: box{number}\n" for number in range(KEYS)),
])  # fmt: skip

_running = ExitStack()
atexit.register(_running.close)


@cache
def configuration(kind: str) -> str:
    """Return the file of parameters of a table that asks the server.  Raises ServerMissing."""
    if kind == "memcache":
        return f"memcache = inet:127.0.0.1:{_running.enter_context(servers.memcached())}\n"
    if kind == "ldap":
        port = _running.enter_context(slapd(_LDIF)).port
        parameters = f"search_base = {BASE}\nquery_filter = (ou=%s)\nresult_attribute = description\nbind = no\n"
        return f"server_host = ldap://127.0.0.1:{port}\nversion = 3\n{parameters}"
    serve = servers.postgresql if kind == "pgsql" else servers.mariadb
    port, _ = _running.enter_context(serve(_SCRIPT))
    return _LOGIN.format(port=port)
