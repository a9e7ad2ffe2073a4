"""ldap: OpenLDAP's server, asked by both sides with the same configuration files."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pyfix.runtime.task import gather
from pyfix.tables import ldap_server
from pyfix.tables.source import open_table
from tests.kit import requirements, servers
from tests.kit.instance import Instance
from tests.kit.openldap import BASE, Directory, need_library, slapd
from tests.kit.parity import Parity
from tests.unit.runtime.forked import on_loop

from .conftest import INTERNATIONAL, Both, make_old
from .directory import URLS, entries

pytestmark = [pytest.mark.reference, pytest.mark.root, pytest.mark.xdist_group("ldap")]

HOSTILE = [
    "*", "a*", "(", ")", "\\", "\\2a", "a)(cn=*", "a)(|(cn=*", "*)(objectclass=*", "a\\", "&", "|", "!", "=", "a=b", "cn=a", "<", ">", "~", ":dn:", ",",
    "a,ou=people", "+", ";", "#a", " a", "a ", "'", '"', "%", "%s", "\t", "\x01", "x,y\"", "\u02bb", "\uff0a", "縗", "$(x)", "/", "?", "a?b", "\\5c2a",
]  # fmt: skip
KEYS = [
    "a", "A", "many", "two", "nodrop", "u@x.com", "U@X.COM", "at", "ü", "Ü", "p(a)r*n\\", "comma", "blob", "odd", "none", "", "no drop", "@x.com", "u@",
    "user@ours.example", *HOSTILE,
]  # fmt: skip
SPECIAL = "result_attribute = groupmail\nspecial_result_attribute = memberdn, memberurl\nleaf_result_attribute = mail\n"
GROUPS = ["team", "mixed", "terminal", "leaf", "a", "two"]


@pytest.fixture(scope="module")
def directory() -> Iterator[Directory]:
    need_library()
    options = ("authz-regexp uid=([^,]*),cn=.*,cn=auth cn=$1,dc=ours,dc=example", "sasl-secprops none")
    try:
        with slapd(entries(), options=options) as running:
            yield running
    except servers.ServerMissing as reason:
        requirements.missing(reason)


def table(both: Both, directory: Directory, text: str) -> str:
    """Write a configuration on both sides; server and base of the search are added where it has none."""
    text += "" if "server_host" in text else "server_host = ldap://127.0.0.1:{port}\n"
    text += "" if "search_base" in text else f"search_base = {BASE}\n"
    both.write("t.cf", text.replace("{port}", str(directory.port)).replace("{socket}", directory.socket_url))
    return "ldap:./t.cf"


def ask(both: Both, directory: Directory, text: str, keys: list[str]) -> None:
    """Compare lookups, one command each, since an error ends it."""
    name = table(both, directory, text)
    both.all_same("postmap", [["-q", key, name] for key in keys])


@pytest.mark.parametrize(
    "text",
    [
        "", "result_attribute = cn\n", "query_filter = (|(mail=%s)(cn=%u)(ou=%d))\nresult_attribute = cn mail\n",
        f"search_base = cn=%s,ou=people,{BASE}\nquery_filter = (&(objectclass=mailThing)(!(cn=%%))(!(mail=%u)))\nresult_attribute = maildrop cn\n",
        f"search_base = cn=%u,ou=people,{BASE}\nscope = base\n",
    ],
)  # fmt: skip
def test_keys_that_try_to_change_the_search(both: Both, directory: Directory, text: str) -> None:
    """Every key is only ever a key.  Source: ldap_table(5) query_filter, search_base; RFC 4515, RFC 4514."""
    answered = both.same("postmap", "-q", "-", table(both, directory, text), given="".join(f"{key}\n" for key in KEYS))
    assert answered.status == 0
    found = {line.partition("\t")[0] for line in answered.out.splitlines()}
    # Blanks around a value mean nothing to the directory; one hostile name is that of an entry.
    assert found and not {key.strip() for key in found if key != 'x,y"'} & ({*HOSTILE} - {" a", "a "})


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("size_limit = 1\n", ["two", "a"]), ("size_limit = -1\n", ["a"]), ("expansion_limit = 1\n", ["two", "many", "a"]),
        ("expansion_limit = 2\n", ["many", "two"]), ("expansion_limit = 2\nsize_limit = 1\n", ["two", "a"]), ("expansion_limit = 1\nsize_limit = 0\n", ["two"]),
        ("expansion_limit = x\n", ["a"]), ("size_limit = x\n", ["a"]), ("recursion_limit = 0\n", ["a"]), ("recursion_limit = x\n", ["a"]),
        ("query_filter = mailacceptinggeneralid=a\n", ["a", "zz"]), ("query_filter = (cn=%s\n", ["a"]), ("query_filter =\n", ["a"]),
        ("query_filter = %x\n", ["a"]), ("query_filter = (mailacceptinggeneralid=%s)(cn=%s)\n", ["a"]), ("query_filter = %%s\n", ["a"]),
        ("query_filter = mailacceptinggeneralid=%S\n", ["a"]), ("query_filter = (nosuch=%s)\n", ["a"]), ("query_filter = %s\n", ["cn=a"]),
        ("query_filter = (&(mailacceptinggeneralid=%u@%d)(cn=a*)(!(cn=%1)))\n", ["u@x.com", "u", "@x.com"]),
        ("scope = base\n", ["a"]), ("scope = ONE\n", ["a"]), ("scope = nosuch\n", ["a"]), ("scope =\n", ["a"]), ("scope = subtree\n", ["a"]),
        (f"search_base = ou=people,{BASE}\nscope = one\n", ["a", "none"]), (f"search_base = ou=gone,{BASE}\n", ["a"]), ("search_base = nonsense\n", ["a"]),
        (f"search_base = ou=%s,{BASE}\nquery_filter = (mailacceptinggeneralid=a)\n", ["people", "gone"]),
        ("search_base =\n", ["a"]), ("search_base = %x\n", ["a"]), ("search_base = dc=%2,dc=%1\nquery_filter = (mailacceptinggeneralid=%u)\n",
            ["a@ours.example", "a@x.ours.example", "a", "a@example", "@ours.example", "a@ours.gone"]),
        ("result_attribute =\n", ["a"]), ("result_attribute = *\n", ["a"]), ("result_attribute = mail, mail maildrop\n", ["a", "two"]),
        ("result_attribute = MAIL cn\n", ["a"]), ("result_attribute = cn mail\n", ["a"]), ("result_attribute = dn nosuch 1.1\n", ["a"]),
        ("result_attribute = blob\n", ["empty", "nul", "blob"]), ("result_attribute = mail\n", ["lang"]), ("result_attribute = mail;lang-en\n", ["lang"]),
        ("result_attribute = mail;lang-en mail\n", ["lang"]), ("result_attribute = mail;lang-de\n", ["lang"]), ("result_attribute = memberdn\n", ["team"]),
        ("result_format = <%u|%d|%S>\n", ["u@x.com", "a", "at"]), ("result_format = %1\n", ["u@x.com", "a"]), ("result_format = %D:%s\n", ["u@x.com", "a"]),
        ("result_filter = <%s>\n", ["a"]), ("result_filter = <%s>\nresult_format = [%s]\n", ["a"]), ("result_format =\n", ["a"]), ("result_filter =\n", ["a"]),
        ("result_format = %x\n", ["a"]), ("domain = x.com\n", ["a", "u@x.com", "u@X.com", "@x.com", "user@ours.example"]), ("domain = .com x\n", ["u@x.com"]),
        ("cache = yes\ncache_expiry = 30\ncache_size = 5\n", ["a"]), ("cache_size = x\n", ["a"]), ("cache = maybe\n", ["a"]), ("cache = no\n", ["a"]),
        ("result_attribute = mail\nquery_filter = (cn=%s)\n", ["a", "elsewhere"]), ("result_attribute = mail\nquery_filter = (cn=%s)\nchase_referrals = yes\n", ["a"]),
        (f"result_attribute = mail\nsearch_base = cn=%s,ou=people,{BASE}\nquery_filter = cn=*\nchase_referrals = yes\n", ["elsewhere"]),
        (f"result_attribute = mail\nsearch_base = cn=%s,ou=people,{BASE}\nquery_filter = cn=*\n", ["elsewhere"]), ("chase_referrals = 1\n", ["a"]),
        ("dereference = 9\n", ["a"]), ("dereference = -1\n", ["a"]), ("dereference = x\n", ["a"]),
        *((f"query_filter = (cn=%s)\nresult_attribute = mail\ndereference = {when}\n", ["alias", "a"]) for when in range(4)),
        *((f"search_base = cn=%s,ou=people,{BASE}\nquery_filter = (cn=*)\nresult_attribute = mail\ndereference = {when}\n", ["alias"]) for when in range(4)),
    ],
)  # fmt: skip
def test_searches(both: Both, directory: Directory, text: str, keys: list[str]) -> None:
    """What is searched and what comes of it; searches that fail: an error, never "not found".  Source: ldap_table(5)."""
    ask(both, directory, text, keys)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (SPECIAL, [*GROUPS, "loop", "bad", "baddn", "langurl"]),
        (SPECIAL, [f"url{number}" for number in range(len(URLS))]),
        (SPECIAL + "terminal_result_attribute = maildrop\n", GROUPS),
        ("result_attribute = groupmail,mail\nspecial_result_attribute = memberdn, memberurl\n", [*GROUPS, "langurl", "url3"]),
        ("result_attribute = mail\nleaf_result_attribute = mail\nspecial_result_attribute = memberdn\n", GROUPS),
        ("result_attribute =\nterminal_result_attribute = mail\nspecial_result_attribute = memberdn\n", GROUPS),
        ("result_attribute =\nleaf_result_attribute = mail;lang-en\nspecial_result_attribute = memberurl\n", ["langurl", "url1", "url9"]),
        ("special_result_attribute = maildrop\n", ["a"]), ("result_attribute =\nspecial_result_attribute = maildrop\n", ["a", "many"]),
        ("result_attribute =\nspecial_result_attribute = mail maildrop memberdn\n", ["team"]),
        *((f"{SPECIAL}recursion_limit = {limit}\n", ["team", "mixed", "loop"]) for limit in (1, 2, 3)),
        (f"{SPECIAL}expansion_limit = 2\n", ["team", "mixed"]), (f"{SPECIAL}expansion_limit = 3\nsize_limit = 0\n", ["team", "mixed"]),
        (f"{SPECIAL}size_limit = 1\n", ["team", "mixed", "url0"]), (f"{SPECIAL}result_format = <%s|%S>\n", ["team"]),
        (f"{SPECIAL}dereference = 3\nscope = one\nsearch_base = ou=groups,{BASE}\n", ["team"]),
    ],
)  # fmt: skip
def test_attributes_that_name_other_entries(both: Both, directory: Directory, text: str, keys: list[str]) -> None:
    """Names and URLs are followed.  Source: ldap_table(5) special_result_attribute, leaf_result_attribute, terminal_result_attribute."""
    ask(both, directory, text, keys)


READER = f"bind_dn = cn=reader,{BASE}\n"


@pytest.mark.parametrize(
    "text",
    [
        *(f"bind = {word}\n{READER}bind_pw = secret\n" for word in ("yes", "no", "none", "simple", "SIMPLE", "nosuch", "")), f"{READER}bind_pw = wrong\n",
        "bind_dn = nonsense\nbind_pw = x\n", f"bind_dn = cn=gone,{BASE}\nbind_pw = x\n", READER, "bind_pw = x\n", "version = 2\n", "version = 2\nbind = no\n",
        f"version = 2\n{READER}bind_pw = secret\n", "version = 7\n", "version = 1\n", "version = x\n",
        "bind = sasl\nsasl_mechs = SCRAM-SHA-256\nbind_dn = reader\nbind_pw = secret\n", "bind = sasl\nsasl_mechs = SCRAM-SHA-256\nbind_dn = reader\nbind_pw = wrong\n",
        "bind = sasl\nsasl_mechs = PLAIN\nsasl_minssf = x\n", "bind = sasl\nsasl_mechs = NOSUCH\n", "bind = sasl\nsasl_mechs = EXTERNAL\n",
        *(
            f"bind = sasl\nsasl_mechs = {mechanism}\nbind_dn = reader\nbind_pw = {word}\n"
            for mechanism in ("CRAM-MD5", "GSSAPI")
            for word in ("secret", "wrong")
        ),
        "bind = SASL\nsasl_mechs = SCRAM-SHA-256\nsasl_authz_id = dn:cn=a\nbind_dn = reader\nbind_pw = secret\n", "version = 2\nbind = sasl\n",
        *(
            f"server_host = {{socket}}\n{rest}\n"
            for rest in (
                "", "version = 2", "bind = sasl\nsasl_mechs = EXTERNAL", "bind = sasl\nsasl_mechs = EXTERNAL\nbind_dn = cn=nobody\nsasl_realm = x",
                "bind = sasl\nsasl_mechs = EXTERNAL\nsasl_authz_id = dn:cn=reader", f"{READER}bind_pw = secret", "bind = sasl\nsasl_mechs = EXTERNAL\nversion = 2",
            )
        ),
    ],
)  # fmt: skip
def test_who_we_are(both: Both, directory: Directory, text: str) -> None:
    """Simple binding, SASL, or none.  Source: ldap_table(5) bind, version, LDAP SASL PARAMETERS."""
    ask(both, directory, text, ["hidden", "a"])


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ("bind_pw = secret\n", ""), ("bind_pw = secret\nsasl_realm = nowhere.example\n", ""), ("bind_pw = secret\nsasl_minssf = 56\n", ""),
        ("bind_pw = wrong\n", "49 (Invalid credentials)"), ("bind_pw = secret\nsasl_authz_id = dn:cn=a\n", "50 (Insufficient access)"),
    ],
)  # fmt: skip
def test_digest_md5(both: Both, directory: Directory, more: str, error: str) -> None:
    """The same of pyfix alone: the reference's process ends amid this mechanism (known_differences)."""
    name = table(both, directory, f"bind = sasl\nsasl_mechs = DIGEST-MD5\nbind_dn = reader\n{more}")
    done = both.run("pyfix", "postmap", "-q", "hidden", name)
    assert (done.status, done.out) == ((1, "") if error else (0, "hidden@x.example\n"))
    assert error in "".join(done.err) and bool(error) == bool(done.err)


@pytest.mark.parametrize(
    "text",
    [
        *(
            f"server_host = {hosts}\n"
            for hosts in (
                "127.0.0.1:{port}", "127.0.0.1:1 127.0.0.1:{port}", "ldap://127.0.0.1:1 ldap://127.0.0.1:{port}", "ldap://127.0.0.1:1, ldap://127.0.0.1:{port}",
                "ldap://127.0.0.1:1", "127.0.0.1:1", "[::1]:1", "::1", "localhost:x", "ldap://127.0.0.1:x", "ldap://127.0.0.1:1/dc=x??bad", "ldap://nosuch.invalid",
                "ldap://127.0.0.1:1/??bad ldap://127.0.0.1:{port}", "LDAP://127.0.0.1:{port}", "URL:ldap://127.0.0.1:{port}", "<ldap://127.0.0.1:{port}>",
                "<ldap://127.0.0.1:{port}", "cldap://x", "nosuch://127.0.0.1:1 ldap://127.0.0.1:{port}", "ldap:127.0.0.1", "ldap://127.0.0.1:{port}/dc=x", ",", "",
                "ldapi://%2Fnosuch", "ldap://[::1", "ldap://[::1]x", "ldap://127.0.0.1:1?x?y?z?w?v", "ldap://127.0.0.1:{port} ldaps://127.0.0.1:1",
            )
        ),
        "server_host = 127.0.0.1\nserver_port = {port}\n", "server_host = 127.0.0.1\nserver_port = 1\n", "server_host = ldap://127.0.0.1:1\nserver_port = {port}\n",
        "server_port = 1\n", "server_port = x\n", "server_host = ldap://127.0.0.1:1\nbind = no\n", "timeout = -1\n", "timeout = 5s\n",
        "server_host = ldap://127.0.0.1:1\nstart_tls = yes\n", "start_tls = yes\n", "start_tls = x\n", "tls_ca_cert_file = /nosuch\n", "debuglevel = x\n",
    ],
)  # fmt: skip
def test_servers(both: Both, directory: Directory, text: str) -> None:
    """Hosts and URLs of each form; servers that are down.  Source: ldap_table(5) server_host, server_port, timeout."""
    ask(both, directory, text, ["a"])


def complete(answer: bytes) -> bool:
    """Say whether the last of the messages in *answer* is a result, and no entry; messages are short here."""
    kind = 0
    while answer:
        length = answer[1]
        kind, answer = answer[4 + answer[3]], answer[2 + length :]
    return kind not in (0, 0x64, 0x73)


class Between:
    """Passes on what client and server say, and hangs up after some answers; or says nothing at all."""

    def __init__(self, port: int, answers: int) -> None:
        self._server, self._answers = port, answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with suppress(OSError, IndexError), client, socket.create_connection(("127.0.0.1", self._server)) as server:
            for _ in range(self._answers):
                server.sendall(client.recv(65536))
                answer = b""
                while not complete(answer):
                    answer += server.recv(65536)
                client.sendall(answer)
            while not self._answers and client.recv(65536):
                pass

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.mark.parametrize(("answers", "text", "connections"), [(2, "", 3), (1, "bind = no\n", 3), (1, "", 2), (0, "timeout = 1\n", 1), (0, "timeout = 1\nbind = no\n", 1)])
def test_connections_that_end(both: Both, directory: Directory, answers: int, text: str, connections: int) -> None:
    """A lost connection is opened anew, once; a server that says nothing is waited for no longer than timeout.

    Source: ldap_table(5) server_host, timeout.
    """
    between = {kind: Between(directory.port, answers) for kind in both.folders}
    try:
        for kind, one in between.items():
            for port in both.folders[kind].glob("work"):
                (port / "t.cf").write_text(f"server_host = ldap://127.0.0.1:{one.port}\nsearch_base = {BASE}\n{text}")
                make_old(port / "t.cf")
        theirs, ours = (both.run(kind, "postmap", "-q", "-", "ldap:./t.cf", given="a\nmany\nnone\n") for kind in both.folders)
        said = [[line.replace(str(between[kind].port), "PORT") for line in done.err] for kind, done in zip(both.folders, (theirs, ours), strict=True)]
        assert said[1] == [line.partition("query error")[0] + "query error" if "query error" in line else line for line in said[0]]
        assert (theirs.status, theirs.out) == (ours.status, ours.out)
        assert [one.connections for one in between.values()] == [connections, connections]
    finally:
        for one in between.values():
            one.close()


def test_side_by_side(directory: Directory, tmp_path: Path) -> None:
    """Lookups of one process go on side by side, each over a connection of its own, which later ones and other tables use again."""

    async def case() -> tuple[list[str | None], int, int]:
        names = [f"ldap:{tmp_path}/{name}.cf" for name in ("one", "two")]
        tables = [open_table(name) for name in names]
        found = await gather(*(table.find(key) for table in tables for key in ("a", "many", "none", "u@x.com")))
        opened = len(ldap_server.connections(tables[0]._servers._settings)._idle)  # type: ignore[attr-defined]  # only this type has it
        await tables[1].find("a")
        return list(found), opened, len(tables[0]._servers._idle)  # type: ignore[attr-defined]  # only this type has it

    for name in ("one", "two"):
        (tmp_path / f"{name}.cf").write_text(f"server_host = ldap://127.0.0.1:{directory.port}\nsearch_base = {BASE}\nresult_format = {name}:%s\n")
    said = on_loop(case)
    assert isinstance(said, tuple)
    found, opened, later = said
    assert found == [
        line and line.replace("NAME", name)
        for name in ("one", "two") for line in ("NAME:b", "NAME:1@x.example,NAME:2@y.example,NAME:3", None, "NAME:v@y.com")
    ]  # fmt: skip
    assert 1 <= opened <= 8 and later == opened


@pytest.mark.parametrize("enabled", ["yes", "no"])
@pytest.mark.parametrize("domain", ["", "domain = bücher.example, x.com, 例え.example\n", "domain = static:x\n"])
def test_international_keys(both: Both, directory: Directory, domain: str, enabled: str) -> None:
    """Folded as smtputf8_enable has it, and what is no UTF-8 is refused.  Source: postconf(5) smtputf8_enable."""
    both.use_smtputf8(enabled)
    ask(both, directory, f"query_filter = mailacceptinggeneralid=%u\nresult_format = %s %U %D\n{domain}", INTERNATIONAL)


def test_changes_nothing(both: Both, directory: Directory) -> None:
    """Source: ldap_table(5)."""
    name = table(both, directory, "")
    both.all_same("postmap", [["-s", name], ["-d", "a", name], [name], ["-i", name], ["-q", "-", name]], given="a b\n")
    both.all_same("postmap", [["-q", "a", "ldap:/nosuch.cf"], ["-q", "a", "ldap:"], ["-q", "a", "ldap:."]])


def test_parameters_in_main_cf(both: Both, directory: Directory) -> None:
    """Source: ldap_table(5), OBSOLETE MAIN.CF PARAMETERS."""
    for place in both.folders.values():
        with (place / "etc/main.cf").open("a") as main:
            main.write(f"leg_server_host = ldap://127.0.0.1:{directory.port}\nleg_search_base = {BASE}\nleg_result_format = <%s>\nbad_version = 1\n")
        make_old(place / "etc/main.cf")
    both.all_same("postmap", [["-q", key, f"ldap:{name}"] for name in ("leg", "bad") for key in ("a", "none")])


def test_in_a_mail_system(parity: Parity, directory: Directory) -> None:
    """smtpd asks, and proxymap for cleanup; a table whose server is down is a temporary failure.  Source: ldap_table(5), proxymap(8)."""

    def case(mta: Instance) -> None:
        for recipient in ("second@ours.example", "user@ours.example", "mbox@ours.example"):
            mta.dialogue("EHLO client.example", "MAIL FROM:<sender@client.example>", f"RCPT TO:<{recipient}>", "QUIT")
        replies = mta.dialogue("EHLO down.example", "MAIL FROM:<sender@client.example>", "RCPT TO:<user@ours.example>", "QUIT")
        assert replies[2][:3] == "451"
        mta.send_message("user@ours.example")
        mta.wait_until_empty()

    where = f"server_host = ldap://127.0.0.1:{directory.port}\nsearch_base = {BASE}\n"
    parity(
        case,
        main={
            "smtpd_recipient_restrictions": "check_helo_access inline:{down.example=down}, check_recipient_access ldap:{dir}/etc/t.cf",
            "smtpd_restriction_classes": "down",
            "down": "check_recipient_access ldap:{dir}/etc/down.cf",
            "virtual_alias_maps": "proxy:ldap:{dir}/etc/alias.cf",
            "proxy_read_maps": "proxy:ldap:{dir}/etc/alias.cf",
            "notify_classes": "",
        },
        files={
            "t.cf": where,
            "down.cf": f"server_host = ldap://127.0.0.1:1\nsearch_base = {BASE}\n",
            "alias.cf": f"{where}query_filter = (&(mailacceptinggeneralid=%s)(maildrop=OK))\nresult_format = second@ours.example\n",
        },
        deliveries=True,
    )
