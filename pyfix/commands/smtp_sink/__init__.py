"""smtp-sink(1): receive messages by SMTP or LMTP, and throw them away or dump them to files."""

from __future__ import annotations

import os

from pyfix.commands.smtp_sink.dump import Dump
from pyfix.commands.smtp_sink.rules import BadReply, Rules
from pyfix.commands.smtp_sink.session import Session
from pyfix.commands.smtp_sink.sink import Sink
from pyfix.runtime.console import CommandError
from pyfix.runtime.loadtool import families, listeners, run_tool, tool_options
from pyfix.runtime.log import log
from pyfix.runtime.server import Server

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence

_OPTIONS = "468aA:b:B:cCd:D:eEf:Fh:H:Ln:m:M:NpPq:Q:r:R:s:S:t:T:u:vw:W:"
_USAGE = (
    "[-468acCeEFLpPv] [-A abort_delay] [-b soft_bounce_reply] [-B hard_bounce_reply] [-d dump-template] "
    "[-D dump-template] [-f commands] [-h hostname] [-m max_concurrency] [-M message_quit_count] [-n quit_count] "
    "[-q commands] [-r commands] [-R root-dir] [-s commands] [-S start-string] [-u user_privs] [-w delay] "
    "[host]:port backlog"
)


def main(argv: Sequence[str]) -> int:
    """Listen, and receive until the process is ended or the counts are reached; return the exit status.

    Source: smtp-sink(1).
    """
    return run_tool("smtp-sink", lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    options, words = tool_options(argv, _OPTIONS, _USAGE)
    values = dict(options)
    try:
        rules = Rules(options)
    except BadReply as error:
        log.error(str(error))
        raise CommandError(f"usage: {log.tag} {_USAGE}") from None
    if {"d", "D"} <= values.keys():
        raise CommandError("use only one of -d or -D, but not both")
    if len(words) != 2 or not words[1].isdigit():
        raise CommandError(f"usage: {log.tag} {_USAGE}")
    if os.getuid() == 0 and "u" not in values:
        raise CommandError("-u option is required if running as root")
    if rules.logged:
        log.to_syslog("mail")
    sockets = listeners(words[0], words[1], families(list(values)), rules.window)
    _change_rights(values.get("R"), values.get("u"))
    template = values.get("d", values.get("D"))
    dump = None
    if template is not None:
        dump = Dump(template, values.get("S", ""), rules.name, one_file="D" in values)
    sink = Sink(rules, dump)
    sink.server = Server(sink.poll, sockets, rules.most, lambda connection: Session(sink, connection))
    sink.run()
    return 0


def _change_rights(root: str | None, user: str | None) -> None:
    import pwd

    account = None
    if user is not None:
        try:
            account = pwd.getpwnam(user)
        except KeyError:
            raise CommandError(f"unknown user: {user}") from None
    try:
        if root is not None:
            os.chroot(root)
            os.chdir("/")
        if account is not None:
            os.initgroups(account.pw_name, account.pw_gid)
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
    except OSError as error:
        raise CommandError(f"change rights: {error.strerror}") from None
