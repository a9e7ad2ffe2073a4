"""Lines in which pyfix differs from the reference on purpose, each with its reason; all others must be the same."""

from __future__ import annotations

from tests.kit.comparison import KnownDifference

UNCOMPARED: tuple[str, ...] = (
    "smtpd: a malformed default_rbl_reply, or a malformed pattern behind a DNS list, is a warning and 451 for whom it concerns, "
    "each time; the reference's process ends with a fatal line, and ours serves others besides",
    "smtpd: what a DNS list says is remembered for a minute, what the DNS calls a client likewise unless it may change at once; "
    "the reference remembers lists as long as a process lives, and names of clients not at all",
    "rewrite, verify, proxymap: a client that stops within a request is hung up on after ipc_timeout; the reference's "
    "process waits for it, and serves nobody else",
    "smtpd gives up its connection to trivial-rewrite when it was idle for ipc_idle; the reference's, whose timers stand still "
    "while it serves, keeps it as long as a session lasts. Ours serves all sessions of a process, is opened again unseen, and an "
    "idle client does not keep a trivial-rewrite busy",
    "smtpd: behind a command that is more than twice as long as line_length_limit nothing is read; the reference takes what it has "
    "not read yet for early commands, where a command must wait for its reply",
    "smtpd that cannot reach cleanup any more, as the mail system drains or master was killed: the reference's client is not answered for "
    "minutes, ours is told 451",
    "smtpd: of a message that is too large the reference hands cleanup so much that it warns of its file (\"mail_stream_cleanup: close error\"); "
    "pyfix nothing of the part that is too much",
    "smtpd: XCLIENT LOGIN=+00 logs nobody in; in the reference the client has logged in under an empty name",
    "smtpd: what a client says in AUTH is not shown by -v, debug_peer_list and the transcripts of sessions, which in the reference have "
    "passwords in them",
    "smtpd: where main.cf promises AUTH and no service is there that offers a mechanism, the reference's process ends with a fatal line, and "
    "master waits before it starts another; ours logs the same line, hangs up on this client after a second, and serves the others",
    "smtpd: of a SASL response longer than smtpd_sasl_response_limit, the reference takes what it has not read yet for commands",
    "smtpd, type cyrus, without mech_list: the reference offers what plugins of Cyrus SASL the machine has, pyfix DIGEST-MD5, CRAM-MD5, PLAIN and "
    "LOGIN; GSSAPI, SCRAM, NTLM and others are not there with this type; what smtpd.conf says of auxprop_plugin, log_level and canonicalisation "
    "is not looked at; saslauthd has a minute to answer, where the reference waits for ever",
    "smtp, lmtp: SCRAM-SHA-224, -384 and -512, GSSAPI, NTLM, EXTERNAL and ANONYMOUS are not there, and sasl options of the client are not looked at; "
    "warnings of Cyrus SASL about challenges of SCRAM and DIGEST-MD5 that are none have other words",
    "smtpd, type dovecot: a reply that ends with the connection and not with its line, and one whose number has letters behind it, "
    "are nobody's; the reference takes them, even for a success",
    "smtpd, type dovecot: one connection to the service for all clients of a process; one that the service has closed is noticed before the next "
    "AUTH also over inet:, where the reference tells the client 454",
    "cleanup: a message from pickup that is too large and is returned to its sender: the reference reads its own queue file "
    "for the recipients, and it and bounce warn of the end that is cut off; pyfix remembers them, that of a record that was cut, too, and "
    "what is returned differs",
    "smtpd: after a failure of a policy service its connection is closed; the reference keeps the last one, and finds it unusable at the "
    "next request; one that is idle or too old is closed while a session lasts, too; ours refuses at its start what names no endpoint "
    "(inet:host without a port), where the reference ends when it first asks",
    "pipe: what a command says is read while it is given the message; the reference reads it afterwards, and a command that says more than "
    "a pipe holds before it has read all of a large message waits until its time is over; of two recipients with flag D or O and loops, the first counts",
    "bounce -S that is asked for no templates: the reference's serves a client on standard input; pyfix's says that it does not",
    "qmgr: mail for double_bounce_sender that asks for a report of success: none is sent of its being discarded",
    "cleanup: a refused message costs the reference a flow token, until qmgr has had mail: after a hundred of them new mail waits for "
    "in_flow_delay; pyfix gives the token back",
    "cleanup: a time of arrival beyond the years that a calendar has ends the reference by a signal, or gives a year below zero",
    "cleanup: a milter's accept or discard of an unknown command ends the reference's smtpd at the next MAIL (a panic); pyfix goes on without "
    "that milter; an endpoint that is none ends the reference's smtpd when a client comes; pyfix warns, and the default action holds",
    "cleanup: the macros that a milter asks for hold for its connection; the reference remembers those of non_smtpd_milters from an earlier one",
    "milters: a packet of more than 16 megabytes is an error; the reference would read it, up to a gigabyte",
    "cleanup: of a client that goes before its first byte the reference leaves out the name of the status; of a message to be dropped from the start pyfix reads the rest before it answers",
    "cleanup: of what pickup brings, the complaint that there is no Received: header behind the one about message_reject_characters in it; the message "
    "id of a message whose envelope alone is larger than message_size_limit",
    "cleanup: how often a table of addresses is asked for the same key, as warnings about keys that are not UTF-8 show",
    "bounce: a notice whose recipients all want none is given up by pyfix before its header, by the reference behind it: cleanup has logged a "
    "message id",
    "local, virtual: a message in a Maildir is moved from tmp to new, where the reference's gives it a second name first, for which a "
    "file system may have no room",
    "TLS: where in OpenSSL's source an error was noted, which behind the number and the words of \"TLS library problem\" the reference has; the "
    "library's own words for its steps at smtpd_tls_loglevel 2, where the machine has another release of it than the reference; the bytes that levels 3 "
    "and 4 show",
    "TLS: under which conditions sessions were agreed on: both bind them to a digest, the reference to one of its own. What real smtpd and ours "
    "have sealed with tlsmgr's key, or saved, is resumed by either's own processes only, and likewise the sessions of smtp: a client that comes to the "
    "other begins anew",
    "tlsmgr: at most 20,000 sessions of a kind are kept, and the table has them up to a second later, as nobody reads it; tls_random_exchange_name "
    "and tls_random_source are not used, as randomness is the kernel's",
    "TLS: tls_fast_shutdown_enable = no: who has said goodbye closes the connection, and does not wait for the goodbye of the other side",
    "TLS: raw public keys (*_enable_rpk); the DSA certificates that no modern library signs with; of key exchange groups that are not there the "
    "reference tells twice",
    "smtp: sessions in which TLSA records were asked for are not kept for later ones (smtp_tls_session_cache_database); digests of "
    "tls_dane_digests beside sha256 and sha512; smtp_tls_connection_reuse (tlsproxy) and TLSRPT are not there; a peer whose handshake takes "
    "too long: the words of the log",
    "smtp: a fingerprint of one character is malformed; the reference ends with a panic",
    "smtp: a session that two destinations with one server use in turn is found by its server, and tls= in the log is that of the server's policy; "
    "the reference finds it by the destination again, and logs no tls=",
    "smtp: best_mx_transport with a service that master.cf has not: the words of the reason",
    "smtp, local, virtual and others that are stopped in the middle of a delivery: lines of the log about it may be missing; the mail is tried again",
    "virtual: the reason in the warning about virtual_mailbox_maps that cannot be asked; the reference has the text of whatever error "
    "number some call before has left",
    "master: a reload ends the wait of a service whose program did not start; the reference's goes on until service_throttle_time is over",
    "commands do not look whether the addresses of inet_interfaces are there, as they need none: the reference's refuse to run, postfix stop "
    "too; when they run as an ordinary user, they do not look for the accounts of mail_owner, setgid_group and default_privs either",
    "smtpd whose cleanup does not answer within ipc_timeout says 451 4.3.0 to that client; the reference's process ends, and the "
    "connection with it: ours serves others, too",
    "cleanup that finds no token of in_flow_delay goes on as soon as qmgr has caught up; the reference's always sleeps for the whole time",
    "postconf -e, -X, -#: the file keeps its mode and owner, the reference makes it root's with mode 0644; bytes behind a null byte stay",
    "postconf changing master.cf: an argument behind the options keeps the braces that it needs ({a b} in the first place, {} and {{a}} in any); "
    "without them, as the reference writes it, it would be several arguments, none or another (shown is what the reference shows)",
    "master hands MAIL_CONFIG on to what it starts also where import_environment does not name it, as the daemons would read another main.cf",
    "postconf: a read-only name (process_name) that main.cf sets and other values refer to; which value the reference uses is by chance",
    "postconf -v: what the reference's library tells of its own work (name_mask, been_here, myflock ...)",
    "postcat: a queue file that comes through a pipe is shown to its end; the reference gives up at the end record, as it cannot go back and forth",
    "postconf: an argument - of a service, which the reference shows with bytes of its memory behind it; a compatibility_level that refers "
    "to itself, which ends the reference by a signal; of several faults in one ${...} only the first is told of",
    "postconf: which of two fatal faults in main.cf and master.cf is told of; the reference goes through them in a random order",
    "postmap and postalias of several tables, as root: with each source pyfix acts as its owner; the reference stays the owner of "
    "an earlier one when a source of root's follows",
    "hash, btree, lmdb, cdb: of a damaged file pyfix says so at once, where the reference answers from what it can still read, is ended by a signal, "
    "or goes round for ever (a btree with a page of zeros; lists of cdb and lmdb files whose lengths are damaged)",
    "postmap -i of an lmdb table: pyfix waits for locks of others (parity/tables/test_locks.py); the reference does not, though two writers "
    "at once may spoil the file",
    "texthash and inline: a key in capitals that are not ASCII is found; the reference folds it when it is asked for and not when it reads the table",
    "postmap -i and -d of a table without a name (static:, environ:) or behind debug: that can be changed: the reference does what it can "
    "and forgets it, pyfix refuses; -i of a table whose name has a slash in it: the reference looks for a file of that name first",
    "pcre: an expression that can't match, because a text that it needs is not in the key, is not tried in a large table, so "
    "that it does not exceed PCRE2's limits either; in the reference it may, which it warns of before it goes on",
    "mysql: a file of authorities that can't be read is an error; the reference does not look at it where the server has no TLS",
    "postmap -q -: what was found before an error that ends the command is shown; in the reference it is lost with the buffer that it was in",
    "a table that is older than its source: behind the warning pyfix says which command makes it anew",
    "postmap -i and -d of hash and btree: the file is written anew and renamed, not changed in place",
    "postfix explain is an addition; the reference knows no such command",
    "parameters that are accepted and without effect: those of UNREAD in tests/unit/config/test_readers.py, each with its reason",
    "milters: after one form of XCLIENT with HELO= the reference's smtpd sends an abort less",
    "qmqpd: a message whose outer length is one too large, so that the comma at its end counts as data, is refused; the reference takes it",
    "smtp: with SASL and a server that offers only EXTERNAL or ANONYMOUS, the warning of the reference's library about worthy mechanisms",
    "postfix: a warning about main.cf or master.cf is given once; the reference's runs postconf and postlog several times, each of which gives it; "
    "postfix status does not look for parameters that nothing reads, as check, start and reload do",
    "postfix -v, postmulti -v: MAIL_VERBOSE, how often -v was given, reaches what runs from them, master too; in the reference it is empty, and lost "
    "where import_environment does not name it",
    "postfix with the path of a program: it takes the place of postfix, so that who waits sees the signal that ended it; the reference's shell returns "
    "128 and the signal's number, and tells of it",
    "qshape: reads queue_directory from main.cf and looks at nothing else, where the reference's postconf warns of parameters that nothing "
    "reads and refuses names that refer to each other in a ring",
    "postfix check: the reference takes no notice of words after it; with --doctor pyfix examines the configuration instead, an addition",
    "postmulti -lj: the reference of 3.11 shows only the first letter of a group, pyfix the whole of it, as the manual page has it",
    "postfix tls: keys and certificates are made by the cryptography library, not by openssl(1): openssl_path is not looked at, the reasons "
    "are told in other words, RSA keys have at least 1024 bits, there are only curves that the library has, and no password is asked for; a "
    "host name of a certificate has only ASCII and no / or $, which openssl takes for syntax; a warning about main.cf is given once",
    "postfix set-permissions, create-missing, upgrade-configuration: without meta_directory/postfix-files, as pyfix is installed, the reference "
    "ends with an error, pyfix does what it knows itself; the folders of the queue get what pyfix knows of them in any case",
    "postfix logrotate: a maillog_file_rotate_suffix with a blank, which the reference can't use; a compressor that is not there is told of "
    "without the name and line of the script",
    "postfix non-bdb enable-reindex: the tables of commands are made anew in the new type, by the reference as the Berkeley DB files that they "
    "are; a comma behind one does not belong to its name",
    "non_bdb_migration_level: pyfix's daemons read Berkeley DB files themselves, whatever it says, and ask no nbdb_reindexd",
    "nbdb_reindexd: a folder in the place of a source file, of which the reference's postmap makes an empty table; the package that is named "
    "for a table type that is not there",
    "postfix check: a queue folder with a symbolic link or folder among its files, on which postsuper(1) of the reference ends or which it removes",
    "postmulti: the reference reads each instance with postconf(1), which also warns of or refuses the instance's master.cf; pyfix reads main.cf",
    "bounce: when a log cannot be opened, the reference's process ends, and master says so; pyfix's logs the same and gives no answer "
    "either, but goes on, as it has other clients; so it is with a template that can't be expanded; a folder in "
    "the place of a log, which the reference removes, stays",
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
    "sqlite, ldap: with smtputf8_enable = no, a key that is no UTF-8 is not found: Python's libraries can't ask for it; pgsql: which of "
    "these keys the library refuses is a matter of its version",
    "sqlite, pgsql, mysql: an error that ends the reference's process (a query that SQLite can't read) is a warning and a failed lookup in a daemon",
    "local: mail for a user who is none, whom luser_relay names, too, is returned; the reference takes it for delivered, and it is lost. With a "
    "duplicate_filter_limit of very few the reference expands lists that name each other again and again",
    "local: an :include: file that gets another owner between the first look and its opening is refused; the reference does with the "
    "rights of the first one what it reads",
    "local: an :include: file of an alias of root's, to which a folder or link of a user leads, is read with the rights of that user, who else could "
    "have the administrator's read anything; the reference reads it as root",
    "local: a transport of mailbox_transport or fallback_transport that cannot be asked defers the recipient, with a reason; the "
    "reference's waits for it",
    "local: it looks for loops in what it reads of a message before it waits for the mailbox, and copies a small one from there: damage that comes "
    "in between is not seen; the reference reads twice, and warns twice of a record in the header that it cannot read",
    "agents: one that cannot open a queue file, or mark a recipient in it, logs the reference's fatal line and gives no answer, as the "
    "reference's process, which ends; pyfix's goes on, as it has other clients. A symbolic link or a folder in the place of an active queue file "
    "is such a file; the reference follows a link",
    "qmgr: queue files that lie in another folder than their name has them (hashed or not) are found; the reference's leaves them to postsuper(1), "
    "and ends over a file with a name of one character",
    "smtp, lmtp: a session that is kept for more mail is in the memory of the process for a moment, which serves all deliveries of its service, and "
    "only then with scache(8): what scache counts, and what is lost when the process is killed before; so are sessions over sockets in the file system "
    "all the time, and those that have logged in. Those that have begun TLS are not kept (smtp_tls_connection_reuse)",
    "smtp, lmtp: the RSET that asks whether a kept session is still good leaves together with the commands behind it, where the server "
    "offers PIPELINING",
    "qmgr: a file in incoming or deferred with the mode that says that it is corrupt goes to the corrupt queue; the reference leaves it where it is",
    "qmgr: what the reference says beside the last line of a damaged envelope (rcpt count mismatch, ignoring out-of-order ..., the from= line of "
    "what it takes for whole at first); a named attribute without an equals sign is ignored, where the reference saves the file as corrupt",
)
"""Differences of behaviour in which no test compares the two sides, because the one of the reference can't be shown in a line, or is not
understood yet."""

_MX_BACKUP = r'warning: support for restriction "permit_mx_backup" will be removed from Postfix; .*'

KNOWN_DIFFERENCES: tuple[KnownDifference, ...] = (
    KnownDifference(
        where="log",
        reference=r"warning: milter \S+: reply \w+ was followed by \d+ data bytes",
        pyfix=r"warning: milter \S+: reply \w+ was followed by \d+ data bytes",
        reason="the reference counts what it has read before, pyfix the bytes that are too many",
    ),
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
    KnownDifference(
        where="spool",
        reference=r"trace \d .*#FIX .*",
        pyfix=r"trace \d [^#]*",
        reason="postsuper -s: the reference leaves the trace log of a message that gets a new id under a name that nothing finds",
    ),
    *[
        KnownDifference(
            where="log",
            reference=_MX_BACKUP if theirs else None,
            pyfix=None if theirs else _MX_BACKUP,
            reason="each process says so once, and a process of ours does not end when one of the reference does",
        )
        for theirs in (True, False)
    ],
)
