"""Several cleanups in one mail system, chosen by cleanup_service_name, as docker-mailserver has for mail of its users and mailcow for local mail.

Source: postconf(5) cleanup_service_name, receive_override_options; master.cf of docker-mailserver.
"""

from __future__ import annotations

import pytest

from tests.kit.instance import Instance
from tests.kit.parity import Parity

pytestmark = [pytest.mark.reference, pytest.mark.root]

_ANONYMOUS = """\
/^\\s*(Received: from)[^\\n]*(.*for <.*@(?!ours\\.example).*)/ REPLACE $1 [127.0.0.1] (localhost [127.0.0.1])$2
/^\\s*Received:[^\\n]*(.*)/ REPLACE Received: from [127.0.0.1] (localhost [127.0.0.1])$1
/^\\s*User-Agent/ IGNORE
/^\\s*X-Enigmail/ IGNORE
/^\\s*X-Mailer/ IGNORE
/^\\s*X-Originating-IP/ IGNORE
/^\\s*Mime-Version:\\s*([0-9.]+)\\s.+/ REPLACE Mime-Version: $1
"""
_FILES: dict[str, str | bytes] = {"anonymous": _ANONYMOUS, "all": "/^Subject:/ PREPEND X-Seen: by the usual one\n/^X-Mailer/ WARN seen\n"}
_SENDERS = "sender-cleanup unix n - n - 0 cleanup -o syslog_name=postfix/sender-cleanup -o { header_checks = pcre:{dir}/etc/anonymous }"
_SMTPD, _PICKUP = "127.0.0.1:{port} inet n - n - - smtpd", "pickup unix n - n 60 1 pickup"
MASTERS: dict[str, dict[str, str | None]] = {
    "of users": {"127.0.0.1:{port}": f"{_SMTPD} -o cleanup_service_name=sender-cleanup", "sender-cleanup": _SENDERS},
    "of local mail": {"pickup": f"{_PICKUP} -o cleanup_service_name=sender-cleanup", "sender-cleanup": _SENDERS},
    "local mail without checks": {"pickup": f"{_PICKUP} -o content_filter= -o receive_override_options=no_header_body_checks"},
    "mapped by one": {
        "127.0.0.1:{port}": f"{_SMTPD} -o cleanup_service_name=sender-cleanup",
        "sender-cleanup": "sender-cleanup unix n - n - 0 cleanup -o { header_checks = } -o { virtual_alias_maps = inline:{user@ours.example=second@ours.example} }",
    },
}  # fmt: skip
_CONTENT = "Subject: x\nUser-Agent: a\n b\nX-Mailer: y\nX-Originating-IP: [192.0.2.1]\nMime-Version: 1.0 (odd 5)\nX-Enigmail: z\n\nhi\n"


@pytest.mark.parametrize("name", MASTERS)
def test_cleanups(parity: Parity, name: str) -> None:
    def case(mta: Instance) -> None:
        envelope = ["EHLO client.example", "MAIL FROM:<sender@client.example>", "RCPT TO:<user@ours.example>", "RCPT TO:<someone@discard.example>", "DATA"]
        mta.dialogue(*envelope, _CONTENT.replace("\n", "\r\n") + ".", "QUIT")
        mta.wait_until_empty()  # lines of one program are compared in their order
        mta.run("sendmail", "-f", "user@ours.example", "user@ours.example", input=_CONTENT.encode())
        mta.wait_for_log(r"qmgr\[.*: removed")
        mta.wait_until_empty()
        mta.settle()

    main = {"header_checks": "regexp:{dir}/etc/all", "relay_domains": "discard.example", "relay_transport": "discard", "mynetworks": "127.0.0.0/8", "ipc_timeout": "5s"}
    parity(case, main=main, master=MASTERS[name], files=_FILES, logs={"cleanup", "sender-cleanup", "virtual"}, deliveries=True)
