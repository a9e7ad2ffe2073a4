"""The entries of the directory that the cases of ldap: ask."""

from __future__ import annotations

from tests.kit.openldap import BASE


def _entry(dn: str, *attributes: str, kind: str = "mailThing") -> str:
    name, _, value = dn.split(",", maxsplit=1)[0].partition("=")
    lines = [f"dn: {dn},{BASE}" if dn else f"dn: {BASE}", f"objectClass: {kind}"]
    if dn and not any(line.startswith(f"{name}:") for line in attributes):
        lines.append(f"{name}: {value}")
    return "\n".join([*lines, *attributes, "", ""])


def person(name: str, *attributes: str) -> str:
    """Return an entry below ``ou=people``."""
    return _entry(f"cn={name},ou=people", *attributes)


def entries() -> str:
    """Return the whole directory as LDIF."""
    url = "memberurl: ldap:///ou=people," + BASE
    return "".join(
        [
            _entry("", "objectClass: organization", "dc: ours", "o: ours", kind="dcObject"),
            *(_entry(f"ou={name}", kind="organizationalUnit") for name in ("people", "groups", "closed")),
            _entry("cn=reader", "userPassword: secret"),
            _entry("cn=hidden,ou=closed", "mailacceptinggeneralid: hidden", "maildrop: hidden@x.example"),
            person("a", "mailacceptinggeneralid: a", "maildrop: b", "mail: a@ours.example"),
            person("many", "mailacceptinggeneralid: many", "maildrop: 1@x.example", "maildrop: 2@y.example", "maildrop: 3"),
            person("two1", "mailacceptinggeneralid: two", "maildrop: first@x.example", "mail: two1@ours.example"),
            person("two2", "mailacceptinggeneralid: two", "maildrop: second@x.example", "mail: two2@ours.example"),
            person("no drop", "mailacceptinggeneralid: nodrop", "mail: nodrop@ours.example"),
            person("address", "mailacceptinggeneralid: u@x.com", "maildrop: v@y.com"),
            person("at", "mailacceptinggeneralid: at", "maildrop: @y.com"),
            person("umlaut", "mailacceptinggeneralid: ü", "maildrop: ö"),
            person("paren", "mailacceptinggeneralid: p(a)r*n\\", "maildrop: quoted"),
            person("comma", "cn: x,y", "mailacceptinggeneralid: comma", "maildrop: comma,separated"),
            person("blob", "mailacceptinggeneralid: blob", "blob:: gQAB", "maildrop: text"),
            person("user", "mailacceptinggeneralid: user@ours.example", "maildrop: OK"),
            person("second", "mailacceptinggeneralid: second@ours.example", "maildrop: REJECT"),
            _entry('cn=x\\2Cy\\22,ou=people', "cn: x,y\"", "mailacceptinggeneralid: odd", "maildrop: odd name"),
            _entry(
                "cn=team,ou=groups", "mailacceptinggeneralid: team", "groupmail: list@ours.example", "mail: team@ours.example",
                f"memberdn: cn=two1,ou=people,{BASE}", f"memberdn: cn=two2,ou=people,{BASE}",
            ),
            _entry(
                "cn=mixed,ou=groups", "mailacceptinggeneralid: mixed", "groupmail: other@ours.example", "mail: mixed@ours.example",
                f"memberdn: cn=team,ou=groups,{BASE}", f"memberdn: cn=gone,ou=people,{BASE}", f"{url}?mail?one?(cn=a)",
            ),
            _entry("cn=loop,ou=groups", "mailacceptinggeneralid: loop", "mail: loop@ours.example", f"memberdn: cn=loop,ou=groups,{BASE}"),
            _entry(
                "cn=terminal,ou=groups", "mailacceptinggeneralid: terminal", "maildrop: here@ours.example", "mail: terminal@ours.example",
                f"memberdn: cn=two1,ou=people,{BASE}",
            ),
            *(
                _entry(f"cn=url{number},ou=groups", f"mailacceptinggeneralid: url{number}", f"mail: url{number}@ours.example", f"memberurl: {text}")
                for number, text in enumerate(URLS)
            ),
            person("empty", "mailacceptinggeneralid: empty", "blob:"),
            person("nul", "mailacceptinggeneralid: nul", "blob:: YQBi"),
            person("lang", "mailacceptinggeneralid: lang", "mail: plain@ours.example", "mail;lang-en: english@ours.example"),
            _entry("cn=lang url,ou=groups", "mailacceptinggeneralid: langurl", f"{url}?mail;lang-en?one?(cn=lang)"),
            _entry(
                "cn=bad,ou=groups", "mailacceptinggeneralid: bad", "memberurl: ldap:///x?y?z", "memberurl: ldap:///x?y?zz", f"memberdn: cn=gone,{BASE}",
                f"memberdn: cn=a,ou=people,{BASE}", "groupmail: behind@ours.example",
            ),
            _entry(
                "cn=bad dn,ou=groups", "mailacceptinggeneralid: baddn", f"memberdn: cn=gone,{BASE}", "groupmail: between@ours.example", "memberurl: nonsense",
                f"{url}?mail?one?(cn=a)",
            ),
            _entry("cn=elsewhere,ou=people", "cn: elsewhere", "ref: ldap://127.0.0.1:{port}/cn=a,ou=people," + BASE, "objectClass: extensibleObject", kind="referral"),
            _entry("cn=alias,ou=people", "cn: alias", f"aliasedObjectName: cn=a,ou=people,{BASE}", "objectClass: extensibleObject", kind="alias"),
            _entry("cn=leaf,ou=groups", "mailacceptinggeneralid: leaf", "mail: leaf@ours.example", "groupmail: g@ours.example"),
        ]
    )  # fmt: skip


_PEOPLE = f"ldap:///ou=people,{BASE}"
URLS = (
    f"{_PEOPLE}??one?(mailacceptinggeneralid=two)", f"{_PEOPLE}?mail,maildrop?sub?(cn=two1)", f"{_PEOPLE}?cn?one?(cn=a)",
    f"{_PEOPLE}?*?one?(cn=a)", "ldap:///ou=people?x?y?z?w?v", "http://nowhere.example/", "cn=a,ou=people", f"{_PEOPLE}?mail",
    f"ldap:///cn=gone,{BASE}?mail?base", f"{_PEOPLE}?mail;lang-en?one?(cn=a)", f"ldap:///{BASE}?mail?sub?(cn=",
    f"ldap:///cn=a,ou=people,{BASE}", "plain text", f"ldap://127.0.0.1:1/cn=a,ou=people,{BASE}?mail?base",
)  # fmt: skip
