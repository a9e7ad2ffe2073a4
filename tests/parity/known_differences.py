"""Lines in which pyfix differs from the reference on purpose, each with its reason; all others must be the same."""

from __future__ import annotations

from tests.kit.comparison import KnownDifference

UNCOMPARED: tuple[str, ...] = (
    "rewrite, verify, proxymap: a client that stops within a request is hung up on after ipc_timeout; the reference's "
    "process waits for it, and serves nobody else",
    "smtpd gives up its connection to trivial-rewrite when it was idle for ipc_idle; the reference's, whose timers stand still "
    "while it serves, keeps it as long as a session lasts. Ours serves all sessions of a process, is opened again unseen, and an "
    "idle client does not keep a trivial-rewrite busy",
    "cleanup: a message from pickup that is too large and is returned to its sender: the reference reads its own queue file "
    "for the recipients and warns of the end that is cut off; pyfix remembers them",
    "local, virtual: a message in a Maildir is moved from tmp to new, where the reference's gives it a second name first, for which a "
    "file system may have no room",
    "virtual: the reason in the warning about virtual_mailbox_maps that cannot be asked; the reference has the text of whatever error "
    "number some call before has left",
    "master: a reload ends the wait of a service whose program did not start; the reference's goes on until service_throttle_time is over",
    "commands do not look whether the addresses of inet_interfaces are there, as they need none: the reference's refuse to run, postfix stop "
    "too",
    "smtpd whose cleanup does not answer within ipc_timeout says 451 4.3.0 to that client; the reference's process ends, and the "
    "connection with it: ours serves others, too",
    "cleanup that finds no token of in_flow_delay goes on as soon as qmgr has caught up; the reference's always sleeps for the whole time",
    "postconf -e, -X, -#: the file keeps its mode and owner, the reference makes it root's with mode 0644; bytes behind a null byte stay",
    "postconf changing master.cf: the first argument behind the options keeps the braces that it needs; without them, as the reference "
    "writes it, it would be several arguments (shown is what the reference shows)",
    "postconf -v: what the reference's library tells of its own work (name_mask, been_here, myflock ...)",
    "postconf: an argument - of a service, which the reference shows with bytes of its memory behind it; a compatibility_level that refers "
    "to itself, which ends the reference by a signal; of several faults in one ${...} only the first is told of",
    "postconf: which of two fatal faults in main.cf and master.cf is told of; the reference goes through them in a random order",
    "postmap and postalias of several tables, as root: with each source pyfix acts as its owner; the reference stays the owner of "
    "an earlier one when a source of root's follows",
    "texthash and inline: a key in capitals that are not ASCII is found; the reference folds it when it is asked for and not when it reads the table",
    "postmap -q -: what was found before an error that ends the command is shown; in the reference it is lost with the buffer that it was in",
    "a table that is older than its source: behind the warning pyfix says which command makes it anew",
    "postmap -i and -d of hash and btree: the file is written anew and renamed, not changed in place",
    "postfix check: the reference takes no notice of words after it; with --doctor pyfix examines the configuration instead, an addition",
    "postmulti -lj: the reference of 3.11 shows only the first letter of a group, pyfix the whole of it, as the manual page has it",
    "postfix tls does not exist yet; the usage line names it as the reference's does",
    "postmulti: the reference reads each instance with postconf(1), which also warns of or refuses the instance's master.cf; pyfix reads main.cf",
    "bounce: when a log cannot be opened, the reference's process ends, and master says so; pyfix's logs the same and gives no answer "
    "either, but goes on, as it has other clients; a folder in the place of a log, which the reference removes, stays",
    "postmap: behind an error of a table that is none of the system's, the reference tells the system's last error, whatever that was; mysql: the "
    "number of the error behind \"Can't connect\" is that of the step at which each library noticed",
    "ldap: debuglevel, whose lines the library writes on standard error and the reference into its log; timeout = 0, for which the answer "
    "decides by its speed; names of ciphers, since Debian 12 builds OpenLDAP with GnuTLS; sasl_mechs = DIGEST-MD5, with which the reference "
    "unpacked beside an older Debian ends by a signal; -v",
    "mysql: tls_verify_cert without an authority: the client library of MariaDB 11.8 takes a certificate that nobody vouches for where the "
    "server proves that it knows the password; pyfix's believes only what the system believes. What a TLS library says behind \"TLS/SSL error\" "
    "is its own",
    "mongodb: everything, as Debian's Postfix is built without it",
    "dynamicmaps.cf: with shlib_directory = no, the default of pyfix, the file is not read; the reference built with plug-ins reads it all the "
    "same. postqueue and sendmail, which need no tables, do not read it. A library that could be loaded is of no use to pyfix, and a warning "
    "says so; a type of pyfix's whose own library is missing says which extra brings it",
    "sqlite, ldap: with smtputf8_enable = no, a key that is no UTF-8 is not found: Python's libraries can't ask for it",
    "sqlite, pgsql, mysql: an error that ends the reference's process (a query that SQLite can't read) is a warning and a failed lookup in a daemon",
)
"""Differences of behaviour in which no test compares the two sides, because the one of the reference can't be shown in a line, or is not
understood yet."""

KNOWN_DIFFERENCES: tuple[KnownDifference, ...] = (
    KnownDifference(
        where="transcript",
        reference=r"(?:ID: timeout|NOQUEUE: too many errors) after BDAT \(\d+ bytes\) from .*",
        pyfix=r"(?:ID: timeout|NOQUEUE: too many errors) after BDAT \(\d+ bytes\) from .*",
        reason="the reference counts the bytes of its own reply, 421, for those of the chunk that is not complete",
    ),
    KnownDifference(
        where="transcript",
        reference=r"warning: non-SMTP command from .*: X-Content: .*",
        pyfix=r"NOQUEUE: lost connection after BDAT from .*",
        reason="the reference takes for commands what it has read already behind a chunk that is too large for it "
        "to read; content must not become commands",
    ),
    KnownDifference(
        where="transcript",
        reference=r"disconnect from .* bdat=0/1 unknown=0/1 commands=2/4",
        pyfix=r"disconnect from .* bdat=0/1 commands=2/3",
        reason="the same: X-Content: is no command",
    ),
)
