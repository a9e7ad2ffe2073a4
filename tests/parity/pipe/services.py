"""The services of the systems in which pipe(8) is compared: name, and what stands behind ``pipe`` in master.cf."""

from __future__ import annotations

FILES: dict[str, str | bytes] = {
    "show": "#!/bin/sh\n{\nfor word in \"$@\"; do printf '<%s>\\n' \"$word\"; done\ncat -A\n} > {dir}/mail/shown\n",
    "where": "#!/bin/sh\n{\nenv | sort\nid\npwd\numask\ngrep SigIgn /proc/self/status\n"
    "test $(cut -d' ' -f6 /proc/$$/stat) = $$ && echo leader\nls /proc/self/fd | wc -l\ncat >/dev/null\n} > {dir}/mail/shown\n",
    "leave": "#!/bin/sh\ncat >/dev/null\ncode=$1\nshift\nprintf \"$*\"\nexit $code\n",
    "die": "#!/bin/sh\ncat >/dev/null\nprintf \"$2\"\nkill -$1 $$\n",
    "unread": "#!/bin/sh\nexec <&-\necho enough\nexit $1\n",
    "much": "#!/bin/sh\ncat >/dev/null\nhead -c $1 {dir}/etc/text\n",
    "text": 1000 * "abcdefghi\n",
    "outcomes": "/^4\\.2\\.2 / 5.2.2 no more room\n/^5\\.1\\.1 / 4.1.1 perhaps later\n/^2\\.0\\.0 / 2.1.5 fine\n/^4\\.3\\.0 / 2.0.0 never\n",
    "noshebang": "cat >/dev/null\necho by the shell\n",
    "notexecutable": "#!/bin/sh\n",
    "numbers": "#!/bin/sh\ncat >/dev/null\ncase $2 in [0-9]*) port=number;; *) port=$2;; esac\necho \"$1 $port\" > {dir}/mail/shown\n",
    "late": "#!/bin/sh\ncat >/dev/null\necho said before\nexec >&- 2>&-\nsleep 60\n",
    "family": "#!/bin/sh\ncat >/dev/null\necho begun\nsleep 60 &\nsleep 60\n",
}

_WORDS = " ".join(
    f"${{{name}}}"
    for name in (
        "sender", "recipient", "original_recipient", "user", "extension", "mailbox", "domain", "nexthop", "size",
        "client_address", "client_helo", "client_hostname", "client_protocol", "sasl_method", "sasl_username",
        "sasl_sender", "envid",
    )
)  # fmt: skip

_SHOWN = "user=nobody argv={dir}/etc/show"

CONTENT_FLAGS = {
    "plain": "", "flagB": "B", "flagD": "D", "flagF": "F", "flagO": "O", "flagR": "R", "flagX": "X", "flagdot": ".",
    "flagquote": ">", "flagall": "BDFORX.>", "flagtwice": "BBFF",
}  # fmt: skip

ARGUMENT_FLAGS = {"noflag": "", "flagh": "h", "flagu": "u", "flagq": "q", "flaghqu": "hqu"}

SINGLE = [name for name, flags in CONTENT_FLAGS.items() if set(flags) & set("DO")] + ["nul", "nul2", "nul3", "single"]

EXITS = {
    **{f"exit{code}": f"{{dir}}/etc/leave {code} text" for code in (*range(63, 80), 1, 2, 126, 127, 255)},
    **{f"mute{code}": f"{{dir}}/etc/leave {code}" for code in (0, 1, 67, 75, 77)},
    "okay": "{dir}/etc/leave 0 some text",
    "okaycode": "{dir}/etc/leave 0 5.2.2 no matter",
    "okaylong": "{dir}/etc/much 4000",
    "code4": "{dir}/etc/leave 1 4.2.2 mailbox is full",
    "code5": "{dir}/etc/leave 75 5.2.2 mailbox is full",
    "code2": "{dir}/etc/leave 1 2.1.5 all is well",
    "codealone": "{dir}/etc/leave 1 4.7.1",
    "nocode": "{dir}/etc/leave 1 4.7 text",
    "lines": "{dir}/etc/leave 1 one\\\\ntwo\\\\r\\\\n\\\\n\\\\tthree\\\\033\\\\177x",
    "utf8": "{dir}/etc/leave 1 gr\\\\303\\\\274n",
    "badutf8": "{dir}/etc/leave 1 gr\\\\374n \\\\303",
    "long": "{dir}/etc/leave 67 " + " ".join(f"word{number}" for number in range(60)),
    "signal9": "{dir}/etc/die 9 text",
    "signal15": "{dir}/etc/die 15",
    "signalcode": "{dir}/etc/die 9 5.1.1",
    "unread": "{dir}/etc/unread 0",
    "unread1": "{dir}/etc/unread 1",
    "nofile": "/no/such/file a b",
    "nocommand": "nosuchcommand",
    "named": "true",
    "noright": "{dir}/etc/private",
    "folder": "/etc",
    "noshebang": "{dir}/etc/noshebang",
    "slow": "/bin/sleep 60",
    "late": "{dir}/etc/late",
    "family": "{dir}/etc/family",
}

REFUSED = {
    "root": "user=root argv=/bin/cat",
    "owner": "user=postfix argv=/bin/cat",
    "nouser": "argv=/bin/cat",
    "baduser": "user=nosuchuser argv=/bin/cat",
    "badattribute": "user=nobody colour=red argv=/bin/cat",
    "noequals": "user=nobody colour argv=/bin/cat",
    "noargv": "user=nobody",
    "nothing": "",
    "badflag": "flags=RZ user=nobody argv=/bin/cat",
    "group0": "user=nobody:root argv=/bin/cat",
    "badgroup": "user=nobody:nosuchgroup argv=/bin/cat",
    "setgid": "user=nobody:postdrop argv=/bin/cat",
    "ownergroup": "user=nobody:postfix argv=/bin/cat",
    "badsize": "user=nobody size=many argv=/bin/cat",
}

OTHERS = {
    "words": f"{_SHOWN} ${{recipient}} a$user.b ${{nexthop}}x $$ {{ braces here }} {{}} $(sender) -f${{sender}}",
    "many": f"{_SHOWN} $sender ${{recipient}} ${{user}}@${{domain}} ${{mailbox}} $size -- ${{extension}}",
    "pairs": f"{_SHOWN} ${{user}}-${{nexthop}} ${{domain}}",
    "choice": f"{_SHOWN} ${{extension?+${{extension}}}} ${{extension:none}} ${{user?yes}}",
    "badmacro": f"{_SHOWN} ${{colour}}",
    "badsyntax": f"{_SHOWN} ${{recipient",
    "noname": f"{_SHOWN} $recipient $.",
    "emptyname": f"{_SHOWN} ${{}}",
    "crlf": f"eol=\\r\\n flags=B. {_SHOWN}",
    "octal": f"eol=\\041\\n {_SHOWN}",
    "nul": f"flags=FRD {_SHOWN} ${{sender}}",
    "nul2": f"flags=FRDq {{ null_sender=nobody here }} {_SHOWN} ${{sender}}",
    "nul3": f"flags=FRDq null_sender= {_SHOWN} x ${{sender}}",
    "small": f"size=1000 {_SHOWN}",
    "where": "user=nobody argv={dir}/etc/where",
    "group": "user=nobody:daemon argv={dir}/etc/where",
    "there": "user=nobody directory=/usr/share argv={dir}/etc/where",
    "nowhere": "user=nobody directory=/no/such/folder argv=/bin/cat",
    "closed": "user=nobody directory=/root argv=/bin/cat",
    "nochroot": "user=nobody chroot=/no/such/folder argv=/bin/cat",
    "chroot": "user=nobody chroot=/usr directory=/share argv=/bin/true",
    "jail": "user=nobody chroot={dir}/jail directory=/inside argv=/bin/ls -R .. /bin",
    "upper": "FLAGS=F USER=nobody ARGV={dir}/etc/show a",
    "order": f"flags=R {_SHOWN} flags=F user=root",
    "numbers": "user=nobody argv={dir}/etc/numbers ${queue_id} ${client_port}",
    "lengthy": "user=nobody argv=/bin/sleep 60",
    "single": "flags=D user=nobody argv=/bin/sed -n /^Delivered-To:/p",
    "several": f"flags=D {_SHOWN}",
    "severalO": f"flags=O {_SHOWN}",
}

_LINES = {
    **{name: f"flags={flags} {_SHOWN}" for name, flags in CONTENT_FLAGS.items()},
    **{name: f"flags={flags} {_SHOWN} {_WORDS}" for name, flags in ARGUMENT_FLAGS.items()},
    **{name: f"user=nobody argv={command}" for name, command in EXITS.items()},
    **REFUSED,
    **OTHERS,
}

MASTER: dict[str, str | None] = {name: f"{name} unix - n n - - pipe {line}" for name, line in _LINES.items()}

MAIN = {
    "transport_maps": "inline:{" + ", ".join(f"{{ {name.lower()}.example = {name}: }}" for name in _LINES) + "}",
    "relay_domains": " ".join(f"{name.lower()}.example" for name in _LINES),
    "recipient_delimiter": "+",
    "export_environment": "TZ MAIL_CONFIG LANG GREETING=hello",
    "local_header_rewrite_clients": "",
    "single_destination_concurrency_limit": "1",
    **{f"{name}_time_limit": "1s" for name in ("slow", "late", "family")},
}
