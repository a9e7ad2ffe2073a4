"""Random main.cf and master.cf with every construct of the language, good and bad; a seed gives the same ones always."""

from __future__ import annotations

import random
from dataclasses import dataclass

from pyfix.config import catalogue

OWN = ("own_a", "own_b", "own_c", "own_d", "cls_a", "cls_b")
LEGACY = ("virtual_maps", "fallback_relay", "smtp_use_tls", "smtpd_enforce_tls", "lmtp_cname_overrides_servername", "permit_mx_backup_networks")
SERVICES = ("foo", "bar", "smtp", "submission", "127.0.0.1:10025", "spawned", "relay")
OF_SERVICES = ("foo_destination_recipient_limit", "bar_time_limit", "spawned_time_limit", "smtp_destination_rate_delay", "zzz_time_limit")
OF_TABLES = ("src_dbname", "src_server_host", "src_user", "src_bogus", "src_query", "two_hosts", "two_ttl", "src_bind_dn")
TABLES = ("ldap:src", "mysql:src", "proxy:pgsql:two", "memcache:two", "hash:/etc/x", "inline:{a=b, c=d}", "pipemap:{ldap:src,static:x}")
NOT_TOUCHED = ("inet_interfaces", "inet_protocols", "mynetworks_style", "config_directory", "myhostname", "mydomain", "daemon_directory", "process_id", "process_name")
"""Names that decide what the machine is asked, and read-only ones, which the reference takes notice of by chance."""

BUILT_IN = sorted(
    name
    for name, found in catalogue.all_parameters().items()
    if not found.legacy and not found.own and name not in NOT_TOUCHED
)
_WORDS = ("permit", "reject", "a", "b2", "yes", "no", "10", "3.6", "5m", "user@example.com", "x" * 30, "y" * 75, "check_sender_access", "\u00fc", "\udce9",
          "it's", '"q', "\\", "a=b", "=", "a,b", ",", "!x", "{a b}", "{a,b}", "[::1]:25", "/etc/mailname", "-o", "#c", "# c", "a#b", "{", "}", "%", "<&>")  # fmt: skip
_DOMAINS = ("a.example", "xn--bcher-kva.example", "b\u00fccher.example", "$mail_version", "a..b", "")
_JOINTS = (" = ", "=", " =", "= ", " =\n  ", "=\n# c\n\n\t", "\t=\t", " = \n\n ")
_INNER = (" ", "  ", "\t", "\n ", "\n\t", "\n# in\n  ", "\n\n  ", ", ", ",", " \r\n ", "\v", "\f")


@dataclass(frozen=True)
class Site:
    """Two files."""

    main_cf: str
    master_cf: str


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.wild = False
        """Whether faults that end the command may be in what is made; which one is told of, of several, is by chance."""

    def site(self) -> Site:
        some = self.random
        wild = some.randrange(7)
        self.wild = wild == 0
        lines = [self.setting() for _ in range(some.randrange(1, 14))]
        if some.random() < 0.9:
            lines.append("mynetworks = 127.0.0.1\n")
        if some.random() < 0.7:
            lines.append(f"compatibility_level = {some.choice(['0', '1', '2', '3', '3.6', '3.11', '4'])}\n")
        some.shuffle(lines)
        self.wild = wild == 1
        services = "".join(self.entry() for _ in range(some.randrange(0, 7)))
        return Site("".join(lines), services)

    def name(self) -> str:
        some = self.random
        kind = some.random()
        if kind < 0.35:
            return some.choice(BUILT_IN)
        if kind < 0.6:
            return some.choice(OWN)
        if kind < 0.67:
            return "smtpd_restriction_classes"
        if kind < 0.74:
            return "virtual_alias_maps"
        if kind < 0.80:
            return some.choice(LEGACY)
        if kind < 0.86:
            return some.choice(OF_SERVICES)
        if kind < 0.95:
            return some.choice(OF_TABLES)
        return some.choice(["a.b", "nosuch", "service_name", "mail_version", "\u00e9", "x-y", "stress", "A"])

    def setting(self) -> str:
        some = self.random
        if some.random() < 0.1:
            return some.choice(["# comment\n", "\n", "  \n", " # x\n", "#a = b\n", "\t\n# x\n"])
        if self.wild and some.random() < 0.04:
            return some.choice(["nonsense\n", "= x\n", "a b = c\n", "==\n", "mail_name = a\0b\n", "nul\0 = x\n"])
        name = self.name()
        if name == "smtpd_restriction_classes":
            value = some.choice(["cls_a", "cls_a, cls_b", "$own_a", "cls_a cls_c", "{cls_a}", ""])
        elif name == "virtual_alias_maps":
            value = ", ".join(some.choice([*TABLES, "$own_b", "hash:$own_c"]) for _ in range(some.randrange(3)))
        elif name == "compatibility_level":
            value = "3.6"
        else:
            value = self.value()
        return f"{name}{some.choice(_JOINTS)}{value}\n"

    def value(self) -> str:
        some = self.random
        count = some.choice([0, 1, 1, 1, 2, 3, 6, 12])
        return "".join((some.choice(_INNER) if some.random() < 0.5 else " ") + self.word() for _ in range(count))

    def word(self, depth: int = 0) -> str:
        some = self.random
        kind = some.random()
        if kind < 0.55:
            return some.choice(_WORDS if depth == 0 else _WORDS[:15])
        if kind < 0.62:
            return some.choice(TABLES)
        if kind < 0.75:
            return some.choice(["${}", "$({})", "${{{}}}", "${{ {} }}"]).format(self.referred()) + some.choice(["", "", ".x", "_"])
        return self.expression(depth)

    def referred(self) -> str:
        some = self.random
        if some.random() < 0.7:
            return some.choice([*OWN, "undefined_one", "src_dbname", "bar_time_limit", "virtual_maps"])
        return some.choice(["myhostname", "mail_name", "service_name", "process_name", "stress", "compatibility_level", "mail_version", "relay_domains"])

    def expression(self, depth: int) -> str:
        some = self.random
        inner = [self.word(depth + 1) if depth < 3 else some.choice(["a", "$own_a", ""]) for _ in range(4)]
        blank = some.choice(["", "", " "])
        name = self.referred()
        match some.randrange(8):
            case 0:
                return f"${{{name}?{{{inner[0]}}}{blank}:{blank}{{{inner[1]}}}}}"
            case 1:
                return f"${{{name}{blank}?{inner[0]}}}"
            case 2:
                return f"${{{name}:{blank}{{{inner[0]}}}}}"
            case 3:
                operator = some.choice(["==", "!=", "<", "<=", ">", ">="])
                return f"${{{{{inner[0]}}}{blank}{operator}{blank}{{{inner[1]}}}?{{{inner[2]}}}:{{{inner[3]}}}}}"
            case 4:
                operator = some.choice(["==", "!=", "<", "<=", ">", ">="])
                return f"${{{{{some.choice(['3', '3.6', '$compatibility_level'])}}} {operator}level {{3.6}} ? {{{inner[0]}}}}}"
            case 5:
                return f"${{domain_to_{some.choice(['ascii', 'utf8'])}{{{some.choice(_DOMAINS)}}}}}"
            case 6:
                return "$$" + inner[0]
            case _ if self.wild and some.random() < 0.2:
                return some.choice(["${own_a", "$(own_a", "${own_a?{x}", "${own_a;x}", "${{a}~{b}}", "${}", "$", "${nosuch{a}}", "$-", "${{x} <level {3}?y}"])
            case _:
                return f"{inner[0]}{inner[1]}"

    def entry(self) -> str:
        some = self.random
        if some.random() < 0.08:
            return some.choice(["# comment\n", "\n", "#smtp inet n - n - - smtpd\n#  -o x=y\n"])
        name = some.choice(SERVICES)
        kind = some.choice(["unix", "unix", "inet", "fifo", "pass", "unix-dgram"])
        fields = [name, kind, some.choice("-n" if kind == "inet" else "-ny"), some.choice("-ny"), some.choice("-ny"),
                  some.choice(["-", "60", "60?", "0", "?"]), some.choice(["-", "0", "1", "100"]), some.choice(["smtpd", "smtp", "pipe", "spawn", "local", "p", "qmgr"])]  # fmt: skip
        if self.wild and some.random() < 0.06:
            at = some.randrange(8)
            if some.random() < 0.5:
                fields[at:] = []
            else:
                fields[at] = some.choice(["x", "q?", "-1", "5x", "{a b}"])
        arguments = [self.argument() for _ in range(some.choice([0, 0, 1, 2, 4, 8]))]
        first = next((at for at, argument in enumerate(arguments) if not argument.startswith("-")), None)
        if first is not None and arguments[first].startswith("{"):
            arguments[first] = "b"  # one that keeps its braces here and not in Postfix
        fields += arguments
        joints = [" ", " ", "  ", "\t", "\n  ", "\n # in\n ", "\n\n\t"]
        text = fields[0] if fields else "x"
        for number, field in enumerate(fields[1:], 1):
            text += (some.choice(joints) if number > 1 else some.choice([" ", "  ", "\t"])) + field
        return text + "\n"

    def argument(self) -> str:
        some = self.random
        name = self.name() if some.random() < 0.8 else some.choice(["smtpd_restriction_classes", "virtual_alias_maps"])
        word = some.choice([self.word(2), self.word(2), "x", "", "cls_a", *TABLES[:3], "z" * 70]).replace("\r", "").replace("\n", "")
        word = "".join(word.split())
        spaced = " ".join(self.word(2).replace("\n", " ") for _ in range(some.randrange(1, 4)))
        if spaced.count("{") != spaced.count("}"):
            spaced = "a b"
        match some.randrange(12):
            case 0 | 1 | 2:
                return f"-o {name}={word}"
            case 3 | 4:
                return f"-o {{ {name} = {spaced} }}"
            case 5:
                return f"-o {{{name}={spaced}}}"
            case 6:
                return some.choice(["-v", "-D", "-vv", "-vo a=b", "-o a=b", "-ofoo=b", "-o{a=b}"])
            case 7:
                return some.choice(["flags=R", "user=nobody", "argv=/bin/x", "${sender}", "-f", "--"])
            case 8:
                return some.choice(["{a b}", "{ a }", "x{y z}", "z" * 40])
            case 9 if self.wild:
                return some.choice(["-o {a", "-o a", "-o =b", "-o {a=b}c", "{a}b", "-o {a b = c}"])
            case _:
                return some.choice(["a", "bb", "$own_a", "cc=dd"])


def site(seed: int) -> Site:
    """Return the site of a seed."""
    return _Maker(seed).site()


SHOWN = (
    ("",), ("-n",), ("-nx",), ("-nf",), ("-nj",), ("-nxf",), ("-nh",), ("-nH",), ("-C", "user"), ("-C", "service"), ("-xC", "user,service"), ("-o", "own_a=7", "-nx"),
    ("-M",), ("-Mf",), ("-Mx",), ("-Mj",), ("-P",), ("-Px",), ("-Pf",), ("-Pj",), ("-F",), ("-Ff",), ("-Fx",), ("-Fh",), ("-Fj",), ("-Mxf",), ("-q", "-P"),
    ("own_a", "own_b", "src_dbname", "bar_time_limit", "nosuch", "virtual_maps"), ("-x", "virtual_alias_maps", "mail_name", "myorigin"), ("-d", "-C", "service"),
    ("-vn",), ("-vP",),
)  # fmt: skip
CHANGES = (
    ("-e", "own_a=1", "mail_name = $own_a"), ("-X", "own_a", "mynetworks"), ("-#", "own_b"), ("-P", "smtp/inet/own_a=2"), ("-P", "*/*/own_b=x"),
    ("-PX", "*/unix/own_a"), ("-F", "*/*/chroot=y"), ("-F", "foo/unix/command=smtpd -o { a = b c } -v"), ("-MX", "foo/*"), ("-M#", "bar/unix"),
    ("-M", "foo/unix=foo unix - n n - - smtpd -o a=b -o {c = d e}"),
)  # fmt: skip
